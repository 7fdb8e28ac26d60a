import type { Json, Outcome } from "../../kernel/index.ts";
import type { StepEvent } from "./saga.ts";

/** A command at work, by its digest: anyone may follow the steps; the answer stays for those who come late. */
export interface Operation {
  readonly digest: string;
  readonly events: readonly StepEvent[];
  readonly answer: Promise<Outcome<Json>>;
  /** Calls back for every event so far and to come; returns how to stop listening. */
  follow(listener: (event: StepEvent) => void): () => void;
}

const OPERATIONS_KEPT_MAX = 1_000;
const EVENTS_PER_OPERATION_MAX = 10_000;

export class Operations {
  private readonly known = new Map<string, Operation>();
  private readonly settled = new Set<string>();

  get(digest: string): Operation | undefined {
    return this.known.get(digest);
  }

  /** Starts `work` under `digest`; a second start with the same digest answers the first operation. */
  begin(digest: string, work: (report: (event: StepEvent) => void) => Promise<Outcome<Json>>): Operation {
    const running = this.known.get(digest);
    if (running) return running;
    const events: StepEvent[] = [];
    const listeners = new Set<(event: StepEvent) => void>();
    const answer = work((event) => {
      if (events.length < EVENTS_PER_OPERATION_MAX) events.push(event);
      for (const listener of listeners) listener(event);
    });
    const operation: Operation = {
      digest,
      events,
      answer,
      follow: (listener) => {
        for (const event of events) listener(event);
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    };
    this.known.set(digest, operation);
    answer.then(() => this.settled.add(digest), () => {});
    // A fault must not stay as the answer for ever: the same command may be sent again.
    answer.catch(() => this.known.delete(digest));
    if (this.known.size > OPERATIONS_KEPT_MAX) {
      const oldest = this.known.keys().next().value;
      if (oldest !== undefined) this.drop(oldest);
    }
    return operation;
  }

  /** Lets go of every answer that was given: the tables know what may still be told. */
  forget(): void {
    for (const digest of [...this.settled]) this.drop(digest);
  }

  private drop(digest: string): void {
    this.known.delete(digest);
    this.settled.delete(digest);
  }
}
