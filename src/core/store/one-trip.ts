import type { Connection } from "pg";
import type { NamedStatement } from "./transaction.ts";

/** What a parameter may be: arrays and bytes in binary, everything else as text. */
export type Param = string | number | null | Buffer;

/** A statement with its parameters, whose answer nobody needs. */
export interface Bound {
  readonly statement: NamedStatement;
  readonly params: readonly Param[];
}

/**
 * Statements that are sent in one piece and answered in one piece: Parse where it is new, Bind and Execute of each, one Sync. Up to a Sync
 * PostgreSQL has them in one transaction (manual, 55.2.4 "Pipelining"): all of them are durable when it answers, or none is there. The
 * driver runs anything with these methods; what it asks for itself waits for every answer before the next statement.
 */
export class OneTrip {
  readonly done: Promise<void>;
  private readonly statements: readonly Bound[];
  private readonly prepared: Set<string>;
  private resolve: () => void = () => {};
  private reject: (error: Error) => void = () => {};
  private unlisten: () => void = () => {};

  /** @param prepared statements that this connection knows; those that it comes to know are added */
  constructor(statements: readonly Bound[], prepared: Set<string>) {
    this.statements = statements;
    this.prepared = prepared;
    this.done = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  submit(connection: Connection): void {
    const fresh = [...new Map(this.statements.filter(({ statement }) => !this.prepared.has(statement.name)).map(({ statement }) => [statement.name, statement.text])).entries()];
    const coming = fresh.map(([name]) => name);
    // They answer in order; one that an error made PostgreSQL pass over is not prepared.
    const parsed = () => this.prepared.add(coming.shift() as string);
    connection.on("parseComplete", parsed);
    this.unlisten = () => connection.off("parseComplete", parsed);
    connection.stream.cork();
    try {
      for (const [name, text] of fresh) connection.parse({ name: serverName(name), text, types: [] }, true);
      for (const { statement, params } of this.statements) {
        connection.bind({ statement: serverName(statement.name), values: params.map((param) => (typeof param === "number" ? String(param) : param)) }, true);
        connection.execute(null, true);
      }
      connection.sync();
    } finally {
      connection.stream.uncork();
    }
  }

  handleError(error: Error): void {
    this.unlisten();
    this.reject(error);
  }

  handleReadyForQuery(): void {
    this.unlisten();
    this.resolve();
  }

  handleRowDescription(): void {}
  handleDataRow(): void {}
  handleCommandComplete(): void {}
  handleEmptyQuery(): void {}
  handlePortalSuspended(): void {}
}

/** Apart from the names under which the driver prepares: it keeps its own account of them. */
function serverName(name: string): string {
  return `${name} *`;
}
