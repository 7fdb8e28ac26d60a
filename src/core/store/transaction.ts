import type { ClientBase } from "pg";
import { Fault, messageOf } from "../../kernel/index.ts";
import { type CopyIn, OpenCopy } from "./copy-stream.ts";

/** Code of the Fault of a transaction whose connection broke. Retry is true; after a COMMIT the outcome is unknown. */
export const STORE_LOST = "STORE_LOST";

/** One row as the driver gives it: bigint → number (safe or a Fault), numeric → string, timestamptz → RFC 3339, bytea → Buffer, jsonb → value. */
export type Row = object;

/** What a reader gets: a gate's facts, a view, a replay. It has no way to write. */
export interface ReadTx {
  query<R extends Row = Record<string, unknown>>(sql: string, params?: readonly unknown[]): Promise<readonly R[]>;
}

export interface Tx extends ReadTx {
  /** Runs a statement and returns how many rows it changed. jsonb parameters are passed as JSON text. */
  run(sql: string, params?: readonly unknown[]): Promise<number>;
  /** The same for a statement that never changes: planned once for each connection. */
  named(statement: NamedStatement, params: readonly unknown[]): Promise<number>;
  /** Begins to add rows to `into` – a table with its columns, never outside text – by binary COPY. Nothing else may be asked until it ended. */
  copy(into: string): CopyIn;
  /** Everything `fn` did is undone when it throws, and nothing else of the transaction; the error is thrown on. */
  savepoint<T>(fn: () => Promise<T>): Promise<T>;
}

/** A statement under a name that no other has; 63 characters at most. */
export interface NamedStatement {
  readonly name: string;
  readonly text: string;
}

/** A transaction's handle on its connection; worthless once the transaction ended, so that no late query lands in another one. */
class OpenTx implements Tx {
  private readonly client: ClientBase;
  private open = true;
  private depth = 0;
  private copying: OpenCopy | undefined;

  constructor(client: ClientBase) {
    this.client = client;
  }

  end(): void {
    this.open = false;
    // What ends the transaction would wait behind it for ever.
    this.copying?.cut();
  }

  private usable(): ClientBase {
    if (!this.open) throw new Fault("STORE_TX_ENDED", "this transaction has ended");
    if (this.copying?.over === false) throw new Fault("STORE_TX_COPYING", "this transaction is in the middle of a COPY");
    return this.client;
  }

  async query<R extends Row>(sql: string, params: readonly unknown[] = []): Promise<readonly R[]> {
    return (await this.usable().query<R>(sql, [...params])).rows;
  }

  async run(sql: string, params: readonly unknown[] = []): Promise<number> {
    return (await this.usable().query(sql, [...params])).rowCount ?? 0;
  }

  async named({ name, text }: NamedStatement, params: readonly unknown[]): Promise<number> {
    return (await this.usable().query({ name, text, values: [...params] })).rowCount ?? 0;
  }

  copy(into: string): CopyIn {
    this.copying = new OpenCopy(this.usable(), into);
    return this.copying;
  }

  async savepoint<T>(fn: () => Promise<T>): Promise<T> {
    const client = this.usable();
    const name = `s${this.depth}`;
    await client.query(`SAVEPOINT ${name}`).catch(lostOrError);
    this.depth += 1;
    try {
      const value = await fn();
      await client.query(`RELEASE SAVEPOINT ${name}`);
      return value;
    } catch (error) {
      // A connection that cannot even roll back is gone, and the whole transaction with it.
      await client.query(`ROLLBACK TO SAVEPOINT ${name}; RELEASE SAVEPOINT ${name}`).catch(() => {
        throw lost(error);
      });
      throw error;
    } finally {
      this.depth -= 1;
    }
  }
}

/** Also when COMMIT was sent and nothing came back: whoever must know whether it happened has to look. */
function lost(cause: unknown): Fault {
  return cause instanceof Fault && cause.code === STORE_LOST
    ? cause
    : new Fault(STORE_LOST, `the connection to the database was lost: ${messageOf(cause)}`, { cause, retry: true });
}

/** Tells a broken connection from a statement that PostgreSQL refused: no SQLSTATE (each has a digit, EPIPE has none) is the driver's own complaint, 57P a server that goes away, 08 the connection. */
export function lostOrError(error: unknown): never {
  const code = (error as { code?: unknown } | undefined)?.code;
  const refused = typeof code === "string" && /^(?=.*\d)[0-9A-Z]{5}$/.test(code) && !code.startsWith("57P") && !code.startsWith("08");
  throw refused ? error : lost(error);
}

/** BEGIN … COMMIT, or ROLLBACK when `fn` throws. A COMMIT that PostgreSQL turned into a ROLLBACK is a Fault, never a success. */
export async function inTransaction<T>(client: ClientBase, begin: string, fn: (tx: Tx) => Promise<T>): Promise<T> {
  const tx = new OpenTx(client);
  await client.query(begin).catch(lostOrError);
  let value: T;
  try {
    value = await fn(tx);
  } catch (error) {
    tx.end();
    await client.query("ROLLBACK").catch(() => {
      throw lost(error);
    });
    throw error;
  }
  tx.end();
  const ended = await client.query("COMMIT").catch(lostOrError);
  if (ended.command !== "COMMIT") throw new Fault("STORE_ROLLED_BACK", "the transaction was rolled back: a statement in it had failed");
  return value;
}
