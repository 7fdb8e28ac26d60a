/**
 * Money is a bigint count of 10^-21 of a currency unit: the product of any quantity scale (at most 12 decimals)
 * and the price scale (9 decimals) is exact, so nothing is rounded before a statement's end.
 */
export const MONEY_DECIMALS = 21;
export const PRICE_DECIMALS = 9;
export const QUANTITY_DECIMALS_MAX = 12;

declare const moneyBrand: unique symbol;
export type Money = bigint & { readonly [moneyBrand]: true };

export function money(units: bigint): Money {
  return units as Money;
}

/** Exact decimal text of `value` × 10^-decimals, all decimals shown. */
export function decimalText(value: bigint, decimals: number): string {
  const sign = value < 0n ? "-" : "";
  const digits = (value < 0n ? -value : value).toString().padStart(decimals + 1, "0");
  if (decimals === 0) return sign + digits;
  return `${sign}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

/** Inverse of decimalText; undefined when the text is not a plain decimal or has more decimals than allowed. */
export function parseDecimal(text: string, decimals: number): bigint | undefined {
  const match = /^(-?)(\d{1,40})(?:\.(\d{1,40}))?$/.exec(text);
  if (!match) return undefined;
  const fraction = match[3] ?? "";
  if (fraction.length > decimals) return undefined;
  const value = BigInt(match[2] + fraction.padEnd(decimals, "0"));
  return match[1] ? -value : value;
}
