import { finished } from "node:stream/promises";
import type { ClientBase } from "pg";
import { from as copyFrom } from "pg-copy-streams";
import { copyBytes, type CopyField } from "./copy-format.ts";

/** What may wait for PostgreSQL in memory before a writer is made to wait too. */
const BUFFERED_BYTES_MAX = 1024 ** 2;

/** Rows on their way into a table while PostgreSQL already works on the first of them. */
export interface CopyIn {
  /** Resolves when there is room for more; rejects with what PostgreSQL has against the rows so far. */
  write(rows: readonly (readonly CopyField[])[]): Promise<void>;
  /** Resolves when all rows are in. */
  end(): Promise<void>;
}

/** The one that may run on a connection at a time; until it ended or was cut off, every other statement waits behind it. */
export class OpenCopy implements CopyIn {
  private readonly stream: ReturnType<typeof copyFrom>;
  private readonly done: Promise<void>;
  private first = true;
  /** Ended or failed: nothing is left of it on the connection. */
  over = false;

  constructor(client: ClientBase, into: string) {
    this.stream = client.query(copyFrom(`COPY ${into} FROM STDIN (FORMAT binary)`, { highWaterMark: BUFFERED_BYTES_MAX }));
    this.done = finished(this.stream).finally(() => {
      this.over = true;
    });
    // Also heard when nobody waits yet; whoever writes or ends is told then.
    this.done.catch(() => {});
  }

  async write(rows: readonly (readonly CopyField[])[]): Promise<void> {
    if (this.over) return await this.done;
    const room = this.stream.write(copyBytes(rows, { header: this.first, trailer: false }));
    this.first = false;
    if (!room) await Promise.race([this.done, new Promise((resolve) => this.stream.once("drain", resolve))]);
  }

  async end(): Promise<void> {
    if (!this.over) this.stream.end(copyBytes([], { header: this.first, trailer: true }));
    await this.done;
  }

  /** For a transaction that will not be committed: PostgreSQL is told to forget the rows. */
  cut(): void {
    if (!this.over) this.stream.destroy(new Error("the rest will not come"));
  }
}
