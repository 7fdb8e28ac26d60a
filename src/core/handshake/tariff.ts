import { type FirstResource, flawOfTiers, type LaterResource, likeOf, RESOURCES, type Resource, stepsWithoutPrice, TARIFF_NOTICE_MS, TARIFF_WRITE_MS_MAX, type Tier, type Tiers } from "../../contract/index.ts";
import { accept, AHEAD_MS_MAX, beginningOf, type Currency, decimalText, EUR, type Outcome, parseCurrency, PRICE_DECIMALS, parseDecimal, refuse, type TimeZone, UTC } from "../../kernel/index.ts";
import { type Period, periodAfter, periodOf } from "./period.ts";

/** Version written into the data of a `platform.tariff` entry: of one whose prices have no steps, and of one where some have. */
export const TARIFF_V1 = 1;
export const TARIFF_V2 = 2;

export type Prices = Readonly<Record<FirstResource, string> & Partial<Record<LaterResource, string>>>;

/** Data of a `platform.tariff` entry: the price of one unit of every resource. */
export interface Tariff {
  readonly v: typeof TARIFF_V1 | typeof TARIFF_V2;
  readonly currency: Currency;
  /** RFC 3339 instant; see tariffInForce. */
  readonly validFrom: string;
  /** Price of one RESOURCES[r].unit: decimal text with exactly nine decimals, never negative. See stepsOf for what is not named. */
  readonly prices: Prices;
  /** Further steps, lowest first: what is used in a month above so much costs another price. An included amount is a first price of nothing. */
  readonly tiers?: Tiers;
  /** Digest of the operators' command that published it; the first one of a platform has none. */
  readonly command?: string;
}

/**
 * The figures a new platform publishes unless it is told others, in EUR. A month of 30 days has 2,592,000 seconds:
 * a core used all month costs 5.18, a GB of memory 2.59, a GB stored 0.08, a million DNS answers 0.20,
 * a thousand messages sent 0.10, a GB out 0.01, a million reads 0.01, a million writes 0.02. Bytes in are metered at no price, and so are those of
 * private routes: they never leave the machine.
 */
export const DEFAULT_PRICES_V1: Readonly<Record<Resource, string>> = {
  "compute.cpu": "0.000002000",
  "compute.memory": "0.000001000",
  "compute.storage": "0.000000031",
  "compute.io.read.operations": "0.000000010",
  "compute.io.write.operations": "0.000000020",
  "compute.io.read.bytes": "0.000100000",
  "compute.io.write.bytes": "0.000200000",
  "dns.answers": "0.000000200",
  "mail.sent": "0.000100000",
  "mail.received": "0.000010000",
  "mail.storage": "0.000000031",
  "network.in": "0.000000000",
  "network.out": "0.010000000",
  "network.restricted.in": "0.000000000",
  "network.restricted.out": "0.010000000",
  "network.private.in": "0.000000000",
  "network.private.out": "0.000000000",
};

/** A tariff as the ledger holds it: cited by its index. */
export interface TariffEntry {
  readonly index: number;
  readonly tariff: Tariff;
}

/** Refuses a tariff that misses a resource, names an unknown one, or holds a price that is not exact. */
export function parseTariff(data: unknown): Outcome<Tariff> {
  if (typeof data !== "object" || data === null) return malformed("is not an object");
  const { v, currency, validFrom, prices, tiers } = data as Partial<Record<keyof Tariff, unknown>>;
  if (v !== TARIFF_V1 && v !== TARIFF_V2) return malformed("v is neither 1 nor 2");
  if (!parseCurrency(currency).ok) return malformed("currency is no ISO 4217 code");
  if (typeof validFrom !== "string" || !isInstant(validFrom)) return malformed("validFrom is not an RFC 3339 instant in UTC with milliseconds");
  if (typeof prices !== "object" || prices === null) return malformed("prices is missing");
  const given = prices as Record<string, unknown>;
  if ((tiers === undefined) !== (v === TARIFF_V1)) return malformed("tiers are said by version 2, and by no other");
  for (const resource of Object.keys(RESOURCES) as Resource[]) if (!exactPrice(given[resource]) && (given[resource] !== undefined || likeOf(resource) === undefined)) return malformed(`prices["${resource}"] is not a price with nine decimals`);
  for (const name of Object.keys(given)) if (!Object.hasOwn(RESOURCES, name)) return malformed(`prices["${name}"] is no resource`);
  const flaw = tiers === undefined ? undefined : flawOfTiers(tiers);
  if (flaw !== undefined) return malformed(flaw);
  const without = stepsWithoutPrice(given, tiers as Tiers | undefined);
  if (without !== undefined) return malformed(`tiers["${without}"]: its first price is not said`);
  return accept(data as Tariff);
}

/** First price and further steps of a resource; one that is not named costs what the one costs that it was told apart from, step by step, counted on its own. */
export function stepsOf({ prices, tiers }: Pick<Tariff, "prices" | "tiers">, resource: Resource): { readonly price: string; readonly tiers: readonly Tier[] } {
  const price = prices[resource];
  if (price !== undefined) return { price, tiers: tiers?.[resource] ?? [] };
  return stepsOf({ prices, ...(tiers ? { tiers } : {}) }, likeOf(resource) as FirstResource);
}

/**
 * The tariff of a month, whichever clock it is by: of those that hold from it or from an earlier one, the one published last in the
 * unit's currency; where none does, the first that was ever published in it. So no price changes inside a month.
 */
export function tariffInForce(period: Period, published: readonly TariffEntry[], currency: Currency = EUR): TariffEntry | undefined {
  const inOrder = published.filter(({ tariff }) => tariff.currency === currency).sort((a, b) => a.index - b.index);
  return inOrder.filter(({ tariff }) => holdsFrom(tariff) <= period.name).at(-1) ?? inOrder[0];
}

/** The first month that a tariff holds for from its beginning to its end. */
function holdsFrom({ validFrom }: Pick<Tariff, "validFrom">): string {
  return periodAfter(periodOf(Date.parse(validFrom))).name;
}

function exactPrice(price: unknown): boolean {
  const value = typeof price === "string" ? parseDecimal(price, PRICE_DECIMALS) : undefined;
  return value !== undefined && value >= 0n && decimalText(value, PRICE_DECIMALS) === price;
}

/** Every tariff but the first of a currency is announced 30 days before its month begins in a zone: what its own entry's time shows to anybody. */
export function announcedInTime(tariff: Pick<Tariff, "validFrom">, written: string, zone: TimeZone = UTC): boolean {
  const begins_ms = zone === UTC ? Date.parse(tariff.validFrom) : beginningOf(zone, Date.parse(`${holdsFrom(tariff)}-01T00:00:00Z`));
  return begins_ms >= Date.parse(written) + TARIFF_NOTICE_MS - TARIFF_WRITE_MS_MAX;
}

/**
 * Whether a tariff that comes to stand in the log now is in time for everybody: thirty days before its month begins anywhere. By the first one of a
 * currency nobody is rated yet: it may hold from the present month on.
 */
export function announcedForAll(tariff: Pick<Tariff, "currency" | "validFrom">, written: string, before: readonly TariffEntry[]): boolean {
  const first = before.every((one) => one.tariff.currency !== tariff.currency);
  return first ? notForThePast(tariff, written) : Date.parse(tariff.validFrom) - AHEAD_MS_MAX >= Date.parse(written) + TARIFF_NOTICE_MS - TARIFF_WRITE_MS_MAX;
}

export function notForThePast({ validFrom }: Pick<Tariff, "validFrom">, written: string): boolean {
  return Date.parse(validFrom) >= periodOf(Date.parse(written) - TARIFF_WRITE_MS_MAX).start_ms;
}

export function isInstant(text: string): boolean {
  const at = Date.parse(text);
  return !Number.isNaN(at) && new Date(at).toISOString() === text;
}

function malformed(why: string): Outcome<never> {
  return refuse("usage", "BAD_TARIFF", `tariff: ${why}`, "give every resource a price with nine decimals, like 0.000002000");
}
