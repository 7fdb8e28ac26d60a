import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type ReadingSet, RESOURCES, type Resource } from "../../contract/index.ts";
import { decimalText, imvuIdOf, MONEY_DECIMALS } from "../../kernel/index.ts";
import { Account } from "./account.ts";
import { forecastOf } from "./forecast.ts";
import { postingsOf } from "./journal.ts";
import { parsePeriod } from "./period.ts";
import { revenueOf } from "./revenue.ts";
import { type Statement, statement } from "./statement.ts";
import { DEFAULT_PRICES_V1 } from "./tariff.ts";

const imvu = imvuIdOf(7);
const month = parsePeriod("2026-11");
assert.ok(month.ok);
const period = month.value;
const DAY_MS = 24 * 3_600_000;
const money = (units: bigint) => decimalText(units, MONEY_DECIMALS);
const sale = (sourceId: string, cents: number, reverses: string | null) => ({ sourceId, amount: decimalText(BigInt(cents), 2), currency: "EUR", at: "2026-11-10T00:00:00.000Z", reverses }) as const;

function made(counted: bigint, sold: number, back: number, older = false): Statement {
  const set = (at: number, value: bigint): ReadingSet => ({ imvu, at: new Date(at).toISOString(), readings: (Object.keys(RESOURCES) as Resource[]).map((resource) => ({ resource, value: String(value), boot: "b", epoch: "e" })) });
  const revenue = revenueOf([...(sold > 0 ? [sale("s", sold, null)] : []), ...(back > 0 ? [sale("r", back, "s")] : [])]);
  return statement({
    imvu, period, tariff: { index: 4, tariff: { v: 1, currency: "EUR", validFrom: "2026-01-01T00:00:00.000Z", prices: DEFAULT_PRICES_V1 } }, streamHead: null, closed: true, ...(older ? { form: 1 as const } : { revenue }),
    readings: [{ index: 1, set: set(period.start_ms + 1, 0n) }, { index: 2, set: set(period.start_ms + DAY_MS, counted) }],
  });
}

test("whatever a month comes to, debits and credits are equal; nothing is booked of nothing, and each side has its accounts", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 30n }), fc.integer({ min: 0, max: 10 ** 9 }), fc.integer({ min: 0, max: 10 ** 9 }), fc.boolean(), (counted, sold, back, older) => {
      const postings = postingsOf(made(counted, sold, back, older));
      assert.equal(postings.reduce((sum, { amount }) => sum + amount, 0n), 0n);
      for (const { account, amount } of postings) {
        assert.notEqual(amount, 0n);
        if (account === "usage" || account === "sales" || account === "rounding") assert.ok(amount > 0n, account);
        if (account === "refunds") assert.ok(amount < 0n, account);
      }
      assert.equal(postings.some(({ account }) => account === "sales"), sold > 0 && !older);
    }),
    { numRuns: 1_000 },
  );
});

test("a sale of 100.01, and 40 of it paid back after the month had closed", () => {
  const account = new Account(imvu);
  account.book(sale("s", 10_001, null), { index: 1, streamSeq: 1, time_ms: 0 });
  const closed = { ...made(0n, 10_001, 0), streamHead: { streamSeq: 1, sha256: "" } };
  const cent = 10n ** 19n;
  // 55 % of 100.01 is 55.0055: what is paid is 55.01.
  assert.deepEqual(postingsOf(closed), [
    { account: "sales", amount: 10_001n * cent },
    { account: "creator", amount: -5_501n * cent },
    { account: "platform", amount: -450_045n * 10n ** 17n },
    { account: "rounding", amount: 45n * 10n ** 17n },
  ]);
  account.close(closed, 2);
  account.book(sale("r", 4_000, "s"), { index: 3, streamSeq: 3, time_ms: 0 });
  const correction = account.correction("2026-11", { streamSeq: 3, sha256: "" });
  assert.ok(correction);
  assert.deepEqual(postingsOf(correction), [{ account: "refunds", amount: -4_000n * cent }, { account: "creator", amount: 2_200n * cent }, { account: "platform", amount: 1_800n * cent }]);
});

test("a forecast: usage goes on as it did so far, at the month's prices, and nothing more is sold", () => {
  const tariff = { v: 2, currency: "EUR", validFrom: "2026-01-01T00:00:00.000Z", prices: { ...DEFAULT_PRICES_V1, "mail.sent": "0.000000001" }, tiers: { "mail.sent": [{ above: "600", price: "0.000000003" }] } } as const;
  const plain = made(0n, 1_000, 0);
  const soFar = { ...plain, usage: money(0n), lines: plain.lines.map((line) => (line.resource === "mail.sent" ? { ...line, quantity: "300" } : { ...line, quantity: line.quantity.replace(/[1-9]/g, "0") })) };
  const of = (begun: number, at: number) => forecastOf(soFar, tariff, period, period.start_ms + begun * DAY_MS, period.start_ms + at * DAY_MS);
  const nano = 10n ** 12n;
  assert.equal(of(0, 15)?.usage, money(600n * nano));
  assert.equal(of(0, 10)?.usage, money(600n * nano + 300n * 3n * nano), "900 of them, 300 above the step");
  assert.equal(of(0, 15)?.gross, money(600n * nano + 10n ** 22n));
  assert.equal(of(0, 15)?.at, "2026-12-01T00:00:00.000Z");
  assert.equal(of(20, 25)?.usage, money(600n * nano), "a unit that began on the twentieth");
  const none = forecastOf({ ...soFar, usage: undefined } as unknown as Statement, tariff, period, 0, period.start_ms + 1);
  assert.deepEqual([of(0, 0), of(0, 30), of(0, 31), none], [undefined, undefined, undefined, undefined]);
});
