import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Currency, decimalText, MONEY_DECIMALS, minorDecimals, money, parseCurrency, parseDecimal } from "../../kernel/index.ts";
import { payable, payoutOf } from "./payout.ts";
import { split } from "./split.ts";

const currency = (code: string): Currency => {
  const parsed = parseCurrency(code);
  assert.ok(parsed.ok, code);
  return parsed.value;
};
/** None, two, three and four decimals. */
const SOME = ["JPY", "KRW", "XOF", "EUR", "USD", "GBP", "CHF", "INR", "BHD", "KWD", "TND", "CLF"].map(currency);

/** Everything that must be so of what is paid of a gross, in figures that the product does not calculate with. */
function holds(gross: bigint, of: Currency): bigint {
  const { creator, platform } = split(money(gross));
  const decimals = minorDecimals(of);
  const minor = 10n ** BigInt(21 - decimals);
  const paid = payable(creator, of);
  const { creator: text, difference } = payoutOf(creator, of);
  const good = creator + platform === gross && paid % minor === 0n && paid >= creator && paid - creator < minor && parseDecimal(text, decimals) === paid / minor && (text.split(".")[1]?.length ?? 0) === decimals && difference === decimalText(paid - creator, MONEY_DECIMALS);
  if (!good) assert.fail(`${gross} ${of}: ${creator} ${platform} ${paid} ${text} ${difference}`);
  return paid - creator;
}

test("a million amounts in currencies of each kind: split whole, paid in whole minor units, up, by less than one", () => {
  let state = fc.sample(fc.bigInt({ min: 1n, max: 2n ** 128n - 1n }), 1)[0] as bigint;
  let most = 0n;
  for (let n = 0; n < 1_000_000; n += 1) {
    state = (state * 6_364_136_223_846_793_005n + 1_442_695_040_888_963_407n) & (2n ** 128n - 1n);
    // Of every size, and of both signs.
    const amount = (state >> BigInt(n % 120)) * (n % 2 === 0 ? 1n : -1n);
    const more = holds(amount, SOME[n % SOME.length] as Currency);
    if (more > most) most = more;
  }
  assert.ok(most > 0n);
});

test("edges, in every currency there is", () => {
  for (const code of ["AED", "BIF", "LYD", "UYW", ...SOME]) for (const edge of [0n, 1n, -1n, 20n, -20n, 2n ** 63n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 64n, 2n ** 127n, -(2n ** 127n), 10n ** 17n, 10n ** 18n, 10n ** 19n, 10n ** 21n, 10n ** 33n - 1n]) holds(edge, currency(code));
  const share = money(1n);
  assert.deepEqual(["JPY", "EUR", "KWD", "CLF"].map((code) => payoutOf(share, currency(code)).creator), ["1", "0.01", "0.001", "0.0001"]);
  assert.deepEqual(["JPY", "EUR", "KWD", "CLF"].map((code) => payoutOf(money(-(10n ** 21n) - 1n), currency(code)).creator), ["-1", "-1.00", "-1.000", "-1.0000"]);
  assert.equal(payoutOf(money(0n), currency("JPY")).creator, "0");
});
