import { type Money, money } from "../../kernel/index.ts";
import type { JournalAccount, Posting } from "./journal.ts";

export type PayoutState = "created" | "executed" | "returned";
/** What happens to a payout: where it came from, none for its beginning, and what it is then. */
export interface PayoutStep {
  readonly from: "created" | "executed" | null;
  readonly to: PayoutState;
}

/** Where the money stands in each state; returned, it is owed again. */
const ACCOUNT_OF: Readonly<Record<PayoutState, JournalAccount>> = { created: "transit", executed: "paid", returned: "creator" };

/** Double entry of a step: the account it stood in is debited, the one it comes to credited. */
export function payoutPostings({ from, to }: PayoutStep, amount: Money): readonly Posting[] {
  return [
    { account: from === null ? "creator" : ACCOUNT_OF[from], amount },
    { account: ACCOUNT_OF[to], amount: money(-amount) },
  ];
}
