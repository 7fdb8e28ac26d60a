import { decimalText, MONEY_DECIMALS, type Money, money } from "../../kernel/index.ts";

/** Decimals of the smallest amount that can be paid, by ISO 4217. */
const MINOR_DECIMALS = 2;
const MINOR_UNIT = 10n ** BigInt(MONEY_DECIMALS - MINOR_DECIMALS);

/** What is paid of a creator's share: rounded once, up, and how much that is more than the share. */
export interface Payout {
  /** Two decimals. */
  readonly creator: string;
  /** 21 decimals; never negative, and less than a minor unit. */
  readonly difference: string;
}

/** The smallest payable amount that is not less than the share. */
export function payable(creator: Money): Money {
  const whole = creator / MINOR_UNIT;
  // bigint division truncates toward zero, which for a negative share is up already.
  return money((whole * MINOR_UNIT < creator ? whole + 1n : whole) * MINOR_UNIT);
}

/** @param before what was paid of the same month before: the sum is rounded, not each part */
export function payoutOf(creator: Money, before: Money = money(0n)): Payout {
  const paid = payable(creator);
  return { creator: decimalText((paid - before) / MINOR_UNIT, MINOR_DECIMALS), difference: decimalText(paid - creator, MONEY_DECIMALS) };
}
