import { RESOURCES, type ReadingSet, type Resource } from "../../contract/index.ts";
import { decimalText, Fault, type ImvuId, MONEY_DECIMALS, type Money, money, PRICE_DECIMALS, parseDecimal } from "../../kernel/index.ts";
import type { Period } from "./period.ts";
import { type MeterFlag, openRating, type Rating, type UsedReadings } from "./rating.ts";
import { split } from "./split.ts";
import type { TariffEntry } from "./tariff.ts";

export interface StatementLine {
  readonly resource: Resource;
  /** Decimal text with all of RESOURCES[resource].decimals. */
  readonly quantity: string;
  readonly unit: string;
  /** Nine decimals, as the tariff says it. */
  readonly unitPrice: string;
  /** quantity × unitPrice, exact, 21 decimals. */
  readonly amount: string;
}

/** The last entry of the IMVU's stream that the statement knew. */
export interface StatementHead {
  readonly streamSeq: number;
  /** SHA-256 of that entry's body. */
  readonly sha256: string;
}

/** What `nexus statement show` prints and, with closed true, the data of a `statement.closed` entry. Money has 21 decimals. */
export interface Statement {
  readonly imvu: ImvuId;
  readonly period: string;
  readonly currency: string;
  /** Ledger index of the `platform.tariff` entry that the prices come from. */
  readonly tariffIndex: number;
  /** One line per resource, zero or not, in the order of RESOURCES. */
  readonly lines: readonly StatementLine[];
  readonly gross: string;
  readonly creator: string;
  readonly platform: string;
  readonly readings: UsedReadings;
  readonly flags: readonly MeterFlag[];
  readonly streamHead: StatementHead | null;
  readonly closed: boolean;
}

interface StatementFacts {
  readonly imvu: ImvuId;
  readonly period: Period;
  readonly tariff: TariffEntry;
  readonly streamHead: StatementHead | null;
  readonly closed: boolean;
}

/**
 * From all of the IMVU's readings, in ledger order and from the first: the rating itself picks what the period needs. A closed
 * statement rests on the readings that stand before it in the stream, and on no other, so anyone can make it again.
 */
export function statement(facts: StatementFacts & { readonly readings: Iterable<{ readonly index: number; readonly set: ReadingSet }> }): Statement {
  const rating = openRating(facts.period);
  for (const { index, set } of facts.readings) {
    if (set.imvu !== facts.imvu) throw new Fault("READING_FOREIGN", `entry ${index} is a reading of ${set.imvu}, not of ${facts.imvu}`);
    rating.add(index, set);
  }
  return statementOf(facts, rating);
}

/** The same from a rating that was fed elsewhere, for a ledger too long to hold in memory. */
export function statementOf({ imvu, period, tariff, streamHead, closed }: StatementFacts, rating: Rating): Statement {
  const quantities = rating.quantities();
  let gross = 0n;
  const lines = (Object.keys(RESOURCES) as Resource[]).map((resource): StatementLine => {
    const { unit, decimals } = RESOURCES[resource];
    const unitPrice = tariff.tariff.prices[resource];
    const amount = amountOf(quantities[resource], decimals, unitPrice);
    gross += amount;
    return { resource, quantity: decimalText(quantities[resource], decimals), unit, unitPrice, amount: decimalText(amount, MONEY_DECIMALS) };
  });
  const { creator, platform } = split(money(gross));
  return {
    imvu,
    period: period.name,
    currency: tariff.tariff.currency,
    tariffIndex: tariff.index,
    lines,
    gross: decimalText(gross, MONEY_DECIMALS),
    creator: decimalText(creator, MONEY_DECIMALS),
    platform: decimalText(platform, MONEY_DECIMALS),
    readings: rating.used(),
    flags: rating.flags(),
    streamHead,
    closed,
  };
}

/** Exact: no resource has more than 12 decimals and a price has 9, so the product fits money's 21. */
export function amountOf(quantity: bigint, decimals: number, unitPrice: string): Money {
  const price = parseDecimal(unitPrice, PRICE_DECIMALS);
  if (price === undefined) throw new Fault("TARIFF_MALFORMED", `unit price ${JSON.stringify(unitPrice)} is no decimal with nine places`);
  return money(quantity * price * 10n ** BigInt(MONEY_DECIMALS - PRICE_DECIMALS - decimals));
}
