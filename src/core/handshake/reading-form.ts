import { type MeterReading, RESOURCES, type Reading, type ReadingSet, type Resource } from "../../contract/index.ts";
import { accept, type ImvuId, type Outcome, parseImvuId, refuse } from "../../kernel/index.ts";
import { isInstant } from "./tariff.ts";

/** An entry tells of no more than half an hour: what is longer apart stands in two. */
export const SUMMARY_MS_MAX = 30 * 60_000;
/** So many series, and words of all of them together, of at most so many characters: a summary fits an entry whatever engines say. */
export const SUMMARY_SERIES_MAX = 64;
export const SUMMARY_WORDS_MAX = 320;
const NAME = /^[!#-[\]-~]{1,64}$/;
const WORDS = /^(?:0|[1-9]\d{0,38})(?: (?:0|[1-9]\d{0,38}))*$/;
const SUMMARY_MEMBERS = ["at", "counters", "from", "imvu", "levels", "lives", "v"].join();
const LIFE_MEMBERS = ["boot", "epoch", "values"].join();

/** What one entry says of one series: values, and the instants at which they were read. */
export interface ToldSeries {
  readonly resource: Resource;
  readonly boot: string;
  readonly epoch: string;
  readonly at_ms: readonly number[];
  readonly values: readonly string[];
}

/** A `meter.reading` entry of either form, taken apart. */
export interface Told {
  readonly imvu: ImvuId;
  readonly from: string;
  readonly from_ms: number;
  readonly at_ms: number;
  readonly series: readonly ToldSeries[];
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
  if (typeof at !== "string" || !isInstant(at)) return malformed("at is not an RFC 3339 instant in UTC with milliseconds");
  return "v" in data ? toldInSummary(data as Record<string, unknown>, unit.value, at) : toldInSet(data as { readings?: unknown }, unit.value, at);
}

function toldInSet({ readings }: { readonly readings?: unknown }, imvu: ImvuId, at: string): Outcome<Told> {
  if (!Array.isArray(readings)) return malformed("readings is not a list");
  const at_ms = Date.parse(at);
  const only = [at_ms];
  const seen = new Set<string>();
  const series: ToldSeries[] = [];
  for (const reading of readings as Partial<Record<keyof Reading, unknown>>[]) {
    const { resource, value, boot, epoch } = reading ?? {};
    if (!isResource(resource)) return malformed(`${JSON.stringify(resource)} is no resource`);
    if (typeof value !== "string" || !WORDS.test(value) || value.includes(" ")) return malformed(`${resource}: value is not a non-negative integer`);
    if (typeof boot !== "string" || typeof epoch !== "string") return malformed(`${resource}: boot or epoch is missing`);
    const name = seriesName({ resource, boot, epoch });
    if (seen.has(name)) return malformed(`${name} is read twice in one set`);
    seen.add(name);
    series.push({ resource, boot, epoch, at_ms: only, values: [value] });
  }
  return accept({ imvu, from: at, from_ms: at_ms, at_ms, series });
}

function toldInSummary(data: Readonly<Record<string, unknown>>, imvu: ImvuId, at: string): Outcome<Told> {
  const { v, from, levels, counters, lives } = data;
  if (v !== 2) return malformed(`v is ${JSON.stringify(v)}: readings are of the first form, without it, or of the second`);
  if (Object.keys(data).sort().join() !== SUMMARY_MEMBERS) return malformed(`has other members than ${SUMMARY_MEMBERS}`);
  if (typeof from !== "string" || !isInstant(from)) return malformed("from is not an RFC 3339 instant in UTC with milliseconds");
  const [from_ms, at_ms] = [Date.parse(from), Date.parse(at)];
  if (from_ms > at_ms) return malformed("from is after at");
  if (at_ms - from_ms > SUMMARY_MS_MAX) return malformed("tells of more than half an hour");
  const only = [at_ms];
  const gaugeAt = instantsOf(levels, from_ms, at_ms);
  if (!gaugeAt) return malformed("levels are not whole milliseconds after from, each later than the one before it and before at");
  const counterAt = instantsOf(counters, from_ms, at_ms);
  if (!counterAt) return malformed("counters are not whole milliseconds after from, each later than the one before it and before at");
  if (!Array.isArray(lives)) return malformed("lives is not a list");
  const seen = new Set<string>();
  const series: ToldSeries[] = [];
  let words = 0;
  for (const life of lives as ({ boot?: unknown; epoch?: unknown; values?: unknown } | null)[]) {
    if (typeof life !== "object" || life === null || Object.keys(life).sort().join() !== LIFE_MEMBERS) return malformed(`a life has other members than ${LIFE_MEMBERS}`);
    const { boot, epoch } = life;
    if (typeof boot !== "string" || !NAME.test(boot) || typeof epoch !== "string" || !NAME.test(epoch)) return malformed("boot or epoch is not 1 to 64 visible ASCII characters without quotes");
    const name = `boot ${boot} epoch ${epoch}`;
    if (seen.has(name)) return malformed(`${name} stands in it twice`);
    seen.add(name);
    if (typeof life.values !== "object" || life.values === null || Array.isArray(life.values)) return malformed(`${name}: values is not an object`);
    for (const [resource, text] of Object.entries(life.values)) {
      if (!isResource(resource)) return malformed(`${JSON.stringify(resource)} is no resource`);
      if (typeof text !== "string" || !WORDS.test(text)) return malformed(`${resource}: its words are not non-negative integers with a space between`);
      const values = text.includes(" ") ? text.split(" ") : [text];
      const when = values.length === 1 ? only : RESOURCES[resource].kind === "gauge" ? gaugeAt : counterAt;
      if (values.length !== when.length) return malformed(`${resource}: ${values.length} words for ${when.length} instants`);
      words += values.length;
      series.push({ resource, boot, epoch, at_ms: when, values });
    }
  }
  if (series.length > SUMMARY_SERIES_MAX) return malformed(`has more than ${SUMMARY_SERIES_MAX} series`);
  if (words > SUMMARY_WORDS_MAX) return malformed(`has more than ${SUMMARY_WORDS_MAX} words`);
  return accept({ imvu, from, from_ms, at_ms, series });
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

export function seriesName({ resource, boot, epoch }: Pick<Reading, "resource" | "boot" | "epoch">): string {
  return `${resource} boot ${boot} epoch ${epoch}`;
}

function isResource(name: unknown): name is Resource {
  return typeof name === "string" && Object.hasOwn(RESOURCES, name);
}

function malformed(why: string): Outcome<never> {
  return refuse("usage", "BAD_READING", `readings: ${why}`, "read the engines again");
}
