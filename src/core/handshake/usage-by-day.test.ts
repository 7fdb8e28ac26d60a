import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type ReadingSet, type ReadingSummary, RESOURCES, type Resource } from "../../contract/index.ts";
import { imvuIdOf, parseDecimal, parseTimeZone, UTC } from "../../kernel/index.ts";
import { dayOf, parsePeriod } from "./period.ts";
import { Rating } from "./rating.ts";
import { UsageByDay } from "./usage-by-day.ts";

const HOUR_MS = 3_600_000;

/** A counter and a gauge; a new epoch begins the counter again from nothing. */
function setAt(at_ms: number, counted: bigint, level: bigint, epoch: number): ReadingSet {
  return {
    imvu: imvuIdOf(7), at: new Date(at_ms).toISOString(),
    readings: [{ resource: "compute.cpu", value: String(counted), boot: "b", epoch: String(epoch) }, { resource: "compute.memory", value: String(level), boot: "b", epoch: String(epoch) }],
  };
}

// In New York the first day of this month has 25 hours; in Lord Howe's March of another year a day has 24 and a half.
for (const [name, of] of [["2026-11", UTC], ["2026-11", "America/New_York"], ["2026-04", "Australia/Lord_Howe"]] as const) test(`the days of ${name} add up to it by the clock of ${of}, over restarts, gaps of days and readings outside it`, () => {
  const zone = parseTimeZone(of);
  assert.ok(zone.ok);
  const month = parsePeriod(name, zone.value);
  assert.ok(month.ok);
  const period = month.value;
  const step = fc.record({ gap_h: fc.integer({ min: 1, max: 90 }), off_ms: fc.integer({ min: 0, max: 999 }), used: fc.bigInt({ min: 0n, max: 10n ** 15n }), level: fc.bigInt({ min: 0n, max: 10n ** 12n }), restart: fc.integer({ min: 0, max: 9 }) });
  fc.assert(
    fc.property(fc.integer({ min: -80, max: 700 }), fc.array(step, { minLength: 1, maxLength: 60 }), (begin_h, steps) => {
      const [rating, days] = [new Rating(period), new UsageByDay(period, zone.value)];
      let [at_ms, counted, epoch] = [period.start_ms + begin_h * HOUR_MS, 0n, 0];
      for (const [index, { gap_h, off_ms, used, level, restart }] of steps.entries()) {
        if (restart === 0) [counted, epoch] = [0n, epoch + 1];
        at_ms += gap_h * HOUR_MS + off_ms;
        counted += used;
        const set = setAt(at_ms, counted, level, epoch);
        rating.add(index, set);
        days.add(index, set);
      }
      const whole = rating.rated(period).quantities;
      for (const resource of Object.keys(RESOURCES) as Resource[]) {
        const sum = days.days().reduce((all, { quantities }) => all + (parseDecimal(quantities[resource], RESOURCES[resource].decimals) as bigint), 0n);
        assert.equal(sum, whole[resource], resource);
      }
      const named = days.days().map(({ day }) => day);
      assert.deepEqual(named, [...new Set(named)].sort());
      const first_ms = period.start_ms + begin_h * HOUR_MS + (steps[0]?.gap_h ?? 0) * HOUR_MS + (steps[0]?.off_ms ?? 0);
      if (first_ms > period.start_ms && named[0]) assert.equal(named[0], dayOf(first_ms, zone.value).name);
      for (const day of named) assert.ok(day.startsWith(`${name}-`));
    }),
    { numRuns: 2_000 },
  );
});

test("a unit whose first entry tells of before midnight has that day too", () => {
  const month = parsePeriod("2026-11");
  assert.ok(month.ok);
  const period = month.value;
  const midnight_ms = period.start_ms + 48 * HOUR_MS;
  const at = (ms: number) => new Date(midnight_ms + ms).toISOString();
  const first: ReadingSummary = { v: 2, imvu: imvuIdOf(7), from: at(-600_000), at: at(600_000), levels: [0, 900_000], counters: [599_000], lives: [{ boot: "b", epoch: "1", values: { "compute.cpu": "40 100", "compute.memory": "3 5 0" } }] };
  const [rating, days] = [new Rating(period), new UsageByDay(period)];
  rating.add(0, first);
  days.add(0, first);
  const told = days.days().map(({ day, quantities }) => [day, quantities["compute.cpu"], quantities["compute.memory"]]);
  assert.deepEqual(told, [["2026-11-02", "0.000000040", "0.000001800000"], ["2026-11-03", "0.000000060", "0.000002400000"]]);
  assert.deepEqual([rating.rated(period).quantities["compute.cpu"], rating.rated(period).quantities["compute.memory"]], [100n, 4_200_000n]);
});
