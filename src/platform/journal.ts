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
  /** One for each currency, by its code: what is of two currencies is never added. */
  readonly currencies: readonly CurrencyBalance[];
}

export interface CurrencyBalance {
  readonly currency: string;
  readonly lines: number;
  /** Sum of its lines: 0, or something is wrong. */
  readonly balance: string;
  /** What its closed months come to, and who gets it. */
  readonly gross: string;
  readonly creator: string;
  readonly platform: string;
}

/** Of all units. An entry that books two currencies is none that balances. */
export async function trialBalance(tx: ReadTx): Promise<TrialBalance> {
  const [row] = await tx.query<{ unbalanced: number }>("SELECT count(*) AS unbalanced FROM (SELECT FROM journal GROUP BY entry_index HAVING sum(amount) <> 0 OR count(DISTINCT currency) > 1) AS entry");
  const rows = await tx.query<{ currency: string; lines: number; balance: string; gross: string; creator: string; platform: string }>(
    `SELECT currency, count(*) AS lines, sum(amount)::text AS balance, coalesce(sum(amount) FILTER (WHERE account IN ('usage', 'sales', 'refunds')), 0)::text AS gross,
         coalesce(-sum(amount) FILTER (WHERE account IN ('creator', 'transit', 'paid', 'rounding')), 0)::text AS creator, coalesce(-sum(amount) FILTER (WHERE account = 'platform'), 0)::text AS platform
       FROM journal GROUP BY currency ORDER BY currency`,
  );
  const text = (count: string) => decimalText(BigInt(count), MONEY_DECIMALS);
  const currencies = rows.map(({ currency, lines, balance, gross, creator, platform }) => ({ currency, lines, balance: text(balance), gross: text(gross), creator: text(creator), platform: text(platform) }));
  return { lines: currencies.reduce((all, { lines }) => all + lines, 0), unbalanced: row?.unbalanced ?? 0, currencies };
}
