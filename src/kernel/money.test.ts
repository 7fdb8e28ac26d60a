import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { decimalText, MONEY_DECIMALS, PRICE_DECIMALS, parseDecimal, QUANTITY_DECIMALS_MAX } from "./money.ts";

describe("decimals", () => {
  test("what is written can be read back exactly, for every value and scale", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 39n), max: 10n ** 39n }), fc.integer({ min: 0, max: MONEY_DECIMALS }), (value, decimals) => {
        const text = decimalText(value, decimals);
        assert.match(text, decimals === 0 ? /^-?\d+$/ : new RegExp(`^-?\\d+\\.\\d{${decimals}}$`));
        assert.equal(parseDecimal(text, decimals), value);
      }),
    );
  });

  test("small and negative amounts keep their zeros and their sign", () => {
    assert.equal(decimalText(5n, 3), "0.005");
    assert.equal(decimalText(-5n, 3), "-0.005");
    assert.equal(decimalText(0n, 2), "0.00");
    assert.equal(decimalText(-1234n, 0), "-1234");
  });

  test("fewer decimals than the scale are filled up, more are refused rather than rounded", () => {
    assert.equal(parseDecimal("1.5", 3), 1500n);
    assert.equal(parseDecimal("7", 3), 7000n);
    assert.equal(parseDecimal("0.001", 3), 1n);
    assert.equal(parseDecimal("0.0010", 3), undefined);
    assert.equal(parseDecimal("1.0", 0), undefined);
  });

  test("what is no plain decimal is no number", () => {
    for (const text of ["", "-", ".", ".5", "5.", "+1", "1e3", "1,5", "0x10", " 1", "1 ", "1\n", "--1", "1.2.3", "٣", "NaN", "Infinity", "1_000", "9".repeat(41), `0.${"0".repeat(41)}`])
      assert.equal(parseDecimal(text, 40), undefined, JSON.stringify(text));
  });

  test("the product of any quantity and any price fits the scale of money without rounding", () => assert.equal(QUANTITY_DECIMALS_MAX + PRICE_DECIMALS, MONEY_DECIMALS));
});
