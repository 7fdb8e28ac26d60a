import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Reading, ReadingSet } from "../../contract/index.ts";
import { imvuIdOf } from "../../kernel/index.ts";
import { type Known, newsIn, QUIET_MS_MAX } from "./news.ts";
import { parsePeriod } from "./period.ts";
import { openRating } from "./rating.ts";

const month = parsePeriod("2026-11");
assert.ok(month.ok);
const period = month.value;
const MINUTE_MS = 60_000;

function setAt(at_ms: number, counted: number, level: number, epoch: number, more: boolean): ReadingSet {
  const readings: Reading[] = [{ resource: "compute.cpu", value: String(counted), boot: "b", epoch: String(epoch) }, { resource: "compute.memory", value: String(level), boot: "b", epoch: String(epoch) }];
  return { imvu: imvuIdOf(7), at: new Date(at_ms).toISOString(), readings: more ? [...readings, { resource: "mail.storage", value: String(level + 1), boot: "b", epoch: "m" }] : readings };
}

test("a month comes to the same, to the last unit and with the same falls, without the sets in which nothing moved", () => {
  const step = fc.record({ minutes: fc.integer({ min: -2, max: 40 }), used: fc.integer({ min: -1, max: 1 }), level: fc.integer({ min: 0, max: 1 }), restart: fc.integer({ min: 0, max: 20 }), more: fc.integer({ min: 0, max: 9 }) });
  let dropped = 0;
  fc.assert(
    fc.property(fc.constantFrom(period.start_ms, period.end_ms), fc.integer({ min: -300, max: 30 }), fc.array(step, { minLength: 1, maxLength: 80 }), (around_ms, begin_min, steps) => {
      const [all, news] = [openRating(period), openRating(period)];
      let [at_ms, counted, epoch] = [around_ms + begin_min * MINUTE_MS, 10, 0];
      let known: Known = {};
      const sets = steps.map(({ minutes, used, level, restart, more }) => {
        if (restart === 0) [counted, epoch] = [10, epoch + 1];
        at_ms += minutes * MINUTE_MS;
        counted += used > 0 ? 1 : used < 0 && restart === 1 ? -1 : 0;
        return setAt(at_ms, counted, level, epoch, more > 0);
      });
      // A month is closed with a set after its end, which is always recorded.
      sets.push(setAt(Math.max(at_ms, period.end_ms) + QUIET_MS_MAX, counted + 1, 0, epoch, true));
      for (const [index, set] of sets.entries()) {
        all.add(index, set);
        const written = newsIn(known, set);
        for (const one of written) news.add(index, one);
        known = written.length > 0 ? { recorded: set } : { ...known, held: set };
        dropped += 1 - written.length;
      }
      assert.deepEqual(news.quantities(), all.quantities());
      // A fall before the month is said in it only when the series is read again in it, which a set in which nothing moved is too.
      const fell = (rating: typeof all) => rating.flags().filter(({ what, index }) => what === "fell" && Date.parse(sets[index]?.at ?? "") > period.start_ms);
      assert.deepEqual(fell(news), fell(all));
    }),
    { numRuns: 3_000 },
  );
  assert.ok(dropped > 1_000, `${dropped} sets were left out`);
});

test("the first set, a value, a series more or less or of another epoch, half an hour, and a clock that went back are news", () => {
  const set = setAt(0, 1, 1, 0, true);
  const later = (ms: number, change: Partial<ReadingSet> = {}): ReadingSet => ({ ...set, at: new Date(ms).toISOString(), ...change });
  const known = { recorded: set };
  assert.deepEqual(newsIn({}, set), [set]);
  assert.deepEqual(newsIn(known, later(QUIET_MS_MAX - 1)), []);
  assert.deepEqual(newsIn(known, later(1), true), [later(1)], "whoever asks for a reading gets one");
  assert.deepEqual(newsIn(known, later(QUIET_MS_MAX)), [later(QUIET_MS_MAX)]);
  assert.deepEqual(newsIn({ recorded: later(1) }, later(0)), [later(0)]);
  assert.deepEqual(newsIn(known, later(1, { readings: [...set.readings].reverse() })), [], "in another order");
  for (const other of [setAt(2, 2, 1, 0, true), setAt(2, 1, 2, 0, true)]) assert.deepEqual(newsIn({ ...known, held: later(1) }, other), [other]);
  for (const other of [setAt(2, 1, 1, 1, true), setAt(2, 1, 1, 0, false)]) {
    assert.deepEqual(newsIn(known, other), [other]);
    assert.deepEqual(newsIn({ ...known, held: later(1) }, other), [later(1), other], "a series has ended: its last reading stands before");
  }
});
