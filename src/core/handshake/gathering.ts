import { type ReadingLife, type ReadingSet, type ReadingSummary, RESOURCES, type Resource } from "../../contract/index.ts";
import { SUMMARY_MS_MAX, SUMMARY_WORDS_MAX } from "./reading-form.ts";
import { isLess } from "./series.ts";

/** Months begin and end on a quarter of an hour in every time zone there is: what a counter said last before each is kept. */
export const MARK_MS = 15 * 60_000;

/** What of a unit's readings was recorded last, and what was read since. */
export interface Gathered {
  readonly recorded?: ReadingSet;
  readonly held?: Held;
}

/** Sets that wait to stand in one entry. Those that would say nothing more are not kept. */
interface Held {
  /** When the first was read. */
  readonly from: string;
  /** Those at which a level changed, and those after which a counter may be asked for. */
  readonly levels: readonly ReadingSet[];
  readonly counters: readonly ReadingSet[];
  readonly last: ReadingSet;
}

/**
 * One more set was read: what is to be recorded now, oldest first, and what is known then. All sets of half an hour come to one entry: of each gauge
 * every level with the instant since which it holds, of each counter its last value, and the one before each quarter of an hour. Values are absolute and
 * a level holds until the next one, so a month comes to the same, to the last unit, as from the sets one by one (a test holds rating to it).
 * What a series came to before it ended, before a counter fell and before the clock went back stands in an entry of its own.
 * @param always whatever it says, because somebody asked for it
 */
export function gather({ recorded, held }: Gathered, set: ReadingSet, always = false): { readonly write: readonly ReadingSummary[]; readonly known: Gathered } {
  const before = held?.last ?? recorded;
  if (!recorded || !before) return { write: [summaryOf(undefined, alone(set))], known: { recorded: set } };
  const now = valuesOf(set);
  const breaks = Date.parse(set.at) <= Date.parse(before.at) || breaksWith(before, now);
  const more = held && !breaks ? holding(recorded, held, set) : undefined;
  // What does not go on from what is held begins anew.
  const write = held && !more ? [summaryOf(recorded, held)] : [];
  const latest = held && !more ? held.last : recorded;
  const holds = more ?? alone(set);
  if (always || breaks || Date.parse(set.at) - Date.parse(latest.at) >= SUMMARY_MS_MAX) return { write: [...write, summaryOf(latest, holds)], known: { recorded: set } };
  return { write, known: { recorded: latest, held: holds } };
}

function alone(set: ReadingSet): Held {
  return { from: set.at, levels: [], counters: [], last: set };
}

/** A series more or less, or a counter that fell. */
function breaksWith(before: ReadingSet, now: ReadonlyMap<string, string>): boolean {
  if (before.readings.length !== now.size) return true;
  return before.readings.some((reading) => {
    const value = now.get(nameOf(reading));
    return value === undefined || (RESOURCES[reading.resource].kind === "counter" && isLess(value, reading.value));
  });
}

/** undefined: it would say more than one entry may. */
function holding(recorded: ReadingSet, held: Held, set: ReadingSet): Held | undefined {
  if (Date.parse(set.at) - Date.parse(held.from) > SUMMARY_MS_MAX) return undefined;
  const { last } = held;
  const levels = differ("gauge", held.levels.at(-1) ?? recorded, last) ? [...held.levels, last] : held.levels;
  const passed = markOf(last) !== markOf(set) && differ("counter", held.counters.at(-1) ?? recorded, last);
  const counters = passed ? [...held.counters, last] : held.counters;
  const words = set.readings.reduce((sum, { resource }) => sum + 1 + (RESOURCES[resource].kind === "gauge" ? levels : counters).length, 0);
  return words > SUMMARY_WORDS_MAX ? undefined : { from: held.from, levels, counters, last: set };
}

/** Where the quarter of an hour begins that a set is in; a quarter's last instant belongs to it. */
function markOf({ at }: ReadingSet): number {
  const before_ms = Date.parse(at) - 1;
  return before_ms - (before_ms % MARK_MS);
}

function differ(kind: "gauge" | "counter", known: ReadingSet, set: ReadingSet): boolean {
  const values = valuesOf(known);
  return set.readings.some((reading) => RESOURCES[reading.resource].kind === kind && values.get(nameOf(reading)) !== reading.value);
}

function summaryOf(recorded: ReadingSet | undefined, { from, levels, counters, last }: Held): ReadingSummary {
  const known = valuesOf(recorded);
  const told = { gauge: levels.map(valuesOf), counter: counters.map(valuesOf) };
  const lives = new Map<string, { boot: string; epoch: string; values: Partial<Record<Resource, string>> }>();
  for (const reading of last.readings) {
    const { resource, boot, epoch, value } = reading;
    const name = nameOf(reading);
    const before = told[RESOURCES[resource].kind].map((values) => values.get(name) as string);
    const life = lives.get(`${boot} ${epoch}`) ?? { boot, epoch, values: {} };
    lives.set(`${boot} ${epoch}`, life);
    // As it was recorded before until its last word.
    life.values[resource] = before.every((word) => word === known.get(name)) ? value : [...before, value].join(" ");
  }
  const after = (set: ReadingSet) => Date.parse(set.at) - Date.parse(from);
  return { v: 2, imvu: last.imvu, from, at: last.at, levels: levels.map(after), counters: counters.map(after), lives: [...lives.values()] satisfies readonly ReadingLife[] };
}

function valuesOf(set: ReadingSet | undefined): ReadonlyMap<string, string> {
  return new Map((set?.readings ?? []).map((reading) => [nameOf(reading), reading.value]));
}

function nameOf({ resource, boot, epoch }: ReadingSet["readings"][number]): string {
  return `${resource} ${boot} ${epoch}`;
}
