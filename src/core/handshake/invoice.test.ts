import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { BUYER, BUYERS, correctionOf, EXEMPT, invoiceFor, monthOf, SELLER } from "../../../tests/harness/invoices.ts";
import { type Currency, money } from "../../kernel/index.ts";
import { daysOf, type Invoice, invoiceNumber, shareOf } from "./invoice.ts";
import { amountsOf, vatOf, wholeShare } from "./vat.ts";

const units = (text: string) => BigInt(text.replace(".", ""));

describe("which VAT", () => {
  test("the seller's rate at home and to who has no VAT id in the Union, reverse charge to who has one, none outside it, and never any of who is exempt", () => {
    const of = (buyer: object, seller: object = {}) => {
      const { category, rate, code } = vatOf({ ...SELLER, ...seller }, { ...BUYER, ...buyer });
      return [category, rate, code];
    };
    assert.deepEqual(of(BUYERS.S), ["S", "19.00", null]);
    assert.deepEqual(of(BUYERS["S without an id"]), ["S", "19.00", null]);
    assert.deepEqual(of(BUYERS.AE), ["AE", "0.00", "VATEX-EU-AE"]);
    assert.deepEqual(of(BUYERS.O), ["O", null, "VATEX-EU-O"]);
    assert.deepEqual(of(BUYERS.AE, { country: "CH", vatId: "CHE1" }), ["O", null, "VATEX-EU-O"], "a seller outside the Union");
    assert.deepEqual(of(BUYERS.O, { country: "CH", vatId: "CHE1" }), ["S", "19.00", null], "and both in one country");
    for (const buyer of Object.values(BUYERS)) assert.deepEqual(of(buyer, EXEMPT), ["E", "0.00", null]);
  });
});

describe("figures", () => {
  test("VAT is contained in the share: net and VAT come to it, or to the next amount there is, and nothing is due", () => {
    fc.assert(
      fc.property(fc.bigInt(1n, 10n ** 15n), fc.integer({ min: 0, max: 9_999 }), fc.constantFrom(0, 2, 3), (share, rate, digits) => {
        const percent = `${Math.floor(rate / 100)}.${String(rate % 100).padStart(2, "0")}`;
        const amounts = amountsOf(share, { rate: percent }, digits);
        const [net, vat, total, rounding, paid, due] = [amounts.net, amounts.vat, amounts.total, amounts.rounding, amounts.paid, amounts.due].map(units) as [bigint, bigint, bigint, bigint, bigint, bigint];
        assert.equal(paid, share);
        assert.equal(total, net + vat);
        assert.equal(due, total - paid + rounding);
        assert.equal(due, 0n);
        assert.ok(rounding >= -1n && rounding <= 1n, `${share} at ${percent}: rounding ${rounding}`);
        // VAT is net × rate, half up.
        assert.ok(2n * 10_000n * vat <= 2n * net * BigInt(rate) + 10_000n && 2n * 10_000n * vat > 2n * net * BigInt(rate) - 10_000n);
        // Where some net amount comes to the share exactly, it is this one.
        if (rounding !== 0n) for (const other of [net - 1n, net + 1n]) assert.notEqual(other + (2n * other * BigInt(rate) + 10_000n) / 20_000n, share);
      }),
      { numRuns: 20_000 },
    );
    assert.deepEqual(amountsOf(119n, { rate: "19.00" }, 2), { net: "1.00", vat: "0.19", total: "1.19", rounding: "0.00", paid: "1.19", due: "0.00" });
    // 0.03 × 1.19 = 0.04 and 0.02 × 1.19 = 0.02: no net amount comes to 0.03.
    assert.deepEqual(amountsOf(3n, { rate: "19.00" }, 2), { net: "0.03", vat: "0.01", total: "0.04", rounding: "-0.01", paid: "0.03", due: "0.00" });
  });

  test("the share is rounded once, in the creator's favour, for losses too", () => {
    const cent = 10n ** 19n;
    for (const [amount, whole] of [[cent, 1n], [cent - 1n, 0n], [0n, 0n], [-1n, -1n], [-cent, -1n], [-cent - 1n, -2n], [5n * cent + 1n, 5n]] as const) assert.equal(wholeShare(money(amount), 2), whole);
    assert.equal(wholeShare(money(199n * 10n ** 19n), 0), 1n);
  });

  test("an invoice names at most two decimals, whatever its currency has; what is less is the creator's", () => {
    const made = (currency: string, creator: string, platform: string) => invoiceFor({ ...monthOf(0n), currency: currency as Currency, payout: { creator, difference: "0" }, platform }, { buyer: BUYERS.S });
    assert.deepEqual(made("KWD", "0.000", `1.199${"0".repeat(18)}`).amounts, { net: "1.00", vat: "0.19", total: "1.19", rounding: "0.00", paid: "1.19", due: "0.00" });
    assert.equal(made("CLF", "0.0000", `-1.1801${"0".repeat(17)}`).amounts.paid, "1.19");
    assert.equal(made("JPY", "0", `119.99${"0".repeat(19)}`).amounts.paid, "119");
    assert.throws(() => made("KWD", "0.000", `0.009${"0".repeat(18)}`), /no share/);
  });

  test("a month comes to the same however it was spread over a statement and corrections", () => {
    const cents = 10n ** 19n;
    fc.assert(
      fc.property(fc.bigInt(-(10n ** 25n), 10n ** 25n), fc.bigInt(-(10n ** 25n), 10n ** 25n), (before, added) => {
        const floor = (value: bigint) => (value - (((value % cents) + cents) % cents)) / cents;
        const share = (gross: bigint) => floor((gross * 45n - (((gross * 45n) % 100n) + 100n) % 100n) / 100n);
        assert.equal(share(before) + shareOf(correctionOf(before, added)).units, share(before + added));
      }),
      { numRuns: 5_000 },
    );
  });
});

describe("an invoice", () => {
  test("of a share that is less than a cent there is none; of a loss it is a credit note, in figures without a sign", () => {
    assert.throws(() => invoiceFor({ ...monthOf(0n), platform: "0.009999999999999999999" }), /no share/);
    const loss = invoiceFor({ ...monthOf(0n), platform: "-0.000000000000000000001" }, { buyer: BUYERS.S });
    assert.deepEqual([loss.kind, loss.amounts.paid, loss.share], ["credit-note", "0.01", "-0.000000000000000000001"]);
    assert.equal(invoiceFor(monthOf(100n)).kind, "invoice");
  });

  test("of a correction says which one and what stood before", () => {
    const preceding = { number: "NX-2026-000003", issued: "2026-12-01" };
    const made: Invoice = invoiceFor(correctionOf(10n ** 23n, -(10n ** 22n)), { preceding });
    assert.deepEqual([made.kind, made.correction, made.amounts.paid, made.preceding, made.annex.lines], ["credit-note", 1, "4.50", preceding, []]);
  });

  test("is numbered by seller, year and place; the number grows where six digits are too few", () => {
    const { number, series } = invoiceFor(monthOf(1n));
    assert.deepEqual([number, series, invoiceNumber("NX-2026", 1_234_567)], ["NX-2026-000007", "NX-2026", "NX-2026-1234567"]);
    assert.equal(invoiceFor(monthOf(1n), { seller: { ...SELLER, prefix: "A-1" } }).number, "A-1-2026-000007");
  });

  test("is about a month's first to last day", () => {
    assert.deepEqual([daysOf("2026-12"), daysOf("2028-02"), daysOf("2027-02")], [{ first: "2026-12-01", last: "2026-12-31" }, { first: "2028-02-01", last: "2028-02-29" }, { first: "2027-02-01", last: "2027-02-28" }]);
  });
});
