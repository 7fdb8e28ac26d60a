import { RESOURCES, type Reading, type ReadingSet, type Resource } from "../../contract/index.ts";
import { accept, Fault, type Outcome, parseImvuId, refuse } from "../../kernel/index.ts";
import type { Period } from "./period.ts";
import { isInstant } from "./tariff.ts";

/**
 * Usage of one period from absolute readings, taken in ledger order, in memory that grows with the number of series only.
 *
 * A series is one (resource, boot, epoch).
 * Counter: usage = last value at or before the period's end − last value at or before its start; 0 stands for the latter when
 *   the series began inside the period, because a counter starts from zero in a new epoch. A counter that falls inside its
 *   epoch is flagged and counts up to the fall; afterwards the series counts no more, because what it lost can only be guessed.
 * Gauge: each level holds until the next reading of its series (left rule, milliseconds), clipped to the period. The last
 *   level holds until nothing: no usage is claimed beyond the last reading.
 * Periods tile: the value that closes one month opens the next, and every segment is divided at the boundary.
 */
export interface Rating {
  /** Readings must come in ledger order. Throws Fault READING_MALFORMED for a set parseReadingSet refuses. */
  add(index: number, set: ReadingSet): void;
  /** Usage so far in 10^-decimals of each resource's unit. */
  quantities(): Readonly<Record<Resource, bigint>>;
  used(): UsedReadings;
  flags(): readonly MeterFlag[];
}

/** Ledger indexes of the earliest and latest reading entry that the figures rest on, and how many sets lie between, both included. */
export interface UsedReadings {
  readonly first: number | null;
  readonly last: number | null;
  readonly count: number;
}

export interface MeterFlag {
  /**
   * fell: a counter lost value inside its epoch. clock: a set read earlier than the one before it counts at that one's instant. gap: more than
   * GAP_MS without a set; `was` and `now` are the instants of those around it.
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
  readonly resource: Resource;
  value: bigint;
  at_ms: number;
  place: Place;
  /** Counter: the value that the period starts from. Gauge: unused. */
  base: bigint;
  basePlace: Place | undefined;
  usage: bigint;
  fall: (MeterFlag & { readonly inside: boolean }) | undefined;
  readInside: boolean;
}

/** Sets stand in the ledger every half hour, and where a platform reads as seldom as it may every hour: what is longer is a gap. */
export const GAP_MS = 2 * 3_600_000;

export function parseReadingSet(data: unknown): Outcome<ReadingSet> {
  if (typeof data !== "object" || data === null) return malformed("is not an object");
  const { imvu, at, readings } = data as Partial<Record<keyof ReadingSet, unknown>>;
  if (!parseImvuId(imvu).ok) return malformed("imvu is not an IMVU id");
  if (typeof at !== "string" || !isInstant(at)) return malformed("at is not an RFC 3339 instant in UTC with milliseconds");
  if (!Array.isArray(readings)) return malformed("readings is not a list");
  const seen = new Set<string>();
  for (const reading of readings as Partial<Record<keyof Reading, unknown>>[]) {
    const { resource, value, boot, epoch } = reading ?? {};
    if (typeof resource !== "string" || !Object.hasOwn(RESOURCES, resource)) return malformed(`${JSON.stringify(resource)} is no resource`);
    if (typeof value !== "string" || !/^(0|[1-9]\d{0,38})$/.test(value)) return malformed(`${resource}: value is not a non-negative integer`);
    if (typeof boot !== "string" || typeof epoch !== "string") return malformed(`${resource}: boot or epoch is missing`);
    const name = seriesName({ resource: resource as Resource, boot, epoch });
    if (seen.has(name)) return malformed(`${name} is read twice in one set`);
    seen.add(name);
  }
  return accept(data as ReadingSet);
}

export function openRating(period: Period): Rating {
  const all = new Map<string, Series>();
  const seen: MeterFlag[] = [];
  let latest_ms = Number.NEGATIVE_INFINITY;
  let ordinal = 0;
  let first: Place | undefined;
  let last: Place | undefined;

  const use = (place: Place) => {
    if (!first || place.ordinal < first.ordinal) first = place;
    if (!last || place.ordinal > last.ordinal) last = place;
  };

  return {
    add(index, set) {
      const parsed = parseReadingSet(set);
      if (!parsed.ok) throw new Fault("READING_MALFORMED", `entry ${index}: ${parsed.message}`, { hint: "nexus ledger fsck" });
      const said_ms = Date.parse(set.at);
      const at_ms = Math.max(said_ms, latest_ms);
      if (at_ms !== said_ms && isInside(period, at_ms)) {
        seen.push({ what: "clock", index, series: "", was: new Date(at_ms).toISOString(), now: set.at });
      }
      if (at_ms - latest_ms > GAP_MS && latest_ms !== Number.NEGATIVE_INFINITY && latest_ms < period.end_ms && at_ms > period.start_ms) {
        seen.push({ what: "gap", index, series: "", was: new Date(latest_ms).toISOString(), now: set.at });
      }
      latest_ms = at_ms;
      const place = { index, ordinal: ordinal++ };
      for (const reading of set.readings) {
        const name = seriesName(reading);
        const value = BigInt(reading.value);
        let series = all.get(name);
        if (!series) {
          series = { name, resource: reading.resource, value: 0n, at_ms, place, base: 0n, basePlace: undefined, usage: 0n, fall: undefined, readInside: false };
          all.set(name, series);
        } else if (RESOURCES[reading.resource].kind === "gauge") {
          const held_ms = Math.min(at_ms, period.end_ms) - Math.max(series.at_ms, period.start_ms);
          if (held_ms > 0) {
            series.usage += series.value * BigInt(held_ms);
            use(series.place);
            use(place);
          }
        }
        if (isInside(period, at_ms)) {
          series.readInside = true;
          use(place);
        }
        if (RESOURCES[reading.resource].kind === "counter") count(period, series, value, at_ms, place, use);
        series.value = value;
        series.at_ms = at_ms;
        series.place = place;
      }
    },
    quantities() {
      const sums = Object.fromEntries(Object.keys(RESOURCES).map((resource) => [resource, 0n])) as Record<Resource, bigint>;
      for (const series of all.values()) sums[series.resource] += series.usage;
      return sums;
    },
    used() {
      return { first: first?.index ?? null, last: last?.index ?? null, count: first && last ? last.ordinal - first.ordinal + 1 : 0 };
    },
    flags() {
      const falls = [...all.values()].flatMap(({ fall, readInside }) => (fall && (fall.inside || readInside) ? [fall] : []));
      return [...seen, ...falls.map(({ inside: _, ...flag }) => flag)].sort((a, b) => a.index - b.index || (a.series < b.series ? -1 : 1));
    },
  };
}

function count(period: Period, series: Series, value: bigint, at_ms: number, place: Place, use: (place: Place) => void): void {
  if (series.fall || at_ms > period.end_ms) return;
  if (value < series.value) {
    series.fall = { what: "fell", index: place.index, series: series.name, was: String(series.value), now: String(value), inside: at_ms > period.start_ms };
    return;
  }
  if (at_ms <= period.start_ms) {
    series.base = value;
    series.basePlace = place;
    return;
  }
  series.usage = value - series.base;
  if (series.basePlace) use(series.basePlace);
}

function isInside(period: Period, at_ms: number): boolean {
  return at_ms > period.start_ms && at_ms <= period.end_ms;
}

function seriesName({ resource, boot, epoch }: Pick<Reading, "resource" | "boot" | "epoch">): string {
  return `${resource} boot ${boot} epoch ${epoch}`;
}

function malformed(why: string): Outcome<never> {
  return refuse("usage", "BAD_READING", `reading set: ${why}`, "read the engines again");
}
