import { type MeterReading, RESOURCES, type Resource } from "../../contract/index.ts";
import { Fault, type TimeZone } from "../../kernel/index.ts";
import type { Period } from "./period.ts";
import { begun, type MeterFlag, type Place, type RatedMonth, RatedMonths } from "./rated-months.ts";
import { type RatingState, readInto, readMonth, STATE_V, writtenMonth, writtenSeries } from "./rating-state.ts";
import { type Told, toldIn } from "./reading-form.ts";
import { Series } from "./series.ts";

/** What a month's readings came to. */
export interface Rated {
  /** In 10^-decimals of each resource's unit. */
  readonly quantities: Readonly<Record<Resource, bigint>>;
  readonly used: UsedReadings;
  /** By entry. */
  readonly flags: readonly MeterFlag[];
}

/** Ledger indexes of the earliest and latest reading entry that the figures rest on, and how many lie between, both included. */
export interface UsedReadings {
  readonly first: number | null;
  readonly last: number | null;
  readonly count: number;
}

/** Readings stand in the ledger every half hour, and where a platform reads as seldom as it may every hour: what is longer is a gap. */
export const GAP_MS = 2 * 3_600_000;

/**
 * Usage from a unit's absolute readings, taken once, in ledger order and from the first, in memory that grows with the number of series only. Each
 * month comes to what it would come to if it alone were asked for.
 *
 * A series is one (resource, boot, epoch). An entry is one set, or a summary: there each value that is told is a reading of its series at its instant.
 * Counter: usage = last value at or before the period's end − last value at or before its start; 0 stands for the latter when
 *   the series began inside the period, because a counter starts from zero in a new epoch. A counter that falls inside its
 *   epoch is flagged and counts up to the fall; afterwards the series counts no more, because what it lost can only be guessed.
 * Gauge: each level holds until the next reading of its series (left rule, milliseconds), clipped to the period. The last
 *   level holds until nothing: no usage is claimed beyond the last reading.
 * Periods tile: the value that closes one month opens the next, and every segment is divided at the boundary.
 */
export class Rating {
  private months: RatedMonths;
  private readonly lives = new Map<string, Map<Resource, Series>>();
  private latest_ms = Number.NEGATIVE_INFINITY;
  private ordinal = 0;

  /** @param zone by whose clock the months after the first begin; without it there are none */
  constructor(first: Period, zone?: TimeZone) {
    this.months = new RatedMonths([begun(first)], zone);
  }

  /** Goes on from where another one stood. */
  static from({ months, series, latest_ms, ordinal }: RatingState, zone: TimeZone): Rating {
    const all = months.map((month) => readMonth(month, zone));
    const rating = new Rating((all[0] as RatedMonth).period);
    rating.months = new RatedMonths(all, zone);
    rating.latest_ms = latest_ms ?? Number.NEGATIVE_INFINITY;
    rating.ordinal = ordinal;
    for (const one of series) readInto(rating.seriesOf(one.life, one.resource), one, all);
    return rating;
  }

  /** Throws Fault READING_MALFORMED for what parseReadingSet refuses. */
  add(index: number, reading: MeterReading): void {
    const parsed = toldIn(reading);
    if (!parsed.ok) throw new Fault("READING_MALFORMED", `entry ${index}: ${parsed.message}`, { hint: "nexus ledger fsck" });
    this.take(index, parsed.value);
  }

  /** The same of one that was taken apart already. */
  take(index: number, { from, from_ms: begun_ms, at_ms, lives }: Told): void {
    const { months, latest_ms: earliest_ms } = this;
    const from_ms = Math.max(begun_ms, earliest_ms);
    if (from_ms !== begun_ms) months.at(from_ms)?.flags.push({ what: "clock", index, series: "", was: new Date(from_ms).toISOString(), now: from });
    if (from_ms - earliest_ms > GAP_MS && earliest_ms !== Number.NEGATIVE_INFINITY) {
      for (const { flags } of months.between(earliest_ms, from_ms)) flags.push({ what: "gap", index, series: "", was: new Date(earliest_ms).toISOString(), now: from });
    }
    this.latest_ms = Math.max(at_ms, earliest_ms);
    const place: Place = { index, ordinal: this.ordinal++ };
    const month = months.at(from_ms);
    const lies = month !== undefined && this.latest_ms <= month.period.end_ms;
    for (const { name, series: all } of lives) {
      const known = this.lives.get(name);
      for (const told of all) {
        const series = known?.get(told.resource) ?? this.seriesOf(name, told.resource);
        if (lies) series.readIn(month, months, told, earliest_ms, place);
        else series.read(months, told, earliest_ms, place);
      }
    }
  }

  /** What stands of it for `from` and the months after it: those before are forgotten. */
  stateFrom(from: Period): RatingState {
    const gone = this.months.beginWith(from);
    const all = [...this.lives.values()].flatMap((known) => [...known.values()]);
    for (const series of all) {
      series.rest();
      for (const month of gone) series.parts.delete(month);
    }
    return { v: STATE_V, latest_ms: Number.isFinite(this.latest_ms) ? this.latest_ms : null, ordinal: this.ordinal, months: this.months.all.map(writtenMonth), series: all.map(writtenSeries) };
  }

  private seriesOf(life: string, resource: Resource): Series {
    const known = this.lives.get(life) ?? new Map<Resource, Series>();
    this.lives.set(life, known);
    const series = known.get(resource) ?? new Series(resource, life);
    known.set(resource, series);
    return series;
  }

  /** What was taken so far comes to in a period: the first, or one after it. */
  rated(period: Period): Rated {
    const quantities = Object.fromEntries(Object.keys(RESOURCES).map((resource) => [resource, 0n])) as Record<Resource, bigint>;
    const month = this.months.find(period);
    if (!month) return { quantities, used: { first: null, last: null, count: 0 }, flags: [] };
    const { first, last } = month;
    const flags = [...month.flags];
    for (const known of this.lives.values()) {
      for (const series of known.values()) {
        quantities[series.resource] += series.amountIn(month);
        flags.push(...[series.fallIn(month)].filter((flag) => flag !== undefined));
      }
    }
    flags.sort((a, b) => a.index - b.index || (a.series < b.series ? -1 : 1));
    return { quantities, used: { first: first?.index ?? null, last: last?.index ?? null, count: first && last ? last.ordinal - first.ordinal + 1 : 0 }, flags };
  }
}
