import { type Money, money } from "../../kernel/index.ts";
import type { Correction } from "./account.ts";
import { exactMoney } from "./exact.ts";
import { payable } from "./payout.ts";
import { NO_REVENUE } from "./revenue.ts";
import type { Statement } from "./statement.ts";

/**
 * Accounts of the journal. Debited: usage and sales, which make a month's gross, and rounding, what the platform adds to a payout.
 * Credited: refunds, creator (what is paid to her) and platform (its share).
 */
export const ACCOUNTS = ["usage", "sales", "refunds", "creator", "platform", "rounding"] as const;
type StatementAccount = (typeof ACCOUNTS)[number];
/** A payout moves what is owed from `creator` to `transit` when it is created, and on to `paid` when it is executed. */
export const PAYOUT_ACCOUNTS = ["transit", "paid"] as const;
export type JournalAccount = StatementAccount | (typeof PAYOUT_ACCOUNTS)[number];

export interface Posting {
  readonly account: JournalAccount;
  /** Debit: more than 0. Credit: less. */
  readonly amount: Money;
}

/** Double entry of a closed statement or a correction: in the order of ACCOUNTS, none of nothing. Their sum is 0 where gross = creator + platform. */
export function postingsOf(made: Statement | Correction): readonly Posting[] {
  const { recorded, reversed } = made.revenue ?? NO_REVENUE;
  const creator = exactMoney(made.creator);
  // Statements from before there were sales say no payout, and corrections no usage.
  const paid = made.payout ? exactMoney(made.payout.creator) : payable(creator, made.currency);
  const usage = "corrects" in made ? money(0n) : exactMoney(made.usage ?? made.gross);
  const amounts: Readonly<Record<StatementAccount, bigint>> = { usage, sales: exactMoney(recorded), refunds: -exactMoney(reversed), creator: -paid, platform: -exactMoney(made.platform), rounding: paid - creator };
  return ACCOUNTS.map((account) => ({ account, amount: money(amounts[account]) })).filter(({ amount }) => amount !== 0n);
}
