import { setImmediate as turn } from "node:timers/promises";
import type { CopyIn, Tx } from "../store/index.ts";
import type { Appended } from "./entry.ts";
import { copyEntries, entryFields } from "./log-rows.ts";

/** Rows that are sent together: while PostgreSQL checks and indexes them, the next ones get their places. */
const CHUNK_ENTRIES = 128;

/** Writes a batch's rows in the order of the log while the batch is still being made. */
export class EntryWriter {
  private readonly tx: Tx;
  private waiting: Appended[] = [];
  private copy: CopyIn | undefined;

  constructor(tx: Tx) {
    this.tx = tx;
  }

  async add(entries: readonly Appended[]): Promise<void> {
    this.waiting.push(...entries);
    if (this.waiting.length < CHUNK_ENTRIES) return;
    await this.send();
    // The socket is written to between two turns of the event loop.
    await turn();
  }

  /** Afterwards the transaction is free for other statements; few rows that still wait go on waiting. */
  async pause(): Promise<void> {
    await this.copy?.end();
    this.copy = undefined;
  }

  /** Sends what waits and tells PostgreSQL that it was the last; resolves when all of it is in. */
  async finish(): Promise<void> {
    if (this.waiting.length > 0) await this.send();
    await this.pause();
  }

  private async send(): Promise<void> {
    this.copy ??= copyEntries(this.tx);
    const rows = this.waiting.map(entryFields);
    this.waiting = [];
    await this.copy.write(rows);
  }
}
