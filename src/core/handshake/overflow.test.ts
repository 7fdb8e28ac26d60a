import assert from "node:assert/strict";
import { test } from "node:test";
import { type ReadingSet, RESOURCES, type Resource } from "../../contract/index.ts";
import { decimalText, imvuIdOf, MONEY_DECIMALS, parseDecimal } from "../../kernel/index.ts";
import { Account } from "./account.ts";
import { amountsOf, wholeShare } from "./vat.ts";
import { exactMoney } from "./exact.ts";
import { postingsOf } from "./journal.ts";
import { parsePeriod } from "./period.ts";
import { revenueOf } from "./revenue.ts";
import { statement } from "./statement.ts";
import { parseTariff } from "./tariff.ts";

/** Digits of a column that holds money, as counts of 10^-21: numeric(60, 0). */
const COLUMN_DIGITS = 60;
const RESTARTS = 64;
const parsed = parsePeriod("2026-11");
assert.ok(parsed.ok);
const period = parsed.value;
const imvu = imvuIdOf(7);
const digits = (text: string) => String(exactMoney(text)).replace("-", "").length;

test("the most that a kernel's counters can say, in every life of a month with many, at the highest price that can be published, and a million of the largest sales: exact, divided, booked, and within the columns", () => {
  const highest = "999999999.999999999";
  const tariff = parseTariff({ v: 1, currency: "EUR", validFrom: "2026-01-01T00:00:00.000Z", prices: Object.fromEntries(Object.keys(RESOURCES).map((resource) => [resource, highest])) });
  assert.ok(tariff.ok);
  const most = 2n ** 64n - 1n;
  const set = (at_ms: number, life: number): ReadingSet => ({ imvu, at: new Date(at_ms).toISOString(), readings: (Object.keys(RESOURCES) as Resource[]).map((resource) => ({ resource, value: String(most), boot: "b", epoch: `e${life}` })) });
  const readings = Array.from({ length: RESTARTS }, (_, life) => [{ index: 2 * life, set: set(period.start_ms + 1 + life, life) }, { index: 2 * life + 1, set: set(period.end_ms, life) }]).flat().sort((a, b) => (a.set.at < b.set.at ? -1 : 1));
  const sold = { ...revenueOf([]), recorded: `${"9".repeat(12)}000000.${"0".repeat(MONEY_DECIMALS)}`, sales: 1_000_000 };
  const made = statement({ imvu, period, tariff: { index: 1, tariff: tariff.value }, readings, streamHead: { streamSeq: 1, sha256: "" }, closed: true, revenue: sold });
  const counters = Object.values(RESOURCES).filter(({ kind }) => kind === "counter");
  const naive = counters.reduce((sum, { decimals }) => sum + most * BigInt(RESTARTS) * (parseDecimal(highest, 9) as bigint) * 10n ** BigInt(12 - decimals), 0n);
  assert.ok(exactMoney(made.usage as string) > naive, "and the levels besides");
  assert.equal(exactMoney(made.creator) + exactMoney(made.platform), exactMoney(made.gross));
  assert.equal(exactMoney(made.platform), (exactMoney(made.gross) * 45n) / 100n);
  for (const text of [made.gross, made.creator, made.platform, made.usage as string]) assert.ok(digits(text) < COLUMN_DIGITS, `${text} has ${digits(text)} digits`);
  assert.equal(postingsOf(made).reduce((sum, { amount }) => sum + amount, 0n), 0n);
  assert.equal(amountsOf(wholeShare(exactMoney(made.platform), 2), { rate: "19.00" }, 2).due, "0.00");
  const account = new Account(imvu);
  account.close(made, 9);
  account.book({ sourceId: "late", amount: `${"9".repeat(12)}.99`, currency: "EUR", at: "2026-11-10T00:00:00.000Z", reverses: null }, { index: 10, streamSeq: 10, time_ms: 0 });
  const correction = account.correction("2026-11", { streamSeq: 10, sha256: "" });
  assert.equal(exactMoney(correction?.total.gross ?? ""), exactMoney(made.gross) + (parseDecimal(`${"9".repeat(12)}.99`, MONEY_DECIMALS) as bigint));
  assert.equal(decimalText(exactMoney(correction?.gross ?? ""), MONEY_DECIMALS), `${"9".repeat(12)}.99${"0".repeat(19)}`);
});
