import type { Params } from "../../contract/index.ts";
import { parseDecimal } from "../../kernel/index.ts";

/** A payout as the entry that created it says. */
export interface Payout {
  readonly imvu: string;
  readonly number: number;
  readonly id: string;
  /** Decimal text with the currency's digits. */
  readonly amount: string;
  readonly currency: string;
  readonly account: NonNullable<Params<"imvu.payout.account">["account"]>;
}

/** Decimals behind the point. */
export function digitsOf(amount: string): number {
  return (amount.split(".")[1] ?? "").length;
}

/** Exact sum in `digits` decimals. */
export function unitsOf(amount: string, digits: number): bigint {
  const units = parseDecimal(amount, digits);
  if (units === undefined || units <= 0n) throw new TypeError(`${amount} is no amount that could be paid`);
  return units;
}
