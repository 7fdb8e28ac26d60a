import type { JournalAccount } from "../core/handshake/index.ts";
import type { ReadTx } from "../core/store/index.ts";
import { decimalText, type ImvuId, MONEY_DECIMALS } from "../kernel/index.ts";

/** One line of the journal. Money has 21 decimals; a debit has no sign, a credit a minus. */
export interface JournalLine {
  /** Ledger index of the statement, correction or payout that books it. */
  readonly index: number;
  readonly period: string;
  readonly account: JournalAccount;
  readonly currency: string;
  readonly amount: string;
}

export interface Journal {
  readonly lines: readonly JournalLine[];
  /** Sum of all of them: 0, or something is wrong. */
  readonly balance: string;
}

/** A unit's journal, oldest first. */
export async function journalOf(tx: ReadTx, imvu: ImvuId, month?: string): Promise<Journal> {
  const rows = await tx.query<{ entry_index: string; period: string; account: JournalAccount; currency: string; amount: string }>(
    `SELECT entry_index, period, account, currency, amount::text AS amount FROM journal WHERE imvu = $1 AND ($2::text IS NULL OR period = $2)
       ORDER BY entry_index, array_position(ARRAY['usage', 'sales', 'refunds', 'creator', 'platform', 'rounding', 'transit', 'paid'], account)`,
    [imvu, month ?? null],
  );
  const lines = rows.map(({ entry_index, amount, ...row }) => ({ index: Number(entry_index), ...row, amount: decimalText(BigInt(amount), MONEY_DECIMALS) }));
  return { lines, balance: decimalText(rows.reduce((sum, { amount }) => sum + BigInt(amount), 0n), MONEY_DECIMALS) };
}

export interface TrialBalance {
  readonly lines: number;
  /** Entries whose debits and credits differ. */
  readonly unbalanced: number;
  readonly balance: string;
}

/** Of all units. */
export async function trialBalance(tx: ReadTx): Promise<TrialBalance> {
  const [row] = await tx.query<{ lines: string; balance: string; unbalanced: string }>(
    "SELECT coalesce(sum(lines), 0)::text AS lines, coalesce(sum(balance), 0)::text AS balance, count(*) FILTER (WHERE balance <> 0)::text AS unbalanced FROM (SELECT count(*) AS lines, sum(amount) AS balance FROM journal GROUP BY entry_index) AS entry",
  );
  return { lines: Number(row?.lines ?? 0), unbalanced: Number(row?.unbalanced ?? 0), balance: decimalText(BigInt(row?.balance ?? "0"), MONEY_DECIMALS) };
}
