import { RESOURCES, type Resource, type Tier, type Tiers } from "../contract/index.ts";
import { decimalText, PRICE_DECIMALS, parseDecimal } from "../kernel/index.ts";
import { usageFailure } from "./failure.ts";
import { plainFigure } from "./output.ts";

export interface Prices {
  readonly prices: Readonly<Record<string, string>>;
  readonly tiers?: Tiers;
}

/** What an operator says changes, each `RESOURCE=…` as it was typed. */
export interface PriceChanges {
  readonly price: readonly string[];
  readonly included: readonly string[];
  readonly tier: readonly string[];
}

/**
 * A tariff with changes. A resource that is named costs what is said of it now, and none of its former steps stays; an amount that is included is a
 * first step of nothing.
 */
export function changedPrices(before: Prices, { price, included, tier }: PriceChanges): Prices {
  if (price.length === 0) throw usageFailure("--price: is missing", "say what changes: --price compute.cpu=0.000003");
  const prices: Record<string, string> = { ...before.prices };
  const tiers: Record<string, readonly Tier[]> = { ...before.tiers };
  const named = new Set<string>();
  for (const text of price) {
    const [resource, costs] = ofResource("--price", text, "compute.cpu=0.000003");
    prices[resource] = priceText("--price", text, costs);
    delete tiers[resource];
    named.add(resource);
  }
  const first = (option: string, resource: string, text: string): string => {
    if (!named.has(resource)) throw usageFailure(`${option} ${text}: what more costs is not said`, `say it with --price ${resource}=PRICE`);
    return prices[resource] as string;
  };
  const free = new Set<string>();
  for (const text of included) {
    const [resource, quantity] = ofResource("--included", text, "dns.answers=1000000");
    if (free.has(resource)) throw usageFailure(`--included: ${resource} is named twice`, "name it once");
    tiers[resource] = [{ above: quantityText("--included", text, resource, quantity), price: first("--included", resource, text) }];
    prices[resource] = decimalText(0n, PRICE_DECIMALS);
    free.add(resource);
  }
  for (const text of tier) {
    const [resource, step] = ofResource("--tier", text, "dns.answers=5000000:0.0000001");
    first("--tier", resource, text);
    const [, quantity = "", costs = ""] = /^([^:]+):(.+)$/.exec(step) ?? [];
    const steps = [...(tiers[resource] ?? []), { above: quantityText("--tier", text, resource, quantity), price: priceText("--tier", text, costs) }];
    tiers[resource] = steps.sort((a, b) => (exact(a.above, resource) < exact(b.above, resource) ? -1 : 1));
  }
  return { prices, ...(Object.keys(tiers).length > 0 ? { tiers } : {}) };
}

/** A row for each price, and one for each step above it. */
export function priceRows({ prices, tiers }: Prices): readonly (readonly string[])[] {
  return Object.entries(prices).flatMap(([resource, price]) => {
    const { unit } = RESOURCES[resource as Resource];
    return [[`  ${resource}`, price, `per ${unit}`], ...(tiers?.[resource as Resource] ?? []).map((step) => [`    above ${plainFigure(step.above)}`, step.price, `per ${unit}`])];
  });
}

function ofResource(option: string, text: string, like: string): readonly [Resource, string] {
  const [, resource = "", said = ""] = /^([a-z.]+)=(.{1,80})$/.exec(text) ?? [];
  if (said === "") throw usageFailure(`${option}: ${JSON.stringify(text.slice(0, 60))} is not RESOURCE=…`, `like ${option} ${like}`);
  if (!Object.hasOwn(RESOURCES, resource)) throw usageFailure(`${option}: ${resource} is no resource`, `one of: ${Object.keys(RESOURCES).join(", ")}`);
  return [resource as Resource, said];
}

/** Nine decimals are written out; a tenth is none that anybody could be charged. */
function priceText(option: string, text: string, costs: string): string {
  const price = /^\d{1,9}(\.\d{1,9})?$/.test(costs) ? parseDecimal(costs, PRICE_DECIMALS) : undefined;
  if (price === undefined) throw usageFailure(`${option}: ${JSON.stringify(text.slice(0, 60))} has no price with at most nine decimals`, "like 0.000003");
  return decimalText(price, PRICE_DECIMALS);
}

function quantityText(option: string, text: string, resource: string, said: string): string {
  const { decimals, unit } = RESOURCES[resource as Resource];
  const quantity = /^\d{1,18}(\.\d{1,12})?$/.test(said) ? parseDecimal(said, decimals) : undefined;
  if (quantity === undefined || quantity === 0n) throw usageFailure(`${option}: ${JSON.stringify(text.slice(0, 60))} has no quantity of a ${unit} with at most ${decimals} decimals that is more than 0`, `like ${option} ${resource}=1000${option === "--tier" ? ":0.0000001" : ""}`);
  return decimalText(quantity, decimals);
}

function exact(text: string, resource: string): bigint {
  return parseDecimal(text, RESOURCES[resource as Resource].decimals) as bigint;
}
