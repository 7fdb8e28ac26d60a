import type { FastifyInstance } from "fastify";
import { refuse } from "../../kernel/index.ts";
import type { Authenticator } from "../authenticate.ts";
import type { PlatformPort } from "../platform-port.ts";
import { send } from "./commands.ts";

/** What operators pay: account numbers of creators, for nobody else. */
export function payoutRoutes(app: FastifyInstance, platform: PlatformPort, authenticator: Authenticator): void {
  const read = (path: string, answer: (state: string | undefined) => ReturnType<PlatformPort["duePayouts"]>) => {
    app.get(path, async (request, reply) => {
      const caller = await authenticator.caller(request);
      if (!caller.ok) return send(reply, caller);
      if (!(await platform.isOperator(caller.value.identity))) return send(reply, refuse("not-found", "NOT_AN_OPERATOR", `${caller.value.identity} is no operator of this platform`, "members see their unit's: 'nexus payout list --imvu-id ID'"));
      return reply.send(await answer((request.query as { state?: string }).state));
    });
  };
  read("/v1/payouts", (state) => platform.allPayouts(state));
  read("/v1/payouts/due", () => platform.duePayouts());
}
