import { Fault, messageOf, type Refusal } from "../kernel/index.ts";

/** The one place where refusals and faults become exit codes. */
export const EXIT = { done: 0, notSo: 1, usage: 2, gate: 3, notFound: 4, unreachable: 5, engine: 6 } as const;

export interface ErrorDocument {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly kind?: string;
  readonly [figure: string]: unknown;
}

/** What a verb throws to end with an error document and the code that belongs to it. */
export class Failure extends Error {
  readonly document: ErrorDocument;
  readonly exitCode: number;

  constructor(document: ErrorDocument, exitCode: number) {
    super(document.message);
    this.document = document;
    this.exitCode = exitCode;
  }
}

const EXIT_OF_KIND: Record<string, number> = {
  usage: EXIT.usage,
  conflict: EXIT.usage,
  unauthenticated: EXIT.gate,
  gate: EXIT.gate,
  "not-found": EXIT.notFound,
  engine: EXIT.engine,
  busy: EXIT.unreachable,
};

export function usageFailure(message: string, hint: string, code = "USAGE"): Failure {
  return new Failure({ code, message, hint, kind: "usage" }, EXIT.usage);
}

export function failureOfRefusal(refusal: Refusal): Failure {
  const { ok: _, ...document } = refusal;
  return new Failure(document as ErrorDocument, EXIT_OF_KIND[refusal.kind] ?? EXIT.engine);
}

/** An error document that the API answered. */
export function failureOfAnswer(status: number, body: unknown): Failure {
  const { error } = (body ?? {}) as { error?: ErrorDocument };
  if (!error) return new Failure({ code: "BAD_ANSWER", message: `the platform answered ${status} without an error document`, hint: "nexus doctor" }, EXIT.engine);
  return new Failure(error, EXIT_OF_KIND[error.kind ?? ""] ?? EXIT.engine);
}

/** Faults that say the platform is not there rather than that an engine failed. */
const UNREACHABLE = new Set(["NOT_RUNNING", "UNREACHABLE", "LOG_UNREACHABLE", "LOG_REDIRECTS", "NO_CHECKPOINT", "NO_LOG_KEY"]);
const USAGE = new Set(["HOME_IN_USE", "NO_HOME", "HOME_CLOSED", "HOME_PATH_LONG", "HOME_PATH_CHARACTERS", "BAD_CONFIGURATION", "NOT_ROOT", "BUNDLE_MISSING", "LIVE_ONLY", "BAD_LOG_ADDRESS", "BAD_KEPT", "BAD_WITNESSES", "BAD_VERIFIER_KEY", "NO_BACKUP", "NOT_EMPTY", "NO_WAL_ARCHIVE", "BAD_TIME", "BAD_PATH"]);

export function failureOfThrown(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  if (thrown instanceof Fault) {
    const { code, message, hint } = thrown;
    return new Failure({ code, message, hint }, UNREACHABLE.has(code) ? EXIT.unreachable : USAGE.has(code) ? EXIT.usage : EXIT.engine);
  }
  return new Failure({ code: "INTERNAL", message: messageOf(thrown), hint: "this is a mistake in nexus itself; its stack is above" }, EXIT.engine);
}
