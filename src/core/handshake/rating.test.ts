import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { MeterReading, Reading, ReadingSet, ReadingSummary, Resource } from "../../contract/index.ts";
import { imvuIdOf, type TimeZone, UTC } from "../../kernel/index.ts";
import { type Period, parsePeriod, parseReadingSet, periodAfter, periodOf, Rating, type RatingState } from "./index.ts";

const imvu = imvuIdOf(42);
const november = month("2026-11");

function month(name: string, zone: TimeZone = UTC): Period {
  const parsed = parsePeriod(name, zone);
  assert.ok(parsed.ok);
  return parsed.value;
}

function read(resource: Resource, value: number | bigint, epoch = "e1", boot = "b1"): Reading {
  return { resource, value: String(value), boot, epoch };
}

function set(at_ms: number, ...readings: Reading[]): ReadingSet {
  return { imvu, at: new Date(at_ms).toISOString(), readings };
}

function rate(sets: readonly MeterReading[], period = november) {
  const rating = new Rating(period);
  for (const [index, one] of sets.entries()) rating.add(index * 10, one);
  return rating.rated(period);
}

const { start_ms, end_ms } = november;
const hour_ms = 3_600_000;

test("a month is UTC, closed at its end: its last instant is the next month's midnight", () => {
  assert.equal(new Date(start_ms).toISOString(), "2026-11-01T00:00:00.000Z");
  assert.equal(new Date(end_ms).toISOString(), "2026-12-01T00:00:00.000Z");
  assert.equal(periodOf(end_ms).name, "2026-11");
  assert.equal(periodOf(end_ms + 1).name, "2026-12");
  for (const wrong of ["2026-13", "2026-1", "26-11", "2026-11-01", "", undefined, " 2026-11", "2026-11\n"]) assert.equal(parsePeriod(wrong).ok, false, String(wrong));
});

test("counter: last value in the period minus last value before it", () => {
  const sets = [
    set(start_ms - 2 * hour_ms, read("dns.answers", 3)),
    set(start_ms - hour_ms, read("dns.answers", 10)),
    set(start_ms + hour_ms, read("dns.answers", 15)),
    set(end_ms - hour_ms, read("dns.answers", 110)),
    set(end_ms + hour_ms, read("dns.answers", 500)),
  ];
  const { quantities, used } = rate(sets);
  assert.equal(quantities["dns.answers"], 100n);
  assert.deepEqual(used, { first: 10, last: 30, count: 3 });
});

test("counter: a series that begins inside the period counts from zero; every epoch and boot counts for itself", () => {
  const sets = [
    set(start_ms + 1, read("mail.sent", 7), read("mail.sent", 1, "e2")),
    set(start_ms + 2, read("mail.sent", 9), read("mail.sent", 4, "e1", "b2")),
  ];
  assert.equal(rate(sets).quantities["mail.sent"], 9n + 1n + 4n);
});

test("counter: the base is found behind a gap of any length", () => {
  const sets = [
    set(start_ms - 1000 * hour_ms, read("network.out", 1_000, "old")),
    set(start_ms - hour_ms, read("network.in", 1)),
    set(start_ms + hour_ms, read("network.out", 1_500, "old")),
  ];
  const { quantities, used } = rate(sets);
  assert.equal(quantities["network.out"], 500n);
  assert.deepEqual(used, { first: 0, last: 20, count: 3 });
});

test("counter: a fall is flagged, billed up to it, and never guessed afterwards", () => {
  const sets = [set(start_ms + 1, read("dns.answers", 50)), set(start_ms + 2, read("dns.answers", 20)), set(start_ms + 3, read("dns.answers", 90))];
  const { quantities, flags } = rate(sets);
  assert.equal(quantities["dns.answers"], 50n);
  assert.deepEqual(flags, [{ what: "fell", index: 10, series: "dns.answers boot b1 epoch e1", was: "50", now: "20" }]);
  assert.equal(rate(sets, month("2026-12")).flags.length, 0, "an old fall of a dead series is not said again");
  const again = [...sets, set(start_ms + 4, read("dns.answers", 60))];
  assert.deepEqual(rate(again).flags, flags, "its first fall alone");
  const atOnce = rate([set(start_ms - 1, read("dns.answers", 50)), set(start_ms + 1, read("dns.answers", 20))]);
  assert.deepEqual([atOnce.quantities["dns.answers"], atOnce.used.first, atOnce.flags.length], [0n, 10, 1], "nothing rests on what it said before");
  assert.deepEqual(rate([set(start_ms + 1, read("dns.answers", 50)), set(end_ms + 1, read("dns.answers", 20))]).flags.map(({ what }) => what), ["gap"], "a fall after the month's end is not the month's");
  const later = [...sets, set(end_ms + hour_ms, read("dns.answers", 95))];
  assert.equal(rate(later, month("2026-12")).quantities["dns.answers"], 0n);
  assert.deepEqual(rate(later, month("2026-12")).flags.map(({ what }) => what), ["fell", "gap"]);
});

test("gauge: left rule in milliseconds, clipped to the period, nothing beyond the last reading", () => {
  const sets = [
    set(start_ms - 5_000, read("compute.memory", 100)),
    set(start_ms + 2_000, read("compute.memory", 300)),
    set(start_ms + 2_007, read("compute.memory", 0)),
  ];
  assert.equal(rate(sets).quantities["compute.memory"], 100n * 2_000n + 300n * 7n);
  assert.deepEqual(rate(sets).used, { first: 0, last: 20, count: 3 }, "from the reading that said the level with which the month began");
  const crossing = [set(end_ms - 10, read("compute.storage", 8)), set(end_ms + 90, read("compute.storage", 9))];
  assert.equal(rate(crossing).quantities["compute.storage"], 80n);
  assert.deepEqual(rate(crossing).used, { first: 0, last: 10, count: 2 }, "to the reading that ended it");
  assert.equal(rate(crossing, month("2026-12")).quantities["compute.storage"], 720n);
  assert.equal(rate([set(start_ms + 1, read("mail.storage", 5))]).quantities["mail.storage"], 0n);
});

test("a clock that went back neither bills nor refunds, and is flagged", () => {
  const sets = [set(start_ms + 1_000, read("compute.memory", 10)), set(start_ms + 400, read("compute.memory", 20)), set(start_ms + 1_500, read("compute.memory", 0))];
  const { quantities, flags } = rate(sets);
  assert.equal(quantities["compute.memory"], 20n * 500n);
  assert.equal(flags[0]?.what, "clock");
});

test("more than two hours without a set are a gap: flagged in each month they touch, billed as measured", () => {
  const at = (at_ms: number) => set(at_ms, read("compute.memory", 10));
  const gaps = (sets: readonly ReturnType<typeof at>[], period?: Parameters<typeof rate>[1]) => rate(sets, period).flags.map(({ what, was, now }) => [what, Date.parse(was), Date.parse(now)]);
  assert.deepEqual(gaps([at(start_ms + 1), at(start_ms + 1 + 2 * hour_ms)]), []);
  assert.deepEqual(gaps([at(start_ms + 1), at(start_ms + 2 + 2 * hour_ms)]), [["gap", start_ms + 1, start_ms + 2 + 2 * hour_ms]]);
  assert.equal(rate([at(start_ms + 1), at(start_ms + 1 + 5 * hour_ms)]).quantities["compute.memory"], 10n * 5n * BigInt(hour_ms));
  const over = [at(end_ms - 2 * hour_ms), at(end_ms + hour_ms)];
  assert.equal(gaps(over).length, 1);
  assert.equal(gaps(over, month("2026-12")).length, 1);
  assert.deepEqual(gaps(over, month("2027-01")), []);
  assert.deepEqual(gaps([at(start_ms - 3 * hour_ms), at(start_ms)]), [], "it ends as the month begins");
  assert.deepEqual(gaps([at(end_ms), at(end_ms + 3 * hour_ms)]), [], "it begins as the month ends");
  assert.deepEqual(gaps([at(start_ms + 3 * hour_ms)]), [], "nothing is missed before a unit's first");
});

/** A summary that begins `minutes` before it ends; offsets in minutes. */
function summary(at_ms: number, minutes: number, values: ReadingSummary["lives"][number]["values"], { levels = [], counters = [] }: { levels?: readonly number[]; counters?: readonly number[] } = {}): ReadingSummary {
  const ms = (offsets: readonly number[]) => offsets.map((one) => one * 60_000);
  return { v: 2, imvu, from: new Date(at_ms - minutes * 60_000).toISOString(), at: new Date(at_ms).toISOString(), levels: ms(levels), counters: ms(counters), lives: [{ boot: "b1", epoch: "e1", values }] };
}

test("a summary is what it tells, each value at its instant: across a month's end, in both forms by turns, and where a counter falls in it", () => {
  const minute_ms = 60_000;
  const entries = [
    set(end_ms - 20 * minute_ms, read("dns.answers", 10), read("compute.memory", 5)),
    summary(end_ms + 10 * minute_ms, 25, { "dns.answers": "17 40", "compute.memory": "6 7 8" }, { counters: [14], levels: [5, 24] }),
    set(end_ms + 11 * minute_ms, read("dns.answers", 41), read("compute.memory", 0)),
  ];
  const before = rate(entries);
  assert.equal(before.quantities["dns.answers"], 17n);
  assert.equal(before.quantities["compute.memory"], (5n * 10n + 6n * 10n) * BigInt(minute_ms));
  assert.deepEqual(before.used, { first: 0, last: 10, count: 2 });
  const after = rate(entries, month("2026-12"));
  assert.equal(after.quantities["dns.answers"], 41n - 17n);
  assert.equal(after.quantities["compute.memory"], (6n * 9n + 7n + 8n) * BigInt(minute_ms));
  assert.deepEqual(after.used, { first: 10, last: 20, count: 2 });
  const fell = rate([summary(start_ms + hour_ms, 20, { "dns.answers": "9 4 30" }, { counters: [3, 9] })]);
  assert.deepEqual([fell.quantities["dns.answers"], fell.flags], [9n, [{ what: "fell", index: 0, series: "dns.answers boot b1 epoch e1", was: "9", now: "4" }]]);
});

test("a gap is from an entry's end to the next one's beginning, and a clock that went back is said once of an entry", () => {
  const gaps = (minutes: number) => rate([set(start_ms + 1, read("dns.answers", 1)), summary(start_ms + 1 + 2.5 * hour_ms, minutes, { "dns.answers": "2" })]).flags;
  assert.deepEqual(gaps(30), []);
  assert.deepEqual(gaps(29).map(({ what, was, now }) => [what, Date.parse(was) - start_ms, Date.parse(now) - start_ms]), [["gap", 1, 1 + 2.5 * hour_ms - 29 * 60_000]]);
  const back = rate([set(start_ms + hour_ms, read("compute.memory", 3)), summary(start_ms + hour_ms - 1, 20, { "compute.memory": "100 200 50" }, { levels: [1, 9] }), set(start_ms + hour_ms + 10, read("compute.memory", 0))]);
  assert.deepEqual(back.flags, [{ what: "clock", index: 10, series: "", was: new Date(start_ms + hour_ms).toISOString(), now: new Date(start_ms + hour_ms - 1 - 20 * 60_000).toISOString() }]);
  assert.equal(back.quantities["compute.memory"], 50n * 10n, "all of it counts at the instant of the entry before");
});

test("property: months tile – whatever the readings, the usage of three months is the usage of all", () => {
  const resources: Resource[] = ["compute.cpu", "compute.memory"];
  const history = fc.array(
    fc.record({ gap_ms: fc.integer({ min: 1, max: 8 * 24 * hour_ms }), grow: fc.bigInt({ min: 0n, max: 2n ** 40n }), level: fc.bigInt({ min: 0n, max: 2n ** 40n }), epoch: fc.constantFrom("a", "b"), skip: fc.boolean() }),
    { minLength: 1, maxLength: 40 },
  );
  fc.assert(
    fc.property(history, (steps) => {
      let at_ms = Date.UTC(2026, 9, 3);
      const counters: Record<string, bigint> = { a: 0n, b: 0n };
      const first: Record<string, bigint | undefined> = {};
      let gauges = 0n;
      const held = new Map<string, { at_ms: number; level: bigint }>();
      const sets: ReadingSet[] = [];
      for (const { gap_ms, grow, level, epoch, skip } of steps) {
        at_ms += gap_ms;
        if (at_ms > Date.UTC(2027, 0, 1)) break;
        counters[epoch] = (counters[epoch] ?? 0n) + grow;
        if (skip) continue;
        first[epoch] = counters[epoch];
        const before = held.get(epoch);
        if (before) gauges += before.level * BigInt(at_ms - before.at_ms);
        held.set(epoch, { at_ms, level });
        sets.push(set(at_ms, read("compute.cpu", counters[epoch] ?? 0n, epoch), read("compute.memory", level, epoch)));
      }
      const sums = ["2026-10", "2026-11", "2026-12"].map((name) => rate(sets, month(name)).quantities);
      const total = (resource: Resource) => sums.reduce((sum, quantities) => sum + quantities[resource], 0n);
      assert.equal(total(resources[0] as Resource), (first.a ?? 0n) + (first.b ?? 0n));
      assert.equal(total(resources[1] as Resource), gauges);
    }),
    { numRuns: 2_000 },
  );
});

test("property: each month of one pass is what it would be alone, at every entry, and also of a rating that goes on from a written state", () => {
  const zone = "America/New_York" as TimeZone;
  const step = fc.record({
    gap_ms: fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 0, max: 3 * hour_ms }) }, fc.integer({ min: -hour_ms, max: 0 }), fc.integer({ min: 0, max: 50 * 24 * hour_ms })),
    grow: fc.integer({ min: -1, max: 5 }), level: fc.integer({ min: 0, max: 3 }), epoch: fc.constantFrom("a", "b"), to: fc.constantFrom("", "", "", "end"), two: fc.boolean(), parted: fc.boolean(),
  });
  let [fell, crossed, resumed] = [0, 0, 0];
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), fc.constantFrom("2026-09", "2026-10", "2026-12"), (steps, begin) => {
      const first = month(begin, zone);
      const periods = [first];
      while (periods.length < 6) periods.push(periodAfter(periods.at(-1) as Period, zone));
      const singles = periods.map((period) => new Rating(period));
      let one = new Rating(first, zone);
      let [at_ms, dropped] = [Date.UTC(2026, 8, 20), 0];
      const counters: Record<string, number> = { a: 5, b: 5 };
      for (const [index, { gap_ms, grow, level, epoch, to, two, parted }] of steps.entries()) {
        at_ms += gap_ms;
        if (to === "end") at_ms = periodOf(at_ms, zone).end_ms;
        counters[epoch] = Math.max(0, (counters[epoch] ?? 0) + grow);
        const values = { "dns.answers": String(counters[epoch]), "compute.memory": two ? `${level} ${level + 1}` : String(level) };
        const entry = two ? { ...summary(at_ms, 20, values, { levels: [3] }), lives: [{ boot: "b1", epoch, values }] } : set(at_ms, read("dns.answers", counters[epoch] ?? 0, epoch), read("compute.memory", level, epoch));
        for (const rating of [one, ...singles]) rating.add(index * 10, entry);
        for (const [nth, period] of periods.entries()) {
          const alone = (singles[nth] as Rating).rated(period);
          if (nth >= dropped) assert.deepEqual(one.rated(period), alone, `${period.name} after ${index}`);
          fell += alone.flags.filter(({ what }) => what === "fell").length;
        }
        if (!parted) continue;
        // Months that are over by what was read are let go, as when they close.
        while (dropped < periods.length - 1 && (periods[dropped] as Period).end_ms < at_ms) dropped += 1;
        crossed += dropped > 0 ? 1 : 0;
        one = Rating.from(JSON.parse(JSON.stringify(one.stateFrom(periods[dropped] as Period))) as RatingState, zone);
        resumed += 1;
      }
    }),
    { numRuns: 1_000 },
  );
  assert.ok(fell > 1_000 && crossed > 1_000 && resumed > 1_000, JSON.stringify({ fell, crossed, resumed }));
});

test("a year that no month has a name for ends the months, and whatever was read then is in none", () => {
  const rating = new Rating(november, UTC);
  for (const [index, at] of ["2026-11-01T00:00:00.000Z", "2999-12-31T00:00:00.000Z", "9999-12-31T00:00:00.000Z"].entries()) rating.add(index, set(Date.parse(at), read("dns.answers", index * 10)));
  assert.equal(rating.rated(month("2999-12")).quantities["dns.answers"], 10n);
  rating.add(3, { imvu, at: "+010000-01-01T00:00:00.000Z", readings: [read("dns.answers", 90)] });
  assert.equal(rating.rated(november).used.count, 0);
});

test("a reading set from outside is parsed: unknown resources, floats, signs and doubles are refused", () => {
  const good = set(start_ms, read("dns.answers", 1));
  assert.equal(parseReadingSet(good).ok, true);
  const wrong = [
    null,
    { ...good, imvu: "IMVU-0" },
    { ...good, at: "2026-11-01" },
    { ...good, readings: [{ ...read("dns.answers", 1), resource: "toString" }] },
    { ...good, readings: [{ ...read("dns.answers", 1), value: "1.5" }] },
    { ...good, readings: [{ ...read("dns.answers", 1), value: "-1" }] },
    { ...good, readings: [{ ...read("dns.answers", 1), value: 1 }] },
    { ...good, readings: [read("dns.answers", 1), read("dns.answers", 2)] },
    { ...good, readings: [null] },
  ];
  for (const value of ["", " ", "1 ", " 1", "1 2", "01", "00", "+1", "1:", "1/", "٣", "1\n", "9".repeat(40)]) wrong.push({ ...good, readings: [{ ...read("dns.answers", 1), value }] });
  for (const value of ["0", "9".repeat(39)]) assert.equal(parseReadingSet({ ...good, readings: [{ ...read("dns.answers", 1), value }] }).ok, true, value);
  for (const one of wrong) assert.equal(parseReadingSet(one).ok, false, JSON.stringify(one));
  assert.throws(() => new Rating(november).add(3, { ...good, readings: [{ ...read("dns.answers", 1), value: "01" }] }), /entry 3/);
});
