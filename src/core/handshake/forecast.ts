import { RESOURCES, type Resource } from "../../contract/index.ts";
import { decimalText, MONEY_DECIMALS, money, parseDecimal } from "../../kernel/index.ts";
import type { Period } from "./period.ts";
import { netOf, NO_REVENUE } from "./revenue.ts";
import { split } from "./split.ts";
import type { Statement } from "./statement.ts";
import type { Tariff } from "./tariff.ts";
import { usageLines } from "./usage-lines.ts";

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
 * By one rule: usage goes on as it did so far in this month, and nothing more is sold. What is used by then is priced like a month's, step by step.
 * @param since_ms when the unit was first read
 * @returns undefined where nothing has passed to go by, or the month is over
 */
export function forecastOf(soFar: Statement, tariff: Tariff, { start_ms, end_ms }: Period, since_ms: number, now_ms: number): Forecast | undefined {
  const begun_ms = BigInt(Math.max(start_ms, since_ms));
  const passed = BigInt(now_ms) - begun_ms;
  if (passed <= 0n || now_ms >= end_ms || soFar.usage === undefined) return undefined;
  const quantities = Object.fromEntries((Object.keys(RESOURCES) as Resource[]).map((resource) => [resource, (usedOf(soFar, resource) * (BigInt(end_ms) - begun_ms)) / passed])) as Record<Resource, bigint>;
  const { usage } = usageLines(quantities, tariff);
  const gross = money(usage + netOf(soFar.revenue ?? NO_REVENUE));
  const { creator, platform } = split(gross);
  const text = (amount: bigint) => decimalText(amount, MONEY_DECIMALS);
  return { at: new Date(end_ms).toISOString(), usage: text(usage), gross: text(gross), creator: text(creator), platform: text(platform) };
}

function usedOf({ lines }: Statement, resource: Resource): bigint {
  return lines.reduce((sum, line) => (line.resource === resource ? sum + (parseDecimal(line.quantity, RESOURCES[resource].decimals) as bigint) : sum), 0n);
}
