import { type Currency, decimalText, MONEY_DECIMALS, type Money, minorDecimals, money } from "../../kernel/index.ts";

/** What is paid of a creator's share: rounded once, up, and how much that is more than the share. */
export interface Payout {
  /** As many decimals as the currency's minor unit has. */
  readonly creator: string;
  /** 21 decimals; never negative, and less than a minor unit. */
  readonly difference: string;
}

/** The smallest payable amount that is not less than the share. */
export function payable(creator: Money, currency: Currency): Money {
  const minor = minorUnit(currency);
  const whole = creator / minor;
  // bigint division truncates toward zero, which for a negative share is up already.
  return money((whole * minor < creator ? whole + 1n : whole) * minor);
}

/** @param before what was paid of the same month before: the sum is rounded, not each part */
export function payoutOf(creator: Money, currency: Currency, before: Money = money(0n)): Payout {
  const paid = payable(creator, currency);
  return { creator: payableText(money(paid - before), currency), difference: decimalText(paid - creator, MONEY_DECIMALS) };
}

/** Of whole minor units. */
export function payableText(paid: Money, currency: Currency): string {
  return decimalText(paid / minorUnit(currency), minorDecimals(currency));
}

function minorUnit(currency: Currency): bigint {
  return 10n ** BigInt(MONEY_DECIMALS - minorDecimals(currency));
}
