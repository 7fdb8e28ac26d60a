import type { ClientBase } from "pg";
import { Fault } from "../../kernel/index.ts";

/** One row as the driver gives it: bigint → number (safe or a Fault), numeric → string, timestamptz → RFC 3339, bytea → Buffer, jsonb → value. */
export type Row = object;

/** What a reader gets: a gate's facts, a view, a replay. It has no way to write. */
export interface ReadTx {
  query<R extends Row = Record<string, unknown>>(sql: string, params?: readonly unknown[]): Promise<readonly R[]>;
}

export interface Tx extends ReadTx {
  /** Runs a statement and returns how many rows it changed. jsonb parameters are passed as JSON text. */
  run(sql: string, params?: readonly unknown[]): Promise<number>;
  /** Everything `fn` did is undone when it throws, and nothing else of the transaction; the error is thrown on. */
  savepoint<T>(fn: () => Promise<T>): Promise<T>;
}

/** A transaction's handle on its connection; worthless once the transaction ended, so that no late query lands in another one. */
class OpenTx implements Tx {
  private readonly client: ClientBase;
  private open = true;
  private depth = 0;

  constructor(client: ClientBase) {
    this.client = client;
  }

  end(): void {
    this.open = false;
  }

  private usable(): ClientBase {
    if (!this.open) throw new Fault("STORE_TX_ENDED", "this transaction has ended");
    return this.client;
  }

  async query<R extends Row>(sql: string, params: readonly unknown[] = []): Promise<readonly R[]> {
    return (await this.usable().query<R>(sql, [...params])).rows;
  }

  async run(sql: string, params: readonly unknown[] = []): Promise<number> {
    return (await this.usable().query(sql, [...params])).rowCount ?? 0;
  }

  async savepoint<T>(fn: () => Promise<T>): Promise<T> {
    const client = this.usable();
    const name = `s${this.depth}`;
    await client.query(`SAVEPOINT ${name}`);
    this.depth += 1;
    try {
      const value = await fn();
      await client.query(`RELEASE SAVEPOINT ${name}`);
      return value;
    } catch (error) {
      await client.query(`ROLLBACK TO SAVEPOINT ${name}; RELEASE SAVEPOINT ${name}`);
      throw error;
    } finally {
      this.depth -= 1;
    }
  }
}

/** BEGIN … COMMIT, or ROLLBACK when `fn` throws. A COMMIT that PostgreSQL turned into a ROLLBACK is a Fault, never a success. */
export async function inTransaction<T>(client: ClientBase, begin: string, fn: (tx: Tx) => Promise<T>): Promise<T> {
  const tx = new OpenTx(client);
  await client.query(begin);
  let value: T;
  try {
    value = await fn(tx);
  } catch (error) {
    tx.end();
    // A lost connection rolls back by itself; the reason that matters is the first one.
    await client.query("ROLLBACK").catch(() => {});
    throw error;
  }
  tx.end();
  const ended = await client.query("COMMIT");
  if (ended.command !== "COMMIT") throw new Fault("STORE_ROLLED_BACK", "the transaction was rolled back: a statement in it had failed");
  return value;
}
