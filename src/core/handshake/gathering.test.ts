import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type MeterReading, RESOURCES, type Reading, type ReadingSet, type ReadingSummary, type Resource } from "../../contract/index.ts";
import { BODY_BYTES_MAX } from "../ledger/entry.ts";
import { canonicalJson, imvuIdOf, type Json } from "../../kernel/index.ts";
import { type Gathered, gather, MARK_MS } from "./gathering.ts";
import { type Period, parsePeriod } from "./period.ts";
import { type Rated, Rating } from "./rating.ts";
import { lastSetOf, parseReadingSet, SUMMARY_MS_MAX, SUMMARY_SERIES_MAX } from "./reading-form.ts";
import { UsageByDay } from "./usage-by-day.ts";

const month = parsePeriod("2026-11");
assert.ok(month.ok);
const { start_ms, end_ms } = month.value;
const MINUTE_MS = 60_000;
const imvu = imvuIdOf(7);

interface World {
  at_ms: number;
  counted: number;
  answers: number;
  level: number;
  epoch: number;
  more: boolean;
}

function setOf({ at_ms, counted, answers, level, epoch, more }: World): ReadingSet {
  const of = (resource: Resource, value: number, life: string): Reading => ({ resource, value: String(value), boot: "b", epoch: life });
  const readings = [of("compute.cpu", counted, `${epoch}`), of("dns.answers", answers, "d"), of("compute.memory", level, `${epoch}`)];
  return { imvu, at: new Date(at_ms).toISOString(), readings: more ? [...readings, of("mail.storage", level + 1, "m"), of("mail.sent", counted, `m${epoch}`)] : readings };
}

const step = fc.record({
  ms: fc.oneof({ weight: 40, arbitrary: fc.integer({ min: 40_000, max: 80_000 }) }, fc.constant(0), fc.integer({ min: -5 * MINUTE_MS, max: 50 * MINUTE_MS }), fc.constantFrom(MARK_MS, 2 * MARK_MS)),
  used: fc.integer({ min: -1, max: 3 }), answers: fc.integer({ min: -2, max: 1 }), level: fc.integer({ min: 0, max: 3 }), odd: fc.integer({ min: 0, max: 300 }), snap: fc.integer({ min: 0, max: 20 }),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** A unit's life as its engines tell it: restarts, series that come and go, counters that fall, clocks that go back, gaps, readings right on a quarter. */
function life(begin_ms: number, steps: readonly Step[]): readonly ReadingSet[] {
  const world: World = { at_ms: begin_ms, counted: 10, answers: 10 ** 6, level: 5, epoch: 0, more: true };
  return steps.map(({ ms, used, answers, level, odd, snap }) => {
    world.at_ms += ms;
    if (snap === 13) world.at_ms = Math.ceil(world.at_ms / MARK_MS) * MARK_MS;
    world.counted += Math.max(0, used);
    world.answers += Math.max(0, answers);
    world.level = Math.max(0, level - 1) * 1_000;
    if (odd === 70) [world.counted, world.epoch] = [3, world.epoch + 1];
    if (odd === 71) world.counted -= 1;
    if (odd === 72) world.answers -= 5;
    if (odd === 73 || odd === 74) world.more = !world.more;
    return setOf(world);
  });
}

/** The entries that a platform writes of them, and which it had forgotten when it was killed and began anew. */
function recorded(sets: readonly ReadingSet[], always: ReadonlySet<number>, killed: ReadonlySet<number>) {
  let known: Gathered = {};
  let waiting: ReadingSet[] = [];
  const entries: ReadingSummary[] = [];
  const kept: ReadingSet[] = [];
  const forgotten: ReadingSet[] = [];
  for (const [at, set] of sets.entries()) {
    if (killed.has(at)) {
      forgotten.push(...waiting);
      [known, waiting] = [{}, []];
    }
    const { write, known: then } = gather(known, set, always.has(at) || at === sets.length - 1);
    waiting.push(set);
    entries.push(...write);
    known = then;
    if (!then.held) kept.push(...waiting.splice(0));
    else if (write.length > 0) kept.push(...waiting.splice(0, waiting.length - 1));
  }
  return { entries, kept, forgotten };
}

const periods = (quarter: number): readonly Period[] => [month.ok ? month.value : assert.fail(), { name: "elsewhere", start_ms: start_ms + quarter * MARK_MS, end_ms: end_ms + quarter * MARK_MS }];

test("a month comes to the same, to the last unit and with the same falls, from summaries as from the sets one by one, wherever on a quarter of an hour it begins and ends", () => {
  let [sets, entries, forgot] = [0, 0, 0];
  const history = fc.tuple(fc.constantFrom(start_ms, end_ms), fc.integer({ min: -200, max: 30 }), fc.array(step, { minLength: 40, maxLength: 150 }), fc.integer({ min: -8, max: 8 }), fc.array(fc.nat({ max: 149 }), { maxLength: 3 }), fc.array(fc.nat({ max: 149 }), { maxLength: 2 }));
  fc.assert(
    fc.property(history, ([around_ms, begin_min, steps, quarter, asked, killed]) => {
      const all = life(around_ms + begin_min * MINUTE_MS, steps);
      const made = recorded(all, new Set(asked), new Set(killed));
      assert.equal(made.kept.length + made.forgotten.length, all.length);
      const wire = made.entries.map((one) => JSON.parse(canonicalJson(one as unknown as Json)) as MeterReading);
      for (const one of wire) assert.ok(parseReadingSet(one).ok, JSON.stringify(parseReadingSet(one)));
      assert.deepEqual(wire.map(lastSetOf).at(-1)?.at, all.at(-1)?.at);
      for (const period of periods(quarter)) {
        const [single, summed] = [new Rating(period), new Rating(period)];
        for (const [index, set] of made.kept.entries()) single.add(index, set);
        for (const [index, one] of wire.entries()) summed.add(index, one);
        const [one, other] = [single.rated(period), summed.rated(period)];
        assert.deepEqual(other.quantities, one.quantities);
        const said = ({ flags }: Rated) => flags.filter(({ what }) => what !== "clock").map(({ index: _, ...flag }) => flag);
        const sorted = (flags: ReturnType<typeof said>) => flags.map((flag) => JSON.stringify(flag)).sort();
        assert.deepEqual(sorted(said(other)), sorted(said(one)));
        assert.equal(other.flags.some(({ what }) => what === "clock"), one.flags.some(({ what }) => what === "clock"));
      }
      sets += all.length;
      entries += wire.length;
      forgot += made.forgotten.length;
    }),
    { numRuns: 1_000 },
  );
  assert.ok(entries * 5 < sets && forgot > 1_000, `${entries} entries of ${sets} sets, ${forgot} forgotten`);
});

test("what a killed platform had forgotten loses no counter anything, and a level holds as it was recorded", () => {
  const at = (minute: number, counted: number, level: number) => setOf({ at_ms: start_ms + minute * MINUTE_MS, counted, answers: 1, level, epoch: 0, more: false });
  const first = gather({}, at(1, 100, 7));
  let known = first.known;
  for (let minute = 2; minute < 20; minute += 1) {
    const { write, known: then } = gather(known, at(minute, 100 + minute, 1_000));
    assert.deepEqual(write, []);
    known = then;
  }
  const again = gather({}, at(25, 150, 3));
  const rating = new Rating(periods(0)[0] as Period);
  for (const [index, one] of [...first.write, ...again.write].entries()) rating.add(index, one);
  assert.equal(rating.rated(periods(0)[0] as Period).quantities["compute.cpu"], 150n, "to the unit");
  assert.equal(rating.rated(periods(0)[0] as Period).quantities["compute.memory"], 7n * BigInt(24 * MINUTE_MS), "and not 1,000");
});

test("the days of a month add up to it from summaries too, also across midnight", () => {
  fc.assert(
    fc.property(fc.integer({ min: -100, max: 3_000 }), fc.array(step.filter(({ ms, odd }) => ms > 0 && (odd < 70 || odd > 74)), { minLength: 1, maxLength: 150 }), (begin_min, steps) => {
      const { entries } = recorded(life(start_ms + begin_min * MINUTE_MS, steps), new Set(), new Set());
      const [rating, days] = [new Rating(periods(0)[0] as Period), new UsageByDay(periods(0)[0] as Period)];
      for (const [index, one] of entries.entries()) {
        rating.add(index, one);
        days.add(index, one);
      }
      for (const resource of ["compute.cpu", "compute.memory", "mail.storage"] as const) {
        const sum = days.days().reduce((whole, { quantities }) => whole + BigInt(quantities[resource].replace(".", "")), 0n);
        assert.equal(sum, rating.rated(periods(0)[0] as Period).quantities[resource], resource);
      }
    }),
    { numRuns: 1_000 },
  );
});

/** A day of a unit that is read each minute. */
function day(reading: (minute: number) => Omit<World, "at_ms" | "epoch" | "more">): readonly ReadingSummary[] {
  let known: Gathered = {};
  const entries: ReadingSummary[] = [];
  for (let minute = 0; minute < 24 * 60; minute += 1) {
    const { write, known: then } = gather(known, setOf({ at_ms: start_ms + 17_000 + minute * (MINUTE_MS + 3), epoch: 0, more: true, ...reading(minute) }));
    entries.push(...write);
    known = then;
  }
  return entries;
}

test("a day is under 50 entries, idle or never idle", () => {
  assert.equal(day(() => ({ counted: 1, answers: 1, level: 1 })).length, 48);
  assert.equal(day((minute) => ({ counted: minute, answers: 5 * minute, level: 1_000 + minute })).length, 48);
  assert.equal(day((minute) => ({ counted: Math.floor(minute / 60), answers: 1, level: minute % 7 })).length, 48);
});

test("of counters the values before a quarter of an hour and the last are told, of gauges every level, of what stood still one word", () => {
  const entry = day((minute) => ({ counted: minute, answers: 9, level: minute < 35 ? 1 : minute < 40 ? 2 : 3 }))[2] as ReadingSummary;
  // Minutes 31 to 60 from 17 s after the hour.
  assert.deepEqual([entry.from, entry.at], [new Date(start_ms + 17_000 + 31 * (MINUTE_MS + 3)).toISOString(), new Date(start_ms + 17_000 + 60 * (MINUTE_MS + 3)).toISOString()]);
  assert.deepEqual(entry.counters, [44, 59].map((minute) => (minute - 31) * (MINUTE_MS + 3)));
  assert.deepEqual(entry.levels, [35, 40].map((minute) => (minute - 31) * (MINUTE_MS + 3)));
  const told = Object.assign({}, ...entry.lives.map(({ values }) => values)) as Record<Resource, string>;
  assert.deepEqual(told, { "compute.cpu": "44 59 60", "compute.memory": "2 3 3", "dns.answers": "9", "mail.storage": "3 4 4", "mail.sent": "44 59 60" });
});

test("a series more or less, a counter that fell, a clock that went back or stood still, and half an hour end an entry; whoever asks gets one", () => {
  const world: World = { at_ms: start_ms + MARK_MS + 1, counted: 5, answers: 5, level: 5, epoch: 0, more: true };
  const after = (ms: number, change: Partial<World> = {}) => setOf({ ...world, at_ms: world.at_ms + ms, ...change });
  const known = { recorded: after(0) };
  const { write, known: then } = gather(known, after(MINUTE_MS, { level: 6 }));
  assert.deepEqual(write, []);
  const ends = (set: ReadingSet, always = false) => gather(then, set, always).write.map(({ from, at }) => [Date.parse(from) - world.at_ms, Date.parse(at) - world.at_ms]);
  assert.deepEqual(ends(after(2 * MINUTE_MS)), []);
  assert.deepEqual(ends(after(2 * MINUTE_MS), true), [[MINUTE_MS, 2 * MINUTE_MS]]);
  for (const change of [{ epoch: 1 }, { more: false }, { counted: 4 }, { answers: 4 }]) assert.deepEqual(ends(after(2 * MINUTE_MS, change)), [[MINUTE_MS, MINUTE_MS], [2 * MINUTE_MS, 2 * MINUTE_MS]], JSON.stringify(change));
  for (const ms of [MINUTE_MS, MINUTE_MS - 1]) assert.deepEqual(ends(after(ms)), [[MINUTE_MS, MINUTE_MS], [ms, ms]]);
  assert.deepEqual(ends(after(SUMMARY_MS_MAX - 1)), []);
  assert.deepEqual(ends(after(SUMMARY_MS_MAX)), [[MINUTE_MS, SUMMARY_MS_MAX]]);
  assert.deepEqual(ends(after(SUMMARY_MS_MAX + MINUTE_MS)), [[MINUTE_MS, SUMMARY_MS_MAX + MINUTE_MS]]);
  const late = SUMMARY_MS_MAX + MINUTE_MS + 1;
  assert.deepEqual(ends(after(late)), [[MINUTE_MS, MINUTE_MS], [late, late]], "engines that did not answer for so long");
  assert.equal(gather(known, after(MINUTE_MS, { more: false })).write.length, 1, "nothing was held");
});

test("an entry fits the ledger whatever engines say, and is written early when it would not", () => {
  const all = Object.keys(RESOURCES) as Resource[];
  const series = Array.from({ length: SUMMARY_SERIES_MAX }, (_, at) => ({ resource: all[at % all.length] as Resource, boot: "x".repeat(64), epoch: `${at}`.padStart(64, "e") }));
  const setAt = (second: number): ReadingSet => ({ imvu, at: new Date(start_ms + second * 1_000).toISOString(), readings: series.map((one) => ({ ...one, value: String(10n ** 38n + BigInt(second)) })) });
  for (const wide of [false, true]) {
    let known: Gathered = {};
    const entries: ReadingSummary[] = [];
    for (let second = 0; second < 3_600; second += 1) {
      const set = setAt(second);
      const { write, known: then } = gather(known, wide ? set : { ...set, readings: set.readings.slice(0, 13) });
      entries.push(...write);
      known = then;
    }
    assert.ok(entries.length > 3);
    for (const one of entries) {
      assert.ok(parseReadingSet(one).ok, JSON.stringify(parseReadingSet(one)));
      assert.ok(Buffer.byteLength(canonicalJson(one as unknown as Json)) < BODY_BYTES_MAX - 1_024, `${Buffer.byteLength(canonicalJson(one as unknown as Json))}`);
    }
  }
});
