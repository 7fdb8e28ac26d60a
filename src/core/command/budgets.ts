import type { Params } from "../../contract/index.ts";
import type { Currency, ImvuId, Json } from "../../kernel/index.ts";
import type { ReadTx, Tx } from "../store/index.ts";

/** A budget that holds. */
export interface Budget {
  /** Of the command that set it. */
  readonly index: number;
  readonly imvu: ImvuId;
  readonly amount: string;
  readonly currency: Currency;
  readonly thresholds: readonly number[];
}

/** Data of a `budget.reached` entry: what the platform says, once for each month and threshold of a budget. */
export interface BudgetReached {
  readonly v: 1;
  readonly imvu: ImvuId;
  readonly period: string;
  /** usage: so much was used. forecast: if usage goes on as it did, so much will be. */
  readonly what: "usage" | "forecast";
  readonly percent: number;
  /** Ledger index of the command that set it. */
  readonly budget: number;
  readonly amount: string;
  readonly currency: Currency;
  /** Of the month, by then or at its end. 21 decimals. */
  readonly usage: string;
}

interface Row extends Record<string, unknown> {
  readonly imvu: ImvuId;
  readonly amount: string;
  readonly currency: Currency;
  readonly thresholds: readonly number[];
  readonly entry_index: string;
}

/** In the transaction of its entry. */
export async function putBudget(tx: Tx, imvu: ImvuId, { amount, currency, thresholds }: Params<"imvu.budget.set">, index: number): Promise<void> {
  await tx.run("DELETE FROM budget WHERE imvu = $1", [imvu]);
  if (amount !== null) await tx.run("INSERT INTO budget (imvu, amount, currency, thresholds, entry_index) VALUES ($1, $2, $3, $4, $5)", [imvu, amount, currency, thresholds, index]);
}

/** Of one unit, or of all. */
export async function budgetsOf(tx: ReadTx, imvu?: ImvuId): Promise<readonly Budget[]> {
  const rows = await tx.query<Row>("SELECT imvu, amount::text AS amount, currency, thresholds, entry_index FROM budget WHERE $1::text IS NULL OR imvu = $1 ORDER BY imvu", [imvu ?? null]);
  return rows.map(({ entry_index, ...row }) => ({ ...row, index: Number(entry_index) }));
}

/** In the transaction of its entry; a second one of the same budget, month and threshold stops it. */
export async function putReached(tx: Tx, reached: BudgetReached, index: number): Promise<void> {
  const { imvu, period, what, percent, budget } = reached;
  await tx.run("INSERT INTO budget_reached (budget, period, what, percent, imvu, doc, entry_index) VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7)", [budget, period, what, percent, imvu, JSON.stringify(reached), index]);
}

/** Newest last. */
export async function reachedOf(tx: ReadTx, imvu: ImvuId, after = -1): Promise<readonly (BudgetReached & { readonly index: number })[]> {
  const rows = await tx.query<{ doc: BudgetReached; entry_index: string }>("SELECT doc, entry_index FROM budget_reached WHERE imvu = $1 AND entry_index > $2 ORDER BY entry_index", [imvu, after]);
  return rows.map(({ doc, entry_index }) => ({ ...doc, index: Number(entry_index) }));
}

/** As the log tells them: the last one set of each unit, where that is an amount. */
export function tellBudget(told: Map<string, Json>, imvu: ImvuId, { amount, currency, thresholds }: Params<"imvu.budget.set">, index: number): void {
  if (amount === null) told.delete(imvu);
  else told.set(imvu, { amount, currency, thresholds, index });
}

export async function heldBudgets(tx: ReadTx): Promise<{ readonly budgets: ReadonlyMap<string, Json>; readonly reached: ReadonlyMap<string, Json> }> {
  const budgets = await budgetsOf(tx);
  const reached = await tx.query<{ budget: string; period: string; what: string; percent: number; imvu: string; doc: Json; entry_index: string }>("SELECT budget, period, what, percent, imvu, doc, entry_index FROM budget_reached");
  return {
    budgets: new Map(budgets.map(({ imvu, amount, currency, thresholds, index }) => [imvu, { amount, currency, thresholds, index }])),
    reached: new Map(reached.map(({ budget, period, what, percent, imvu, doc, entry_index }) => [reachedKey({ budget, period, what, percent }), { imvu, doc, index: Number(entry_index) }])),
  };
}

export function reachedKey({ budget, period, what, percent }: { readonly budget: number | string; readonly period: string; readonly what: string; readonly percent: number }): string {
  return `${budget} ${period} ${what} ${percent}`;
}
