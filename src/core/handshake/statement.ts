import type { MeterReading } from "../../contract/index.ts";
import { type Currency, decimalText, Fault, type ImvuId, MONEY_DECIMALS, money, type TimeZone, UTC } from "../../kernel/index.ts";
import { payoutOf, type Payout } from "./payout.ts";
import type { Period } from "./period.ts";
import type { MeterFlag } from "./rated-months.ts";
import { type Rated, Rating, type UsedReadings } from "./rating.ts";
import { netOf, NO_REVENUE, type Revenue } from "./revenue.ts";
import { split } from "./split.ts";
import type { TariffEntry } from "./tariff.ts";
import { FIRST_TERMS, type Terms } from "./terms.ts";
import { type StatementLine, usageLines } from "./usage-lines.ts";

/** The last entry of the IMVU's stream that the statement knew. */
export interface StatementHead {
  readonly streamSeq: number;
  /** SHA-256 of that entry's body. */
  readonly sha256: string;
}

/** What `nexus statement show` prints and, with closed true, the data of a `statement.closed` entry. Money has 21 decimals. */
export interface Statement {
  /** Those of the first form have none, and neither usage, revenue nor payout; `flagged`, and flags of gaps, are of the third. */
  readonly v?: 2 | 3;
  readonly imvu: ImvuId;
  readonly period: string;
  /** Whose clock its month is by, and when that began and ended: RFC 3339, UTC. One by UTC says none of the three. */
  readonly timeZone?: TimeZone;
  readonly start?: string;
  readonly end?: string;
  readonly currency: Currency;
  /** Ledger index of the `platform.tariff` entry that the prices come from. */
  readonly tariffIndex: number;
  /** A line for every resource, used or not, in the order of RESOURCES, and one for each further step of its price that was reached. */
  readonly lines: readonly StatementLine[];
  /** Sum of the lines. */
  readonly usage?: string;
  /** What was sold inside the IMVU. */
  readonly revenue?: Revenue;
  /** usage + recorded − reversed. Nothing is taken off before it is divided: there is no field for that. */
  readonly gross: string;
  readonly creator: string;
  readonly platform: string;
  readonly payout?: Payout;
  readonly readings: UsedReadings;
  /** What was odd about the readings, the first FLAGS_MAX. */
  readonly flags: readonly MeterFlag[];
  /** How many there are. */
  readonly flagged?: number;
  readonly streamHead: StatementHead | null;
  readonly closed: boolean;
}

/** Forms in which statements were written: before there were sales, with them, and with gaps. Older ones are verified in their own. */
export type StatementForm = 1 | 2 | 3;

/** An entry has room for so many, however often a clock was set back. */
export const FLAGS_MAX = 16;

interface StatementFacts {
  readonly imvu: ImvuId;
  readonly period: Period;
  readonly tariff: TariffEntry;
  readonly streamHead: StatementHead | null;
  readonly closed: boolean;
  readonly revenue?: Revenue;
  readonly form?: StatementForm;
  /** The period is of their zone. */
  readonly terms?: Terms;
}

/**
 * From all of the IMVU's readings, in ledger order and from the first: the rating itself picks what the period needs. A closed
 * statement rests on the readings that stand before it in the stream, and on no other, so anyone can make it again.
 */
export function statement(facts: StatementFacts & { readonly readings: Iterable<{ readonly index: number; readonly set: MeterReading }> }): Statement {
  const rating = new Rating(facts.period);
  for (const { index, set } of facts.readings) {
    if (set.imvu !== facts.imvu) throw new Fault("READING_FOREIGN", `entry ${index} is a reading of ${set.imvu}, not of ${facts.imvu}`);
    rating.add(index, set);
  }
  return statementOf(facts, rating.rated(facts.period));
}

/** The same from readings that were rated elsewhere, for a ledger too long to hold in memory. */
export function statementOf({ imvu, period, tariff, streamHead, closed, revenue = NO_REVENUE, form = 3, terms: { timeZone } = FIRST_TERMS }: StatementFacts, { quantities, used, flags }: Rated): Statement {
  const { lines, usage } = usageLines(quantities, tariff.tariff);
  const gross = money(usage + (form === 1 ? 0n : netOf(revenue)));
  const { creator, platform } = split(gross);
  return {
    ...(form === 1 ? {} : { v: form }),
    imvu,
    period: period.name,
    ...(timeZone === UTC ? {} : { timeZone, start: new Date(period.start_ms).toISOString(), end: new Date(period.end_ms).toISOString() }),
    currency: tariff.tariff.currency,
    tariffIndex: tariff.index,
    lines,
    ...(form === 1 ? {} : { usage: decimalText(usage, MONEY_DECIMALS), revenue }),
    gross: decimalText(gross, MONEY_DECIMALS),
    creator: decimalText(creator, MONEY_DECIMALS),
    platform: decimalText(platform, MONEY_DECIMALS),
    ...(form === 1 ? {} : { payout: payoutOf(creator, tariff.tariff.currency) }),
    readings: used,
    ...(form === 3 ? { flags: flags.slice(0, FLAGS_MAX), flagged: flags.length } : { flags: flags.filter(({ what }) => what !== "gap") }),
    streamHead,
    closed,
  };
}
