import { type MeterReading, RESOURCES, type Reading, type ReadingSet, type Resource } from "../../contract/index.ts";
import { accept, type ImvuId, type Outcome, parseImvuId, refuse } from "../../kernel/index.ts";

/** An entry tells of no more than half an hour: what is longer apart stands in two. */
export const SUMMARY_MS_MAX = 30 * 60_000;
/** So many series, and words of all of them together, of at most so many characters: a summary fits an entry whatever engines say. */
export const SUMMARY_SERIES_MAX = 64;
export const SUMMARY_WORDS_MAX = 320;
const NAME = /^[!#-[\]-~]{1,64}$/;
/** Digits of a value, which has no leading zero. */
const DIGITS_MAX = 39;
const [SPACE, ZERO, NINE] = [32, 48, 57];
/** Members of a summary, and of a life in it: each is asked for by name, so it has no other when it has so many. */
const SUMMARY_MEMBERS = 7;
const LIFE_MEMBERS = 3;

/** What one entry says of one series: values, and the instants at which they were read. */
export interface ToldSeries {
  readonly resource: Resource;
  readonly at_ms: readonly number[];
  readonly values: readonly string[];
}

/** Series of one (boot, epoch), under the name that both make. */
export interface ToldLife {
  readonly name: string;
  readonly series: readonly ToldSeries[];
}

/** A `meter.reading` entry of either form, taken apart. */
export interface Told {
  readonly imvu: ImvuId;
  readonly from: string;
  readonly from_ms: number;
  readonly at_ms: number;
  readonly lives: readonly ToldLife[];
}

export function parseReadingSet(data: unknown): Outcome<MeterReading> {
  const told = toldIn(data);
  return told.ok ? accept(data as MeterReading) : told;
}

/** The set that an entry ends with: all its series at `at`. */
export function lastSetOf(reading: MeterReading): ReadingSet {
  if (!("v" in reading)) return reading;
  const readings = reading.lives.flatMap(({ boot, epoch, values }) => (Object.keys(values) as Resource[]).map((resource): Reading => ({ resource, value: values[resource]?.split(" ").at(-1) as string, boot, epoch })));
  return { imvu: reading.imvu, at: reading.at, readings };
}

/** Whose series an entry has, sorted. */
export function resourcesOf(reading: MeterReading): readonly Resource[] {
  return [...new Set(lastSetOf(reading).readings.map(({ resource }) => resource))].sort();
}

export function toldIn(data: unknown): Outcome<Told> {
  if (typeof data !== "object" || data === null) return malformed("is not an object");
  const { imvu, at } = data as { readonly imvu?: unknown; readonly at?: unknown };
  const unit = parseImvuId(imvu);
  if (!unit.ok) return malformed("imvu is not an IMVU id");
  const at_ms = instantOf(at);
  if (at_ms === undefined) return malformed("at is not an RFC 3339 instant in UTC with milliseconds");
  return "v" in data ? toldInSummary(data as Record<string, unknown>, unit.value, at_ms) : toldInSet(data as { at: string; readings?: unknown }, unit.value, at_ms);
}

function toldInSet({ at, readings }: { readonly at: string; readonly readings?: unknown }, imvu: ImvuId, at_ms: number): Outcome<Told> {
  if (!Array.isArray(readings)) return malformed("readings is not a list");
  const only = [at_ms];
  const seen = new Set<string>();
  const lives: ToldLife[] = [];
  for (const reading of readings as Partial<Record<keyof Reading, unknown>>[]) {
    const { resource, value, boot, epoch } = reading ?? {};
    if (!isResource(resource)) return malformed(`${JSON.stringify(resource)} is no resource`);
    if (typeof value !== "string" || wordsIn(value)?.length !== 1) return malformed(`${resource}: value is not a non-negative integer`);
    if (typeof boot !== "string" || typeof epoch !== "string") return malformed(`${resource}: boot or epoch is missing`);
    const name = lifeName(boot, epoch);
    if (seen.has(`${resource} ${name}`)) return malformed(`${resource} ${name} is read twice in one set`);
    seen.add(`${resource} ${name}`);
    lives.push({ name, series: [{ resource, at_ms: only, values: [value] }] });
  }
  return accept({ imvu, from: at, from_ms: at_ms, at_ms, lives });
}

function toldInSummary(data: Readonly<Record<string, unknown>>, imvu: ImvuId, at_ms: number): Outcome<Told> {
  const { v, from, levels, counters } = data;
  if (v !== 2) return malformed(`v is ${JSON.stringify(v)}: readings are of the first form, without it, or of the second`);
  if (Object.keys(data).length !== SUMMARY_MEMBERS) return malformed("has other members than v, imvu, from, at, levels, counters and lives");
  const from_ms = instantOf(from);
  if (from_ms === undefined) return malformed("from is not an RFC 3339 instant in UTC with milliseconds");
  if (from_ms > at_ms) return malformed("from is after at");
  if (at_ms - from_ms > SUMMARY_MS_MAX) return malformed("tells of more than half an hour");
  const times = { only: [at_ms], gauge: instantsOf(levels, from_ms, at_ms), counter: instantsOf(counters, from_ms, at_ms) };
  if (!times.gauge) return malformed("levels are not whole milliseconds after from, each later than the one before it and before at");
  if (!times.counter) return malformed("counters are not whole milliseconds after from, each later than the one before it and before at");
  if (!Array.isArray(data.lives)) return malformed("lives is not a list");
  if (data.lives.length > SUMMARY_SERIES_MAX) return malformed(`has more than ${SUMMARY_SERIES_MAX} lives`);
  const seen = new Set<string>();
  const lives: ToldLife[] = [];
  for (const one of data.lives) {
    const life = toldOf(one, times as Times);
    if (!life.ok) return life;
    if (seen.has(life.value.name)) return malformed(`${life.value.name} stands in it twice`);
    seen.add(life.value.name);
    lives.push(life.value);
  }
  let [series, words] = [0, 0];
  for (const life of lives) {
    series += life.series.length;
    for (const { values } of life.series) words += values.length;
  }
  if (series > SUMMARY_SERIES_MAX) return malformed(`has more than ${SUMMARY_SERIES_MAX} series`);
  if (words > SUMMARY_WORDS_MAX) return malformed(`has more than ${SUMMARY_WORDS_MAX} words`);
  return accept({ imvu, from: from as string, from_ms, at_ms, lives });
}

/** Instants of a lone word, and of many, by kind. */
type Times = { readonly [kind in "only" | "gauge" | "counter"]: readonly number[] };

function toldOf(life: unknown, times: Times): Outcome<ToldLife> {
  if (typeof life !== "object" || life === null || Object.keys(life).length !== LIFE_MEMBERS) return malformed("a life has other members than boot, epoch and values");
  const { boot, epoch, values: all } = life as { boot?: unknown; epoch?: unknown; values?: unknown };
  if (typeof boot !== "string" || !NAME.test(boot) || typeof epoch !== "string" || !NAME.test(epoch)) return malformed("boot or epoch is not 1 to 64 visible ASCII characters without quotes");
  const name = lifeName(boot, epoch);
  if (typeof all !== "object" || all === null || Array.isArray(all)) return malformed(`${name}: values is not an object`);
  const series: ToldSeries[] = [];
  for (const resource of Object.keys(all)) {
    const text = (all as Record<string, unknown>)[resource];
    if (!isResource(resource)) return malformed(`${JSON.stringify(resource)} is no resource`);
    const values = typeof text === "string" ? wordsIn(text) : undefined;
    if (!values) return malformed(`${resource}: its words are not non-negative integers with a space between`);
    const at_ms = values.length === 1 ? times.only : times[RESOURCES[resource].kind];
    if (values.length !== at_ms.length) return malformed(`${resource}: ${values.length} words for ${at_ms.length} instants`);
    series.push({ resource, at_ms, values });
  }
  return accept({ name, series });
}

/** Each is looked at once, letter by letter: a month of a busy unit has some hundred thousand, and a pattern takes several times as long. */
function wordsIn(text: string): readonly string[] | undefined {
  const words: string[] = [];
  let begun = 0;
  for (let at = 0; at <= text.length; at += 1) {
    const letter = at < text.length ? text.charCodeAt(at) : SPACE;
    if (letter === SPACE) {
      const digits = at - begun;
      if (digits === 0 || digits > DIGITS_MAX || (digits > 1 && text.charCodeAt(begun) === ZERO)) return undefined;
      words.push(text.slice(begun, at));
      begun = at + 1;
    } else if (letter < ZERO || letter > NINE) return undefined;
  }
  return words;
}

/** The instants themselves, and `at` behind them. */
function instantsOf(offsets: unknown, from_ms: number, at_ms: number): readonly number[] | undefined {
  if (!Array.isArray(offsets) || offsets.length >= SUMMARY_WORDS_MAX) return undefined;
  const instants: number[] = [];
  let before = -1;
  for (const offset of offsets as unknown[]) {
    if (typeof offset !== "number" || !Number.isSafeInteger(offset) || offset <= before || from_ms + offset >= at_ms) return undefined;
    instants.push(from_ms + offset);
    before = offset;
  }
  instants.push(at_ms);
  return instants;
}

function lifeName(boot: string, epoch: string): string {
  return `boot ${boot} epoch ${epoch}`;
}

/** Milliseconds of an RFC 3339 instant in UTC that exists, with milliseconds. */
function instantOf(text: unknown): number | undefined {
  const at_ms = typeof text === "string" ? Date.parse(text) : Number.NaN;
  return !Number.isNaN(at_ms) && new Date(at_ms).toISOString() === text ? at_ms : undefined;
}

function isResource(name: unknown): name is Resource {
  return typeof name === "string" && Object.hasOwn(RESOURCES, name);
}

function malformed(why: string): Outcome<never> {
  return refuse("usage", "BAD_READING", `readings: ${why}`, "read the engines again");
}
