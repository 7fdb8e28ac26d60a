import type { FastifyInstance, FastifyReply } from "fastify";
import type { Operation } from "../../core/command/index.ts";
import { type Json, type Outcome, refuse } from "../../kernel/index.ts";
import { answerOfRefusal, answerOfThrown } from "../answers.ts";
import type { PlatformPort } from "../platform-port.ts";

const COMMAND_BODY_BYTES_MAX = 64 * 1024;
const KEEPALIVE_MS = 15_000;

/** `POST /v1/commands` and what became of a command: the only door through which anything changes. */
export function commandRoutes(app: FastifyInstance, platform: PlatformPort): void {
  app.post("/v1/commands", { bodyLimit: COMMAND_BODY_BYTES_MAX }, async (request, reply) => {
    if ((request.query as { "dry-run"?: string })["dry-run"] === "1") return send(reply, await platform.dryRun(request.body));
    const submitted = platform.submit(request.body);
    if (!submitted.ok) return send(reply, submitted);
    // RFC 7240: the caller would rather watch the steps than wait.
    if (/\brespond-async\b/.test(String(request.headers.prefer ?? ""))) {
      submitted.value.answer.catch(() => {});
      return reply.code(202).header("preference-applied", "respond-async").send({ operation: submitted.value.digest });
    }
    return send(reply, await submitted.value.answer);
  });

  app.get("/v1/operations/:digest", async (request, reply) => {
    const operation = platform.operation((request.params as { digest: string }).digest);
    if (!operation) return send(reply, unknown());
    return reply.send({ operation: operation.digest, steps: operation.events });
  });

  app.get("/v1/operations/:digest/events", (request, reply) => {
    const operation = platform.operation((request.params as { digest: string }).digest);
    if (!operation) {
      void send(reply, unknown());
      return;
    }
    reply.hijack();
    stream(operation, reply);
  });
}

function unknown() {
  return refuse("not-found", "NO_SUCH_OPERATION", "no operation with this digest is known", "send the command again: its first outcome is answered");
}

/** Server-sent events (WHATWG HTML §9.2): `step` for each step, then one `done` with what the synchronous call would have answered. */
function stream(operation: Operation, reply: FastifyReply): void {
  const out = reply.raw;
  out.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  const write = (event: string, data: unknown) => out.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  const unfollow = operation.follow((event) => write("step", event));
  const keepalive = setInterval(() => out.write(":\n\n"), KEEPALIVE_MS);
  const end = (status: number, body: unknown) => {
    write("done", { status, body });
    out.end();
  };
  operation.answer.then(
    (answer) => {
      const said = answer.ok ? { status: 200, body: answer.value } : answerOfRefusal(answer);
      end(said.status, said.body);
    },
    (error) => {
      const said = answerOfThrown(error);
      end(said.status, said.body);
    },
  );
  out.on("close", () => {
    unfollow();
    clearInterval(keepalive);
  });
}

export async function send(reply: FastifyReply, outcome: Outcome<Json>): Promise<FastifyReply> {
  if (outcome.ok) return reply.send(outcome.value);
  const { status, body } = answerOfRefusal(outcome);
  return reply.code(status).send(body);
}
