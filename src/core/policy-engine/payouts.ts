import { CLOCK_SKEW_MS_MAX, type Command, type Verdict } from "../../contract/index.ts";
import type { Facts, PayoutFact } from "./facts.ts";
import type { Answer, Denial } from "./gate.ts";

/** Gate 6's rules for what operators say became of a payout: each step once, in order. No command names an amount or an account: those are the payout's own. */
export type PayoutCode = "PAYOUT_UNKNOWN" | "PAYOUT_STATE" | "PAYOUT_AHEAD";

export const PAYOUT_DENIALS: Readonly<Record<PayoutCode, Denial>> = {
  PAYOUT_UNKNOWN: { says: "there is no such payout", hint: "'nexus payout list' shows them" },
  PAYOUT_STATE: { says: "the payout is not in a state from which this follows", hint: "'nexus payout list' shows what became of it; what was executed once is not executed again" },
  PAYOUT_AHEAD: { says: "it is said when it has happened, not before", hint: "check --at and this machine's clock" },
};

export type PayoutOrder = Extract<Command, { op: "platform.payout.execute" | "platform.payout.return" }>;

export function isPayoutOrder(command: Command): command is PayoutOrder {
  return command.op === "platform.payout.execute" || command.op === "platform.payout.return";
}

const FROM: Readonly<Record<PayoutOrder["op"], readonly PayoutFact["state"][]>> = { "platform.payout.execute": ["created"], "platform.payout.return": ["created", "executed"] };

export function maySettle(command: PayoutOrder, { payout = null, now_ms }: Facts, answer: Answer<PayoutCode>): Verdict {
  if (payout === null) return answer.deny("PAYOUT_UNKNOWN", { imvu: command.params.imvu, payout: command.params.payout });
  const allowed = FROM[command.op];
  if (!allowed.includes(payout.state)) return answer.deny("PAYOUT_STATE", { state: payout.state }, { states: [...allowed] });
  const at_ms = Date.parse(command.params.at);
  return at_ms <= now_ms + CLOCK_SKEW_MS_MAX ? answer.pass() : answer.deny("PAYOUT_AHEAD", { at: command.params.at }, { at_ms: now_ms + CLOCK_SKEW_MS_MAX });
}
