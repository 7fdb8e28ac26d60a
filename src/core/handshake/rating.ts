import { type MeterReading, RESOURCES, type Resource } from "../../contract/index.ts";
import { Fault } from "../../kernel/index.ts";
import type { Period } from "./period.ts";
import { type ToldSeries, toldIn } from "./reading-form.ts";

/**
 * Usage of one period from absolute readings, taken in ledger order, in memory that grows with the number of series only.
 *
 * A series is one (resource, boot, epoch). An entry is one set, or a summary: there each value that is told is a reading of its series at its instant.
 * Counter: usage = last value at or before the period's end − last value at or before its start; 0 stands for the latter when
 *   the series began inside the period, because a counter starts from zero in a new epoch. A counter that falls inside its
 *   epoch is flagged and counts up to the fall; afterwards the series counts no more, because what it lost can only be guessed.
 * Gauge: each level holds until the next reading of its series (left rule, milliseconds), clipped to the period. The last
 *   level holds until nothing: no usage is claimed beyond the last reading.
 * Periods tile: the value that closes one month opens the next, and every segment is divided at the boundary.
 */
export interface Rating {
  /** Readings must come in ledger order. Throws Fault READING_MALFORMED for what parseReadingSet refuses. */
  add(index: number, reading: MeterReading): void;
  /** Usage so far in 10^-decimals of each resource's unit. */
  quantities(): Readonly<Record<Resource, bigint>>;
  used(): UsedReadings;
  flags(): readonly MeterFlag[];
}

/** Ledger indexes of the earliest and latest reading entry that the figures rest on, and how many lie between, both included. */
export interface UsedReadings {
  readonly first: number | null;
  readonly last: number | null;
  readonly count: number;
}

export interface MeterFlag {
  /**
   * fell: a counter lost value inside its epoch. clock: what was read earlier than the entry before it counts at that one's instant. gap: more than
   * GAP_MS without a reading; `was` and `now` are the instants of those around it.
   */
  readonly what: "fell" | "clock" | "gap";
  readonly index: number;
  readonly series: string;
  readonly was: string;
  readonly now: string;
}

interface Place {
  readonly index: number;
  readonly ordinal: number;
}

interface Series {
  readonly name: string;
  /** The last value, as it was written: most are like the one before, and few are ever calculated with. */
  value: string;
  at_ms: number;
  place: Place;
  /** Counter: the value that the period starts from, and its last one in it. */
  base: string;
  end: string;
  basePlace: Place | undefined;
  /** Gauge: what it came to before its last value, and how long that has held in the period. */
  usage: bigint;
  held_ms: number;
  fall: (MeterFlag & { readonly inside: boolean }) | undefined;
  readInside: boolean;
}

/** Readings stand in the ledger every half hour, and where a platform reads as seldom as it may every hour: what is longer is a gap. */
export const GAP_MS = 2 * 3_600_000;

export function openRating(period: Period): Rating {
  const lives = new Map<string, Map<Resource, Series>>();
  const seen: MeterFlag[] = [];
  let latest_ms = Number.NEGATIVE_INFINITY;
  let ordinal = 0;
  let first: Place | undefined;
  let last: Place | undefined;

  const use = (place: Place) => {
    if (!first || place.ordinal < first.ordinal) first = place;
    if (!last || place.ordinal > last.ordinal) last = place;
  };

  const seriesOf = (resources: Map<Resource, Series>, life: string, resource: Resource): Series => {
    const known = resources.get(resource);
    if (known) return known;
    const series: Series = { name: `${resource} ${life}`, value: "0", at_ms: Number.POSITIVE_INFINITY, place: { index: -1, ordinal: -1 }, base: "0", end: "0", basePlace: undefined, usage: 0n, held_ms: 0, fall: undefined, readInside: false };
    resources.set(resource, series);
    return series;
  };

  const read = (series: Series, { resource, at_ms: times, values }: ToldSeries, earliest_ms: number, place: Place) => {
    const isCounter = RESOURCES[resource].kind === "counter";
    for (let nth = 0; nth < values.length; nth += 1) {
      const value = values[nth] as string;
      const at_ms = Math.max(times[nth] as number, earliest_ms);
      if (!isCounter) {
        const held_ms = Math.min(at_ms, period.end_ms) - Math.max(series.at_ms, period.start_ms);
        if (held_ms > 0) {
          series.held_ms += held_ms;
          if (series.place !== place) use(series.place);
          use(place);
        }
        if (value !== series.value) {
          series.usage += heldSoFar(series);
          series.held_ms = 0;
        }
      }
      if (isInside(period, at_ms)) {
        series.readInside = true;
        use(place);
      }
      if (isCounter) count(period, series, value, at_ms, place, use);
      series.value = value;
      series.at_ms = at_ms;
      series.place = place;
    }
  };

  return {
    add(index, reading) {
      const parsed = toldIn(reading);
      if (!parsed.ok) throw new Fault("READING_MALFORMED", `entry ${index}: ${parsed.message}`, { hint: "nexus ledger fsck" });
      const told = parsed.value;
      const earliest_ms = latest_ms;
      const from_ms = Math.max(told.from_ms, earliest_ms);
      if (from_ms !== told.from_ms && isInside(period, from_ms)) {
        seen.push({ what: "clock", index, series: "", was: new Date(from_ms).toISOString(), now: told.from });
      }
      if (from_ms - latest_ms > GAP_MS && latest_ms !== Number.NEGATIVE_INFINITY && latest_ms < period.end_ms && from_ms > period.start_ms) {
        seen.push({ what: "gap", index, series: "", was: new Date(latest_ms).toISOString(), now: told.from });
      }
      latest_ms = Math.max(told.at_ms, latest_ms);
      const place = { index, ordinal: ordinal++ };
      for (const { name, series: all } of told.lives) {
        const resources = lives.get(name) ?? new Map<Resource, Series>();
        if (resources.size === 0) lives.set(name, resources);
        for (const one of all) read(seriesOf(resources, name, one.resource), one, earliest_ms, place);
      }
    },
    quantities() {
      const sums = Object.fromEntries(Object.keys(RESOURCES).map((resource) => [resource, 0n])) as Record<Resource, bigint>;
      for (const resources of lives.values()) for (const [resource, series] of resources) sums[resource] += RESOURCES[resource].kind === "counter" ? BigInt(series.end) - BigInt(series.base) : series.usage + heldSoFar(series);
      return sums;
    },
    used() {
      return { first: first?.index ?? null, last: last?.index ?? null, count: first && last ? last.ordinal - first.ordinal + 1 : 0 };
    },
    flags() {
      const falls = [...lives.values()].flatMap((resources) => [...resources.values()]).flatMap(({ fall, readInside }) => (fall && (fall.inside || readInside) ? [fall] : []));
      return [...seen, ...falls.map(({ inside: _, ...flag }) => flag)].sort((a, b) => a.index - b.index || (a.series < b.series ? -1 : 1));
    },
  };
}

function heldSoFar({ value, held_ms }: Series): bigint {
  return held_ms === 0 ? 0n : BigInt(value) * BigInt(held_ms);
}

function count(period: Period, series: Series, value: string, at_ms: number, place: Place, use: (place: Place) => void): void {
  if (series.fall || at_ms > period.end_ms) return;
  if (isLess(value, series.value)) {
    series.fall = { what: "fell", index: place.index, series: series.name, was: series.value, now: value, inside: at_ms > period.start_ms };
    return;
  }
  series.end = value;
  if (at_ms <= period.start_ms) {
    series.base = value;
    series.basePlace = place;
    return;
  }
  if (series.basePlace) use(series.basePlace);
}

/** Of decimal texts without leading zeros: the shorter one, or the one that sorts first. */
export function isLess(a: string, b: string): boolean {
  return a.length === b.length ? a < b : a.length < b.length;
}

function isInside(period: Period, at_ms: number): boolean {
  return at_ms > period.start_ms && at_ms <= period.end_ms;
}
