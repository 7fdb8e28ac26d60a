import { decimalText, MONEY_DECIMALS, money } from "../../kernel/index.ts";
import { exactMoney } from "./exact.ts";
import type { Period } from "./period.ts";
import { netOf, NO_REVENUE } from "./revenue.ts";
import { split } from "./split.ts";
import type { Statement } from "./statement.ts";

/** What a month may come to. Money has 21 decimals. */
export interface Forecast {
  /** The instant it is for: the month's end. */
  readonly at: string;
  readonly usage: string;
  readonly gross: string;
  readonly creator: string;
  readonly platform: string;
}

/**
 * By one rule: usage goes on as it did so far in this month, and nothing more is sold.
 * @param since_ms when the unit was first read
 * @returns undefined where nothing has passed to go by, or the month is over
 */
export function forecastOf(soFar: Statement, { start_ms, end_ms }: Period, since_ms: number, now_ms: number): Forecast | undefined {
  const begun_ms = BigInt(Math.max(start_ms, since_ms));
  const passed = BigInt(now_ms) - begun_ms;
  if (passed <= 0n || now_ms >= end_ms || soFar.usage === undefined) return undefined;
  const usage = (exactMoney(soFar.usage) * (BigInt(end_ms) - begun_ms)) / passed;
  const gross = money(usage + netOf(soFar.revenue ?? NO_REVENUE));
  const { creator, platform } = split(gross);
  const text = (amount: bigint) => decimalText(amount, MONEY_DECIMALS);
  return { at: new Date(end_ms).toISOString(), usage: text(usage), gross: text(gross), creator: text(creator), platform: text(platform) };
}
