import { type Currency, decimalText, MONEY_DECIMALS, parseDecimal } from "../../kernel/index.ts";
import { exactMoney } from "./exact.ts";

/** What of a budget a month's usage has reached, and may reach by the month's end. */
export interface Reach {
  readonly what: "usage" | "forecast";
  readonly percent: number;
  /** 21 decimals. */
  readonly usage: string;
}

/** A forecast from less than this says nothing yet. */
export const FORECAST_AFTER_MS = 24 * 3_600_000;

/** Every threshold that the usage so far is at or above, and whether the forecast is at or above the whole of it while the usage is not. */
export function reachesOf({ amount, thresholds }: { readonly amount: string; readonly currency: Currency; readonly thresholds: readonly number[] }, usage: string, forecast: string | undefined): readonly Reach[] {
  const [whole, used] = [parseDecimal(amount, MONEY_DECIMALS) as bigint, exactMoney(usage)];
  const reached = thresholds.filter((percent) => used * 100n >= whole * BigInt(percent)).map((percent): Reach => ({ what: "usage", percent, usage }));
  const over = forecast !== undefined && used < whole && exactMoney(forecast) >= whole;
  return over ? [...reached, { what: "forecast", percent: 100, usage: forecast }] : reached;
}

/** How much of it is used, in percent with one decimal, cut off. */
export function percentUsed({ amount }: { readonly amount: string }, usage: string): string {
  return decimalText((exactMoney(usage) * 1_000n) / (parseDecimal(amount, MONEY_DECIMALS) as bigint), 1);
}
