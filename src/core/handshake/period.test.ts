import assert from "node:assert/strict";
import { test } from "node:test";
import { parseTimeZone, type TimeZone } from "../../kernel/index.ts";
import { dayOf, parsePeriod, periodAfter, periodOf } from "./period.ts";
import { announcedForAll, announcedInTime, DEFAULT_PRICES_V1, type Tariff, type TariffEntry, tariffInForce } from "./tariff.ts";

const zone = (name: string): TimeZone => {
  const parsed = parseTimeZone(name);
  assert.ok(parsed.ok, name);
  return parsed.value;
};
const month = (name: string, of: TimeZone) => {
  const parsed = parsePeriod(name, of);
  assert.ok(parsed.ok);
  return parsed.value;
};
const ZONES = ["UTC", "Europe/Berlin", "America/New_York", "America/St_Johns", "Pacific/Apia", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu", "America/Havana", "Australia/Lord_Howe"].map(zone);

test("months and days of a clock tile: each instant is in one of them, and in the one that the next begins after", () => {
  for (const one of ZONES) {
    let period = month("2008-01", one);
    for (let many = 0; many < 12 * 22; many += 1) {
      const next = periodAfter(period, one);
      assert.equal(next.start_ms, period.end_ms, `${one} ${period.name}`);
      assert.deepEqual([periodOf(period.start_ms + 1, one), periodOf(period.end_ms, one), month(period.name, one)], [period, period, period], `${one} ${period.name}`);
      let day = dayOf(period.start_ms + 1, one);
      assert.deepEqual([day.start_ms, day.name], [period.start_ms, `${period.name}-01`]);
      for (; day.end_ms < period.end_ms; day = dayOf(day.end_ms + 1, one)) {
        assert.ok(day.end_ms > day.start_ms && day.name.startsWith(period.name), `${one} ${day.name}`);
        assert.equal(dayOf(day.end_ms, one).name, day.name);
      }
      assert.equal(day.end_ms, period.end_ms, `${one} ${period.name}`);
      period = next;
    }
  }
});

test("where a clock is set back over midnight, the hour that it shows the old month once more is in the new one", () => {
  const stJohns = zone("America/St_Johns");
  for (const at of ["2009-11-01T02:30:00.001Z", "2009-11-01T02:45:00.000Z", "2009-11-01T03:31:00.000Z"]) assert.deepEqual([periodOf(Date.parse(at), stJohns).name, dayOf(Date.parse(at), stJohns).name], ["2009-11", "2009-11-01"], at);
  assert.equal(periodOf(Date.parse("2009-11-01T02:30:00.000Z"), stJohns).name, "2009-10");
});

const published = (...froms: readonly string[]): readonly TariffEntry[] => froms.map((validFrom, index) => ({ index, tariff: { v: 1, currency: "EUR", validFrom, prices: DEFAULT_PRICES_V1 } satisfies Tariff }));

test("a tariff is in force for a month by the month's name, on every clock the same", () => {
  const tariffs = published("2026-11-23T10:00:00.000Z", "2027-02-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z");
  for (const one of ZONES) {
    const inForce = (name: string) => tariffInForce(month(name, one), tariffs)?.index;
    assert.deepEqual([inForce("2026-10"), inForce("2026-11"), inForce("2026-12"), inForce("2027-01"), inForce("2027-02")], [0, 0, 0, 2, 2], one);
  }
});

test("thirty days' notice is by the unit's own clock, and one that is in time for all is in time for each", () => {
  const tariff = { currency: "EUR", validFrom: "2027-01-01T00:00:00.000Z" } as const;
  const [tokyo, pago] = [zone("Asia/Tokyo"), zone("Pacific/Pago_Pago")];
  assert.deepEqual([announcedInTime(tariff, "2026-12-01T16:00:00.000Z", tokyo), announcedInTime(tariff, "2026-12-01T16:00:00.001Z", tokyo)], [true, false]);
  assert.deepEqual([announcedInTime(tariff, "2026-12-02T01:00:00.000Z"), announcedInTime(tariff, "2026-12-02T01:00:00.001Z"), announcedInTime(tariff, "2026-12-02T12:00:00.000Z", pago)], [true, false, true]);
  const before = published("2026-11-01T00:00:00.000Z");
  const last = "2026-12-01T11:00:00.000Z";
  assert.deepEqual([announcedForAll(tariff, last, before), announcedForAll(tariff, "2026-12-01T11:00:00.001Z", before)], [true, false]);
  for (const one of ZONES) assert.ok(announcedInTime(tariff, last, one), one);
  assert.deepEqual([announcedForAll(tariff, "2027-01-31T23:00:00.000Z", []), announcedForAll(tariff, "2027-02-01T01:00:00.001Z", [])], [true, false], "the first holds from the present month on");
});
