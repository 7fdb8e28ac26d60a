import { type PayoutMade, payoutPostings, type PayoutSettled, type PayoutStep } from "../handshake/index.ts";
import type { LedgerEntry } from "../ledger/index.ts";
import { type Json, MONEY_DECIMALS, money, parseDecimal } from "../../kernel/index.ts";
import { asJson } from "./record.ts";

type Entry = Exclude<LedgerEntry, { readonly type: "erased" }>;

interface Told {
  readonly state: "created" | "executed" | "returned";
  readonly currency: string;
  readonly amount: string;
  readonly createdAt: string;
  readonly doc: PayoutMade;
  readonly index: number;
  readonly executed: Json;
  readonly returned: Json;
}

/** Payouts as the log alone tells them, and what they book. */
export class ToldPayouts {
  private readonly told = new Map<string, Told>();
  private readonly journal: Map<string, Json>;

  constructor(journal: Map<string, Json>) {
    this.journal = journal;
  }

  note({ type, data, index, time }: Entry): void {
    if (type === "payout.created") {
      const doc = (data ?? {}) as unknown as PayoutMade;
      const amount = typeof doc.amount === "string" ? parseDecimal(doc.amount, MONEY_DECIMALS) : undefined;
      this.told.set(doc.id, { state: "created", currency: doc.currency, amount: String(amount ?? "no amount"), createdAt: time, doc, index, executed: null, returned: null });
      this.book(doc, index, time, { from: null, to: "created" });
      return;
    }
    const { id, at, reference, reason } = (data ?? {}) as unknown as PayoutSettled;
    const before = this.told.get(id);
    // What follows from nothing changes no row; `verify revenue` names it.
    if (!before || before.state === "returned" || (before.state === "executed" && type === "payout.executed")) return;
    const to = type === "payout.executed" ? "executed" : "returned";
    this.told.set(id, { ...before, state: to, ...(to === "executed" ? { executed: asJson({ index, reference, at }) } : { returned: asJson({ index, reason, at }) }) });
    this.book(before.doc, index, time, { from: before.state, to });
  }

  rows(): ReadonlyMap<string, Json> {
    return new Map([...this.told.values()].map((row) => [`${row.doc.imvu} ${row.doc.number}`, asJson({ id: row.doc.id, ...row })]));
  }

  private book({ imvu, currency, amount }: PayoutMade, index: number, time: string, step: PayoutStep): void {
    const units = typeof amount === "string" ? parseDecimal(amount, MONEY_DECIMALS) : undefined;
    if (units === undefined) return;
    for (const posting of payoutPostings(step, money(units))) this.journal.set(`${index} ${posting.account}`, { imvu, period: time.slice(0, 7), currency, amount: String(posting.amount) });
  }
}
