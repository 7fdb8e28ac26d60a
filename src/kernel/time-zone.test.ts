import assert from "node:assert/strict";
import { test } from "node:test";
import { beginningOf, BEHIND_MS_MAX, AHEAD_MS_MAX, dateIn, lastTurn } from "./local-date.ts";
import { parseTimeZone, timeZones, type TimeZone, UTC } from "./time-zone.ts";

const QUARTER_MS = 15 * 60_000;
const DAY_MS = 24 * 3_600_000;
const zone = (name: string): TimeZone => {
  const parsed = parseTimeZone(name);
  assert.ok(parsed.ok, name);
  return parsed.value;
};
const begins = (name: string, date: string) => new Date(beginningOf(zone(name), Date.parse(`${date}T00:00:00Z`))).toISOString();

test("a zone is a place of zone.tab, spelt as there, or UTC; offsets, abbreviations and older names are refused with what to type", () => {
  assert.equal(timeZones().length, 419);
  for (const name of timeZones()) assert.deepEqual(parseTimeZone(name), { ok: true, value: name }, `${name} is known to this runtime`);
  for (const wrong of ["+01:00", "GMT+1", "Etc/GMT-1", "CET", "EST5EDT", "Asia/Calcutta", "Europe/Kiev", "", "Europe", "Europe/", "../etc/passwd", "Europe/Berlin ", "Europe/Berlin\n", undefined, 3, null, "__proto__", "constructor"]) {
    const parsed = parseTimeZone(wrong);
    assert.deepEqual([parsed.ok, !parsed.ok && parsed.code], [false, "BAD_TIME_ZONE"], String(wrong));
  }
  const shout = parseTimeZone("europe/BERLIN");
  assert.ok(!shout.ok && shout.hint === "use Europe/Berlin");
});

test("a date begins at its first instant: summer time, a midnight that is not, one that comes twice, a date that never was", () => {
  assert.equal(begins("UTC", "2026-11-01"), "2026-11-01T00:00:00.000Z");
  assert.equal(begins("Europe/Berlin", "2026-11-01"), "2026-10-31T23:00:00.000Z");
  assert.equal(begins("Europe/Berlin", "2026-07-01"), "2026-06-30T22:00:00.000Z");
  assert.equal(begins("America/New_York", "2026-11-01"), "2026-11-01T04:00:00.000Z", "the day on which summer time ends begins in summer time");
  assert.equal(begins("America/New_York", "2026-11-02"), "2026-11-02T05:00:00.000Z");
  assert.equal(begins("Pacific/Kiritimati", "2027-01-01"), "2026-12-31T10:00:00.000Z");
  assert.equal(begins("Pacific/Niue", "2027-01-01"), "2027-01-01T11:00:00.000Z");
  assert.equal(begins("Asia/Kathmandu", "2026-12-01"), "2026-11-30T18:15:00.000Z");
  // Cuba sets its clock forward at midnight.
  assert.equal(begins("America/Havana", "2026-03-08"), "2026-03-08T05:00:00.000Z", "00:00 does not exist: the day begins at 01:00");
  assert.equal(new Date(beginningOf(zone("America/Havana"), Date.UTC(2026, 2, 8)) - 1).toISOString(), "2026-03-08T04:59:59.999Z");
  // St. John's, 2009-11-01: at 00:01 the clock was set back to 23:01 of October.
  assert.equal(begins("America/St_Johns", "2009-11-01"), "2009-11-01T02:30:00.000Z", "the first of two midnights");
  assert.equal(dateIn(zone("America/St_Johns"), Date.parse("2009-11-01T02:31:00Z")), Date.UTC(2009, 9, 31), "and the clock shows October once more");
  // Samoa left out 2011-12-30.
  assert.equal(begins("Pacific/Apia", "2011-12-30"), begins("Pacific/Apia", "2011-12-31"));
});

test("every month of every zone begins at a quarter-hour between 14 hours before and 12 after its midnight in UTC, and not before; turns are there", () => {
  for (const name of timeZones()) {
    for (let month = 0; month < 12 * 31; month += 1) {
      const date = Date.UTC(2005, month, 1);
      const at = beginningOf(name, date);
      assert.ok(at % QUARTER_MS === 0 && at >= date - AHEAD_MS_MAX && at <= date + BEHIND_MS_MAX, `${name} ${new Date(date).toISOString()}`);
      assert.equal(dateIn(name, at), date, name);
      // To the millisecond: a minute and a millisecond before it the clock shows another date.
      for (const before of [1, 60_000]) assert.ok(dateIn(name, at - before) < date, name);
      assert.equal(lastTurn(at + 1), at, `${name}: closing looks just after it`);
    }
  }
});

test("between the turns of one month and the next there is nothing to look for", () => {
  const quiet = new Set<number>();
  for (let at = Date.UTC(2026, 10, 1, 12, 15); at <= Date.UTC(2026, 10, 30, 10); at += QUARTER_MS) quiet.add(lastTurn(at));
  assert.deepEqual([...quiet], [Date.UTC(2026, 10, 1, 12)]);
  const busy = new Set<number>();
  for (let at = Date.UTC(2026, 10, 30, 10) + 1; at <= Date.UTC(2026, 11, 1, 12) + DAY_MS; at += 60_000) busy.add(lastTurn(at));
  assert.equal(busy.size, 26 * 4 + 1);
  assert.equal(lastTurn(Date.UTC(2026, 11, 1)), Date.UTC(2026, 10, 30, 23, 45), "a month's last instant is in it");
  assert.equal(beginningOf(UTC, Date.UTC(2026, 11, 1)), Date.UTC(2026, 11, 1));
});
