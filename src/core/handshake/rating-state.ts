import type { Resource } from "../../contract/index.ts";
import { Fault, type TimeZone } from "../../kernel/index.ts";
import { parsePeriod } from "./period.ts";
import type { MeterFlag, Place, RatedMonth } from "./rated-months.ts";
import type { Part, Series } from "./series.ts";

/** Changes with whatever the state of a rating says, or what is made of it. */
export const STATE_V = 1;

type WrittenPlace = readonly [index: number, ordinal: number] | null;

/** A rating as it stands after an entry, as JSON: who goes on from it comes to what the whole stream comes to. */
export interface RatingState {
  readonly v: typeof STATE_V;
  readonly latest_ms: number | null;
  readonly ordinal: number;
  readonly months: readonly { readonly name: string; readonly first: WrittenPlace; readonly last: WrittenPlace; readonly flags: readonly MeterFlag[] }[];
  readonly series: readonly WrittenSeries[];
}

export interface WrittenSeries {
  readonly resource: Resource;
  readonly life: string;
  readonly value: string;
  readonly at_ms: number;
  readonly place: WrittenPlace;
  readonly fall: { readonly at_ms: number; readonly flag: MeterFlag } | null;
  readonly parts: readonly { readonly month: string; readonly base: string; readonly end: string; readonly usage: string; readonly readInside: boolean }[];
}

export function writtenMonth({ period, first, last, flags }: RatedMonth): RatingState["months"][number] {
  return { name: period.name, first: writtenPlace(first), last: writtenPlace(last), flags };
}

export function readMonth({ name, first, last, flags }: RatingState["months"][number], zone: TimeZone): RatedMonth {
  const period = parsePeriod(name, zone);
  if (!period.ok) throw new Fault("RATING_STATE_BAD", period.message);
  return { period: period.value, first: readPlace(first), last: readPlace(last), flags: [...flags] };
}

/** Of a series whose level was added up. */
export function writtenSeries({ resource, life, value, at_ms, place, fall, parts }: Series): WrittenSeries {
  const all = [...parts].map(([{ period }, { base, end, usage, readInside }]) => ({ month: period.name, base, end, usage: String(usage), readInside }));
  return { resource, life, value, at_ms, place: writtenPlace(place), fall: fall ?? null, parts: all };
}

export function readInto(series: Series, { value, at_ms, place, fall, parts }: WrittenSeries, months: readonly RatedMonth[]): void {
  series.value = value;
  series.at_ms = at_ms;
  series.place = readPlace(place);
  series.fall = fall ?? undefined;
  for (const { month: name, base, end, usage, readInside } of parts) {
    const month = months.find(({ period }) => period.name === name);
    if (!month) throw new Fault("RATING_STATE_BAD", `${series.name}: ${name} is no month of the state`);
    series.parts.set(month, { base, end, usage: BigInt(usage), held_ms: 0, readInside } satisfies Part);
  }
}

function writtenPlace(place: Place | undefined): WrittenPlace {
  return place ? [place.index, place.ordinal] : null;
}

function readPlace(written: WrittenPlace): Place | undefined {
  return written ? { index: written[0], ordinal: written[1] } : undefined;
}
