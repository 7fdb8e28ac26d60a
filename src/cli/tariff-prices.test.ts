import assert from "node:assert/strict";
import test from "node:test";
import { RESOURCES } from "../contract/index.ts";
import { Failure } from "./failure.ts";
import { changedPrices, priceRows } from "./tariff-prices.ts";

const prices = Object.fromEntries(Object.keys(RESOURCES).map((resource) => [resource, "0.000001000"]));
const none = { price: [], included: [], tier: [] };

test("what is named changes, what is not stays as it was, steps and all", () => {
  assert.deepEqual(changedPrices({ prices }, { ...none, price: ["compute.cpu=0.000003", "mail.sent=1"] }), { prices: { ...prices, "compute.cpu": "0.000003000", "mail.sent": "1.000000000" } });
  const first = changedPrices({ prices }, { price: ["dns.answers=0.0000002", "network.out=0.01"], included: ["dns.answers=1000000"], tier: ["dns.answers=9000000:0.00000005", "dns.answers=5000000:0.0000001", "network.out=100:0.005"] });
  assert.deepEqual(first, {
    prices: { ...prices, "dns.answers": "0.000000000", "network.out": "0.010000000" },
    tiers: { "dns.answers": [{ above: "1000000", price: "0.000000200" }, { above: "5000000", price: "0.000000100" }, { above: "9000000", price: "0.000000050" }], "network.out": [{ above: "100.000000000", price: "0.005000000" }] },
  });
  const second = changedPrices(first, { ...none, price: ["network.out=0.02"] });
  assert.deepEqual(second, { prices: { ...first.prices, "network.out": "0.020000000" }, tiers: { "dns.answers": first.tiers?.["dns.answers"] } });
  assert.deepEqual(changedPrices(second, { ...none, price: ["dns.answers=0"] }), { prices: { ...second.prices, "dns.answers": "0.000000000" } }, "the last steps are gone, and so is their field");
});

test("what nobody can be charged is refused by the option that says it", () => {
  const refused = (changes: Partial<typeof none>, message: RegExp) => assert.throws(() => changedPrices({ prices }, { ...none, ...changes } as Parameters<typeof changedPrices>[1]), (error) => error instanceof Failure && message.test(error.message) && Boolean(error.document.hint));
  refused({}, /^--price: is missing/);
  for (const price of ["compute.cpu", "compute.cpu=", "compute.cpu=-1", "compute.cpu=0.0000000001", "compute.cpu=1e3", "compute.cpu=1.", "fee=1", "=1", "toString=1"]) refused({ price: [price] } as never, /^--price: /);
  const price = ["dns.answers=0.1", "network.out=1"];
  for (const included of ["dns.answers", "dns.answers=0", "dns.answers=1.5", "dns.answers=-1", "network.out=0.0000000001", "fee=1"]) refused({ price, included: [included] } as never, /^--included: /);
  refused({ price, included: ["mail.sent=100"] } as never, /^--included mail\.sent=100: what more costs is not said/);
  refused({ price, included: ["dns.answers=1", "dns.answers=2"] } as never, /twice/);
  for (const tier of ["dns.answers=5", "dns.answers=5:", "dns.answers=:1", "dns.answers=5:-1", "dns.answers=0:1", "dns.answers=1:2:3", "fee=1:1"]) refused({ price, tier: [tier] } as never, /^--tier: /);
  refused({ price, tier: ["mail.sent=1:1"] } as never, /^--tier mail\.sent=1:1: /);
});

test("a tariff is shown with its units, and each step under its price", () => {
  const rows = priceRows({ prices: { "dns.answers": "0.000000000" }, tiers: { "dns.answers": [{ above: "1000000", price: "0.000000200" }] } });
  assert.deepEqual(rows, [["  dns.answers", "0.000000000", "per answer"], ["    above 1000000", "0.000000200", "per answer"]]);
});
