import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { MeterReading, Reading, ReadingSet } from "../../contract/index.ts";
import { imvuIdOf } from "../../kernel/index.ts";
import { parsePeriod, Rating } from "./index.ts";

/** What somebody who writes readings again, or earlier ones, gains by it: nothing that is not flagged, and never a counter that counts more. */
const imvu = imvuIdOf(7);
const parsed = parsePeriod("2026-11");
assert.ok(parsed.ok);
const period = parsed.value;

const step = fc.record({ ms: fc.integer({ min: 1_000, max: 3_600_000 }), used: fc.bigInt({ min: 1n, max: 10n ** 9n }), level: fc.bigInt({ min: 0n, max: 10n ** 9n }), summed: fc.boolean() });
const history = fc.array(step, { minLength: 3, maxLength: 40 }).map((steps): readonly MeterReading[] => {
  let [at_ms, counted] = [period.start_ms + 1, 0n];
  return steps.map(({ ms, used, level, summed }) => {
    at_ms += ms;
    counted += used;
    const of = (resource: Reading["resource"], value: bigint): Reading => ({ resource, value: String(value), boot: "b", epoch: "e" });
    const set: ReadingSet = { imvu, at: new Date(at_ms).toISOString(), readings: [of("compute.cpu", counted), of("compute.memory", level)] };
    if (!summed) return set;
    return { v: 2, imvu, from: new Date(at_ms - 900).toISOString(), at: set.at, levels: [100], counters: [300], lives: [{ boot: "b", epoch: "e", values: { "compute.cpu": `${counted - 1n} ${counted}`, "compute.memory": `${level + 1n} ${level}` } }] };
  });
});

function rate(readings: readonly MeterReading[]) {
  const rating = new Rating(period);
  for (const [index, reading] of readings.entries()) rating.add(index, reading);
  const { quantities, flags } = rating.rated(period);
  return { cpu: quantities["compute.cpu"], memory: quantities["compute.memory"], flags: flags.map(({ what }) => what) };
}

test("a set that stands in the log twice, or a hundred times, is billed once", () => {
  fc.assert(
    fc.property(history, fc.nat({ max: 39 }), fc.integer({ min: 2, max: 100 }), (readings, nth, times) => {
      const honest = rate(readings);
      // A summary told twice begins before its own end: that much is a clock that went back, and is flagged as one.
      const sets = readings.map((one) => ("v" in one ? { imvu, at: one.at, readings: Object.entries(one.lives[0]?.values ?? {}).map(([resource, words]) => ({ resource, value: words.split(" ").at(-1), boot: "b", epoch: "e" })) as ReadingSet["readings"] } : one));
      const at = nth % sets.length;
      const again = [...sets.slice(0, at), ...Array.from({ length: times }, () => sets[at] as ReadingSet), ...sets.slice(at + 1)];
      assert.deepEqual(rate(again), rate(sets));
      assert.equal(rate(again).cpu, honest.cpu);
    }),
    { numRuns: 1_000 },
  );
});

test("an older reading that is played back, or one with an earlier instant, is flagged, and no counter counts more by it", () => {
  fc.assert(
    fc.property(history, fc.nat({ max: 39 }), fc.nat({ max: 39 }), (readings, from, to) => {
      const honest = rate(readings);
      const [older, place] = [from % (readings.length - 1), 1 + (to % readings.length)];
      fc.pre(older < place - 1);
      const replayed = rate([...readings.slice(0, place), readings[older] as MeterReading, ...readings.slice(place)]);
      assert.ok(replayed.cpu <= honest.cpu);
      assert.ok(replayed.flags.includes("fell") && replayed.flags.includes("clock"), replayed.flags.join());
    }),
    { numRuns: 1_000 },
  );
});

test("a clock that is ahead for a while, and is set right again, bills no time twice and no counter more; both steps are flagged", () => {
  const minute_ms = 60_000;
  fc.assert(
    fc.property(fc.integer({ min: 10, max: 200 }), fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 60 }), fc.integer({ min: 121, max: 3_000 }), (before, wrong, level, ahead) => {
      // Long enough after it that real time has come to where the clock had been.
      const minutes = before + wrong + ahead + 10;
      const clock = (minute: number) => period.start_ms + 1 + (minute + (minute >= before && minute < before + wrong ? ahead : 0)) * minute_ms;
      const readings = Array.from({ length: minutes }, (_, minute): ReadingSet => ({ imvu, at: new Date(clock(minute)).toISOString(), readings: [{ resource: "compute.cpu", value: String(minute * 7), boot: "b", epoch: "e" }, { resource: "compute.memory", value: String(level), boot: "b", epoch: "e" }] }));
      const { cpu, memory, flags } = rate(readings);
      assert.equal(cpu, BigInt((minutes - 1) * 7));
      assert.equal(memory, BigInt(level) * BigInt((minutes - 1) * minute_ms));
      assert.ok(flags.includes("gap") && flags.includes("clock"), flags.join());
    }),
    { numRuns: 200 },
  );
});

test("a counter that is said to be less than it was is flagged; one that is left out for a while loses nothing", () => {
  fc.assert(
    fc.property(history, fc.nat({ max: 39 }), fc.bigInt({ min: 1n, max: 10n ** 6n }), (readings, nth, less) => {
      const honest = rate(readings);
      const at = 1 + (nth % (readings.length - 1));
      const last = rate(readings.slice(0, at)).cpu;
      const under: ReadingSet = { imvu, at: readings[at]?.at as string, readings: [{ resource: "compute.cpu", value: String(last > less ? last - less : 0n), boot: "b", epoch: "e" }] };
      assert.ok(rate([...readings.slice(0, at), under, ...readings.slice(at + 1)]).flags.includes("fell"));
      assert.equal(rate([...readings.slice(0, at), ...readings.slice(at + 1)]).cpu, at === readings.length - 1 ? last : honest.cpu);
    }),
    { numRuns: 1_000 },
  );
});
