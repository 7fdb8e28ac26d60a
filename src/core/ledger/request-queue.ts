import type { NewEntry } from "../../contract/index.ts";
import { Fault } from "../../kernel/index.ts";
import type { Bound, Tx } from "../store/index.ts";
import type { Appended } from "./entry.ts";

/**
 * Runs in the transaction that stores the entries, when their places are known; the rows themselves are written after it. It must
 * not append or wait for anyone who does. When it throws, these entries do not exist.
 */
export type Also = (tx: Tx, appended: readonly Appended[]) => Promise<void>;

/** What goes into that transaction beside the entries and needs no answer: statements, when places are known. Before `also`, where there is both. */
export type Beside = (appended: readonly Appended[]) => readonly Bound[];

export interface Request {
  readonly entries: readonly NewEntry[];
  readonly beside: Beside | undefined;
  readonly also: Also | undefined;
  readonly resolve: (appended: readonly Appended[]) => void;
  readonly reject: (error: unknown) => void;
}

export const REQUEST_ENTRIES_MAX = 1_024;
export const QUEUE_ENTRIES_MAX = 65_536;
const BATCH_ENTRIES_MAX = 4_096;

/** What waits for the sequencer, first come first served, and not without bound. */
export class RequestQueue {
  private readonly requests: Request[] = [];
  private entries = 0;

  get empty(): boolean {
    return this.requests.length === 0;
  }

  /** Entries that wait. */
  get size(): number {
    return this.entries;
  }

  push(entries: readonly NewEntry[], also: Also | undefined, beside: Beside | undefined): Promise<readonly Appended[]> {
    if (entries.length < 1 || entries.length > REQUEST_ENTRIES_MAX)
      return Promise.reject(new Fault("LEDGER_REQUEST", `${entries.length} entries in one request; 1 to ${REQUEST_ENTRIES_MAX} are possible`));
    if (this.entries + entries.length > QUEUE_ENTRIES_MAX)
      return Promise.reject(new Fault("LEDGER_BUSY", `${this.entries} entries wait already`, { retry: true, hint: "try again in a moment" }));
    return new Promise((resolve, reject) => {
      this.requests.push({ entries, beside, also, resolve, reject });
      this.entries += entries.length;
    });
  }

  /** The next batch: whole requests, as many as fit, at least one when any waits. */
  take(): readonly Request[] {
    let entries = 0;
    let count = 0;
    for (const request of this.requests) {
      if (count > 0 && entries + request.entries.length > BATCH_ENTRIES_MAX) break;
      entries += request.entries.length;
      count += 1;
    }
    this.entries -= entries;
    return this.requests.splice(0, count);
  }
}
