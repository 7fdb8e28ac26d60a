import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decimalText, imvuIdOf, MONEY_DECIMALS, money, parseDecimal } from "../../kernel/index.ts";
import { Account, type Correction } from "./account.ts";
import { payable, payoutOf } from "./payout.ts";
import { parsePeriod } from "./period.ts";
import { type Sale, saleOf } from "./revenue.ts";
import { split } from "./split.ts";
import { statement } from "./statement.ts";
import { DEFAULT_PRICES_V1 } from "./tariff.ts";

const imvu = imvuIdOf(7);
const month = parsePeriod("2026-11");
assert.ok(month.ok);
const period = month.value;
const CENT = 10n ** 19n;
const exact = (text: string) => parseDecimal(text, MONEY_DECIMALS) as bigint;
const headOf = (streamSeq: number) => ({ streamSeq, sha256: String(streamSeq) });
const sale = (sourceId: string, amount: string, at = "2026-11-10T00:00:00.000Z", reverses: string | null = null): Sale => ({ sourceId, amount, currency: "EUR", at, reverses });
const place = (streamSeq: number, time_ms = period.start_ms + streamSeq) => ({ index: streamSeq, streamSeq, time_ms });
function close(account: Account, headSeq: number) {
  const made = statement({ imvu, period, tariff: { index: 4, tariff: { v: 1, currency: "EUR", validFrom: "2026-01-01T00:00:00.000Z", prices: DEFAULT_PRICES_V1 } }, readings: [], streamHead: headOf(headSeq), closed: true, revenue: account.revenue(period.name, headSeq) });
  account.close(made, headSeq + 1);
  return made;
}

test("what is paid is the share rounded up to a cent, and the difference is said: of every share, negative ones too", () => {
  const share = fc.oneof(fc.bigInt({ min: -(2n ** 90n), max: 2n ** 90n }), fc.constantFrom(0n, 1n, -1n, CENT, -CENT, CENT + 1n, CENT - 1n, 2n ** 63n));
  fc.assert(
    fc.property(share, (creator) => {
      const paid = payable(money(creator), "EUR");
      assert.ok(paid >= creator && paid - creator < CENT && paid % CENT === 0n);
      const { creator: text, difference } = payoutOf(money(creator), "EUR");
      assert.equal(parseDecimal(text, 2), paid / CENT);
      assert.equal(exact(difference), paid - creator);
    }),
    { numRuns: 10_000 },
  );
});

test("a source id is booked once, a reversal takes no more than is left, and only of a sale", () => {
  const account = new Account(imvu);
  assert.equal(account.book(sale("a", "10.00"), place(1)), undefined);
  assert.match(account.book(sale("a", "10.00"), place(2)) ?? "", /booked already/);
  assert.match(account.book(sale("r", "10.01", undefined, "a"), place(3)) ?? "", /more than is left/);
  assert.equal(account.book(sale("r", "4.00", undefined, "a"), place(4)), undefined);
  assert.equal(account.book(sale("s", "6.00", undefined, "a"), place(5)), undefined);
  assert.match(account.book(sale("t", "0.01", undefined, "a"), place(6)) ?? "", /more than is left/);
  assert.match(account.book(sale("u", "0.01", undefined, "r"), place(7)) ?? "", /more than is left/);
  assert.match(account.book(sale("v", "0.01", undefined, "nothing"), place(8)) ?? "", /more than is left/);
  assert.deepEqual(account.revenue("2026-11", 99), { recorded: `10.${"0".repeat(21)}`, reversed: `10.${"0".repeat(21)}`, sales: 1, reversals: 2 });
});

test("a month's last instant is in it, and a sale belongs to the month in which it was made, whenever it was recorded", () => {
  const account = new Account(imvu);
  account.book(sale("last", "1.00", "2026-12-01T00:00:00.000Z"), place(1));
  account.book(sale("next", "2.00", "2026-12-01T00:00:00.001Z"), place(2));
  account.book(sale("late", "4.00"), place(9));
  assert.equal(close(account, 5).revenue?.recorded, decimalText(CENT * 100n, MONEY_DECIMALS));
  assert.equal(account.revenue("2026-12", 9).sales, 1);
  assert.deepEqual(account.late(period.start_ms + 9), [], "recorded after that");
  assert.deepEqual(account.late(period.start_ms + 10), [{ period: "2026-11", index: 9 }]);
  const made = account.correction("2026-11", headOf(9)) as Correction;
  assert.deepEqual([made.number, made.corrects, made.gross, made.total.gross], [1, 6, decimalText(400n * CENT, 21), decimalText(500n * CENT, 21)]);
  account.correct(made, 12);
  assert.deepEqual(account.late(Number.MAX_SAFE_INTEGER), []);
  assert.equal(account.correction("2026-12", headOf(9)), undefined, "an open month");
  account.book(sale("back", "5.00", undefined, "late"), place(13));
  account.book(sale("refund", "4.00", undefined, "late"), place(14));
  const second = account.correction("2026-11", headOf(14)) as Correction;
  assert.deepEqual([second.number, second.corrects, second.gross, second.total.gross], [2, 12, decimalText(-400n * CENT, 21), decimalText(100n * CENT, 21)]);
});

test("however its sales are spread over a statement and corrections, a month comes to the same: nothing drifts, and it is rounded once", () => {
  const amounts = fc.array(fc.record({ cents: fc.integer({ min: 1, max: 99_999_999 }), back: fc.boolean(), cut: fc.boolean() }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(amounts, (all) => {
      const account = new Account(imvu);
      let [gross, creators, platforms, paid, seq] = [0n, 0n, 0n, 0n, 0];
      const next = () => {
        seq += 1;
        return place(seq);
      };
      const settle = () => {
        const correction = account.correction("2026-11", headOf(seq));
        const made = correction ?? close(account, seq);
        if (correction) account.correct(correction, next().index);
        creators += exact(made.creator);
        platforms += exact(made.platform);
        paid += parseDecimal(made.payout?.creator ?? "", 2) as bigint;
        assert.equal(exact(made.creator) + exact(made.platform), exact(made.gross));
      };
      for (const [at, { cents, back, cut }] of all.entries()) {
        const amount = decimalText(BigInt(cents), 2);
        assert.equal(account.book(sale(`s${at}`, amount), next()), undefined);
        gross += BigInt(cents) * CENT;
        if (back) assert.equal(account.book(sale(`r${at}`, amount, undefined, `s${at}`), next()), undefined);
        if (back) gross -= BigInt(cents) * CENT;
        if (cut) settle();
      }
      settle();
      const whole = split(money(gross));
      assert.deepEqual([creators, platforms, paid * CENT], [whole.creator, whole.platform, payable(whole.creator, "EUR")]);
    }),
    { numRuns: 2_000 },
  );
});

test("only the two commands are sales", () => {
  const common = { nonce: "n", iat: 0, exp: 1, imvu };
  const params = { sourceId: "a", amount: "1.00", currency: "EUR", at: "2026-11-10T00:00:00.000Z" } as const;
  assert.deepEqual(saleOf({ ...common, op: "revenue.record", params }), { ...params, reverses: null });
  assert.deepEqual(saleOf({ ...common, op: "revenue.reverse", params: { ...params, reverses: "b" } }), { ...params, reverses: "b" });
  assert.equal(saleOf({ ...common, op: "imvu.exit", params: { encryptTo: null } }), undefined);
});
