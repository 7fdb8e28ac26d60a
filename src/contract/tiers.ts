import { decimalText, PRICE_DECIMALS, parseDecimal } from "../kernel/index.ts";
import { RESOURCES, type Resource } from "./meter.ts";

/** Steps of one resource's price, besides the first. */
export const TIERS_MAX = 4;

/** From here on another price: of the part of a month's usage that is above it, and of that alone. */
export interface Tier {
  /** In the resource's unit, decimal text with all of its decimals; more than 0. */
  readonly above: string;
  /** Nine decimals. */
  readonly price: string;
}

/** Lowest step first. */
export type Tiers = Readonly<Partial<Record<Resource, readonly Tier[]>>>;

/** @returns a resource whose steps are said and its first price not */
export function stepsWithoutPrice(prices: Readonly<Partial<Record<Resource, unknown>>>, tiers: Tiers | undefined): string | undefined {
  return Object.keys(tiers ?? {}).find((resource) => prices[resource as Resource] === undefined);
}

/** @returns the field that is wrong and why; undefined: every figure is exact, and each step is above the one before it */
export function flawOfTiers(tiers: unknown): string | undefined {
  if (typeof tiers !== "object" || tiers === null || Array.isArray(tiers)) return "tiers is not an object";
  if (Object.keys(tiers).length === 0) return "tiers names no resource";
  for (const [resource, steps] of Object.entries(tiers)) {
    const where = `tiers["${resource}"]`;
    if (!Object.hasOwn(RESOURCES, resource)) return `${where} is no resource`;
    if (!Array.isArray(steps) || steps.length === 0 || steps.length > TIERS_MAX) return `${where} is not a list of 1 to ${TIERS_MAX} steps`;
    const { decimals } = RESOURCES[resource as Resource];
    let last = 0n;
    for (const step of steps as unknown[]) {
      const { above, price, ...more } = (step ?? {}) as Partial<Record<keyof Tier, unknown>>;
      if (Object.keys(more).length > 0) return `${where}: a step has above and price, and nothing else`;
      const from = exact(above, decimals);
      if (from === undefined || from <= last) return `${where}: above is not a quantity with ${decimals} decimals that is more than the step before`;
      const costs = exact(price, PRICE_DECIMALS);
      if (costs === undefined || costs < 0n) return `${where}: price is not a price with nine decimals`;
      last = from;
    }
  }
  return undefined;
}

/** One spelling of every figure. */
function exact(text: unknown, decimals: number): bigint | undefined {
  const value = typeof text === "string" ? parseDecimal(text, decimals) : undefined;
  return value !== undefined && decimalText(value, decimals) === text ? value : undefined;
}
