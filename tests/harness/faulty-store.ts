import type { Session, Store, Tx } from "../../src/core/store/index.ts";
import { STORE_LOST } from "../../src/core/store/index.ts";
import { Fault } from "../../src/kernel/index.ts";

/** Where, in a transaction of the sequencer's session, the connection breaks; and what became of the transaction. */
export type Instant = "before BEGIN" | "after INSERT" | "before COMMIT" | "COMMIT sent, not persisted" | "COMMIT sent, persisted anyway";

export interface Plan {
  /** How many transactions of the session pass untouched before. */
  readonly after: number;
  readonly instant: Instant;
  /** The whole process dies with the connection: nothing is answered to it any more. */
  readonly dies: boolean;
}

/** A real store whose sessions break where they are told to; everything else of it is the real one. */
export class FaultyStore implements Store {
  private readonly real: Store;
  private plan: (Plan & { seen: number }) | undefined;
  /** True once the planned fault happened. */
  struck = false;
  private dead = false;

  constructor(real: Store) {
    this.real = real;
  }

  strike(plan: Plan): void {
    this.struck = false;
    this.plan = { ...plan, seen: 0 };
  }

  readonly transaction: Store["transaction"] = (fn) => this.alive(() => this.real.transaction(fn));
  readonly snapshot: Store["snapshot"] = (fn) => this.alive(() => this.real.snapshot(fn));
  readonly select: Store["select"] = (statement, params) => this.alive(() => this.real.select(statement, params));
  readonly close: Store["close"] = () => this.real.close();
  readonly describe: Store["describe"] = () => this.real.describe();

  async session(): Promise<Session> {
    return await this.alive(async () => {
      const real = await this.real.session();
      let gone = false;
      const lose = async (dies: boolean): Promise<never> => {
        gone = true;
        this.dead = dies;
        this.struck = true;
        await real.close();
        return await this.alive(() => Promise.reject(lost()));
      };
      const transaction = async <T>(fn: (tx: Tx) => Promise<T>): Promise<T> => {
        const plan = this.plan;
        if (!plan || plan.seen++ < plan.after) return await real.transaction(fn);
        this.plan = undefined;
        if (plan.instant === "COMMIT sent, persisted anyway") await real.transaction(fn);
        else if (plan.instant !== "before BEGIN") await real.transaction(broken(fn, plan.instant)).catch(() => {});
        return await lose(plan.dies);
      };
      return {
        tryLock: (key) => real.tryLock(key),
        lost: () => gone || real.lost(),
        close: () => (gone ? Promise.resolve() : real.close()),
        transaction,
        // Sent in one piece it is a transaction too, with the same instants.
        atOnce: async (statements) => {
          if (!this.plan) return await real.atOnce(statements);
          await transaction(async (tx) => {
            for (const { statement, params } of statements) await tx.named(statement, params);
          });
        },
      };
    });
  }

  /** What a dead process asks is never answered, and nobody waits for it. */
  private alive<T>(work: () => Promise<T>): Promise<T> {
    return this.dead ? new Promise<T>(() => {}) : work();
  }
}

function lost(): Fault {
  return new Fault(STORE_LOST, "the connection to the database was lost: by this test", { retry: true });
}

/** Does its work, or up to the rows, and is rolled back. */
function broken<T>(fn: (tx: Tx) => Promise<T>, instant: Instant): (tx: Tx) => Promise<T> {
  return async (tx) => {
    if (instant === "after INSERT") {
      await fn({
        query: (sql, params) => tx.query(sql, params),
        run: (sql, params) => tx.run(sql, params),
        named: (statement, params) => tx.named(statement, params),
        savepoint: (inner) => tx.savepoint(inner),
        copy: (into) => {
          const copy = tx.copy(into);
          return {
            write: (rows) => copy.write(rows),
            end: async () => {
              await copy.end();
              throw lost();
            },
          };
        },
      });
    } else await fn(tx);
    throw lost();
  };
}
