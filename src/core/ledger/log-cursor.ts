import type { ReadTx } from "../store/index.ts";
import { HASH_BYTES } from "./tree.ts";

/** Reading stored rows in the order of the log, for whoever recomputes it: one page in memory, and no gap passed over in silence. */

export const PAGE_ROWS = 256;

/** Rows of a table in the order of the log, one page in memory. */
export async function* paged<T>(page: (after: T | undefined) => Promise<readonly T[]>): AsyncGenerator<T, undefined> {
  for (let last: T | undefined; ; ) {
    const rows = await page(last);
    yield* rows;
    last = rows.at(-1);
    if (last === undefined) return undefined;
  }
}

export interface Committed {
  readonly index: number;
  readonly hash: Buffer;
}

export async function* committedHashes(tx: ReadTx, level: number): AsyncGenerator<Committed, undefined> {
  const runs = paged<{ first: number; hashes: Buffer }>((after) =>
    tx.query("SELECT first, hashes FROM ledger_node WHERE level = $1 AND first > $2 ORDER BY first LIMIT $3", [level, after?.first ?? -1, PAGE_ROWS]),
  );
  for await (const { first, hashes } of runs) {
    for (let at = 0; at < hashes.length; at += HASH_BYTES) yield { index: first + at / HASH_BYTES, hash: hashes.subarray(at, at + HASH_BYTES) };
  }
}

/** A cursor that waits at an index: gives the row when it is there, and skips none without telling. */
export class Cursor<T> {
  private readonly rows: AsyncGenerator<T, undefined>;
  private readonly indexOf: (row: T) => number;
  private held: T | undefined;
  private over = false;

  constructor(rows: AsyncGenerator<T, undefined>, indexOf: (row: T) => number) {
    this.rows = rows;
    this.indexOf = indexOf;
  }

  async peek(): Promise<T | undefined> {
    if (this.held !== undefined || this.over) return this.held;
    const next = await this.rows.next();
    this.over = next.done === true;
    this.held = next.done ? undefined : next.value;
    return this.held;
  }

  /** The row at exactly `index`, when it is the next one. Rows that stand before it are doubled and dropped. */
  async at(index: number): Promise<T | undefined> {
    for (let row = await this.peek(); row !== undefined && this.indexOf(row) <= index; row = await this.peek()) {
      this.held = undefined;
      if (this.indexOf(row) === index) return row;
    }
    return undefined;
  }

  take(): void {
    this.held = undefined;
  }
}
