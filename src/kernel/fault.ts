/**
 * A fault is what should not happen: an engine that answers nonsense, a disk that is full, a bug.
 * A refusal (see refusal.ts) is a value, never a Fault.
 */
export class Fault extends Error {
  readonly code: string;
  readonly hint: string;
  readonly retry: boolean;

  constructor(code: string, message: string, options: { cause?: unknown; hint?: string; retry?: boolean } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "Fault";
    this.code = code;
    this.hint = options.hint ?? "run 'nexus doctor'";
    this.retry = options.retry ?? false;
  }
}

/** The message of anything thrown, for a log or another fault's text; never for control flow. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
