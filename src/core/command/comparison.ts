import { canonicalJson, type Json } from "../../kernel/index.ts";

export interface ReplayFailure {
  readonly table: "ledger_erasure" | "statement" | "correction" | "invoice" | "billing" | "journal" | "budget" | "budget_reached" | "drift" | "tariff" | "sale" | "payout" | "imvu" | "identity" | "identity_key" | "operator" | "command_seen" | "reading" | "consent";
  readonly key: string;
  readonly what: string;
}

export interface ReplayCheck {
  readonly ok: boolean;
  /** Rows that were compared. */
  readonly projections: number;
  readonly failures: readonly ReplayFailure[];
}

const FAILURES_MAX = 1_000;
/** Rows that are told against rows that are held; what differs is named by table and key. */
export class Comparison {
  private compared = 0;
  private readonly failures: ReplayFailure[] = [];

  tables(table: ReplayFailure["table"], told: ReadonlyMap<string, Json>, held: ReadonlyMap<string, Json>): void {
    for (const [key, expected] of told) {
      this.compared += 1;
      const found = held.get(key);
      if (found === undefined) this.fail({ table, key, what: "the log tells of it, the table does not" });
      else if (canonicalJson(found) !== canonicalJson(expected)) this.fail({ table, key, what: `differs from the log: ${differing(expected, found).join(", ")}` });
    }
    for (const key of held.keys()) if (!told.has(key)) this.fail({ table, key, what: "the log tells of no such row" });
  }

  fail(failure: ReplayFailure): void {
    if (this.failures.length < FAILURES_MAX) this.failures.push(failure);
  }

  result(): ReplayCheck {
    return { ok: this.failures.length === 0, projections: this.compared, failures: this.failures };
  }
}

/** Names of the members that differ. */
function differing(expected: Json, found: Json): readonly string[] {
  const members = (value: Json) => (value !== null && typeof value === "object" && !Array.isArray(value) ? (value as Readonly<Record<string, Json>>) : {});
  const [a, b] = [members(expected), members(found)];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((key) => a[key] === undefined || b[key] === undefined || canonicalJson(a[key]) !== canonicalJson(b[key])).sort();
}
