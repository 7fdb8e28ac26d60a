import { Fault, messageOf, quoteForPeople, type Refusal } from "../kernel/index.ts";

/** The one place where refusals and faults become HTTP. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: { readonly error: Record<string, unknown> };
}

const STATUS_OF_KIND: Record<Refusal["kind"], number> = { usage: 400, unauthenticated: 401, gate: 403, "not-found": 404, conflict: 409, engine: 502, busy: 429 };

/** Keeps what a richer refusal carries beside the common figures (verdicts, receipt). */
export function answerOfRefusal(refusal: Refusal): HttpAnswer {
  const { ok: _, kind, ...rest } = refusal;
  return { status: STATUS_OF_KIND[kind], body: { error: { kind, ...rest } } };
}

/** A fault's message is public by contract; anything else thrown keeps its text in the log and answers a general one. */
export function answerOfThrown(thrown: unknown): HttpAnswer {
  if (thrown instanceof Fault) return { status: thrown.retry ? 503 : 500, body: { error: { kind: "engine", code: thrown.code, message: thrown.message, hint: thrown.hint } } };
  const { statusCode, code } = (thrown ?? {}) as { statusCode?: number; code?: string };
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return { status: statusCode, body: { error: { kind: "usage", code: code ?? "BAD_REQUEST", message: quoteForPeople(messageOf(thrown)), hint: "see /openapi.json" } } };
  return { status: 500, body: { error: { kind: "engine", code: "INTERNAL", message: "the platform made a mistake; its log says which", hint: "nexus logs" } } };
}
