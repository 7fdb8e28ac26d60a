import assert from "node:assert/strict";
import { test } from "node:test";
import { currencies, minorDecimals, parseCurrency } from "./currency.ts";

const decimalsOf = (code: string) => {
  const parsed = parseCurrency(code);
  assert.ok(parsed.ok, code);
  return minorDecimals(parsed.value);
};

test("a currency is an ISO 4217 code with a minor unit: no old one, no metal, no other spelling", () => {
  assert.equal(currencies().length, 164);
  assert.equal(new Set(currencies()).size, 164);
  assert.deepEqual(["EUR", "USD", "JPY", "XOF", "KWD", "TND", "CLF", "UYW", "XCG"].map(decimalsOf), [2, 2, 0, 0, 3, 3, 4, 4, 2]);
  for (const wrong of ["DEM", "BGN", "HRK", "ANG", "CUC", "ZWL", "XAU", "XDR", "XTS", "XXX", "BTC", "eur", "EUR ", "EURO", "", "€", undefined, null, 978, "__proto__", "constructor"]) {
    const parsed = parseCurrency(wrong);
    assert.deepEqual([parsed.ok, !parsed.ok && parsed.code], [false, "BAD_CURRENCY"], String(wrong));
  }
});
