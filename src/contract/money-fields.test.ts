import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { GOOD, issuesOf, refused } from "./command.fixture.ts";

describe("steps of a price", () => {
  const step = { above: "1000", price: "0.000000100" };
  const withSteps = (tiers: unknown) => issuesOf("platform.tariff.publish", { ...GOOD["platform.tariff.publish"], tiers });

  test("of some resources, and none at all", () => {
    assert.deepEqual(withSteps({ "dns.answers": [step, { ...step, above: "1001" }] }), []);
    assert.deepEqual(withSteps(undefined), []);
  });

  test("nothing else: every figure exact, each above the one before, no field too many", () => {
    const wrong = [null, {}, [], { fee: [step] }, { "dns.answers": [] }, { "dns.answers": [step, step] }, { "dns.answers": [{ ...step, above: "1.5" }] }, { "dns.answers": [{ ...step, price: "-0.000000100" }] }, { "dns.answers": [{ ...step, fee: "1" }] }];
    // Of a resource that need not be named: its first price must be said where its steps are.
    const { "network.private.out": price, ...prices } = (GOOD["platform.tariff.publish"] as { prices: Record<string, string> }).prices;
    const private_ = (more: object) => issuesOf("platform.tariff.publish", { ...GOOD["platform.tariff.publish"], prices: { ...prices, ...more }, tiers: { "network.private.out": [{ above: "1.000000000", price: "0.000000001" }] } });
    assert.deepEqual([private_({ "network.private.out": price }), private_({}).map(({ at }) => at)], [[], ["tiers"]]);
    for (const tiers of wrong) assert.match(withSteps(tiers)[0]?.at ?? "", /^tiers/, JSON.stringify(tiers));
  });
});

test("an amount has the decimals of its currency, no more and no fewer; a currency is one of ISO 4217, and a clock a place", () => {
  for (const op of ["revenue.record", "revenue.reverse"] as const) {
    for (const [currency, amount] of [["JPY", "500"], ["KWD", "1.234"], ["CLF", "1.2345"], ["USD", "0.01"]] as const) assert.deepEqual(issuesOf(op, { ...GOOD[op], currency, amount }), [], currency);
    for (const [currency, amount] of [["JPY", "500.00"], ["KWD", "1.23"], ["CLF", "1.23"], ["EUR", "500"], ["EUR", "1.2345"]] as const) assert.match(issuesOf(op, { ...GOOD[op], currency, amount })[0]?.message ?? "", /decimals/, currency);
    refused(op, "currency", "DEM");
  }
  for (const op of ["imvu.create", "imvu.import"] as const) {
    assert.deepEqual(issuesOf(op, { ...GOOD[op], timeZone: "Europe/Berlin", currency: "USD" }), []);
    for (const wrong of ["+01:00", "Asia/Calcutta", "europe/berlin", "", null, "../Berlin"]) refused(op, "timeZone", wrong);
    for (const wrong of ["usd", "XAU", "", null]) refused(op, "currency", wrong);
  }
});

test("an account is named in one spelling: a holder on one line, an IBAN that is one, and nothing beside", () => {
  const account = { holder: "Ada Lovelace", kind: "person", iban: "DE89370400440532013000" };
  for (const good of [null, account, { ...account, bic: "COBADEFF" }, { ...account, holder: "Š" }, { ...account, holder: "a".repeat(70) }, { ...account, kind: "company" }]) assert.deepEqual(issuesOf("imvu.payout.account", { account: good }), [], JSON.stringify(good));
  const bad = [
    { ...account, iban: "DE89370400440532013001" }, { ...account, iban: "de89370400440532013000" }, { ...account, iban: "DE89 3704 0044 0532 0130 00" }, { ...account, bic: "COBA" }, { ...account, bic: null }, { ...account, kind: "friend" },
    { ...account, holder: "" }, { ...account, holder: " Ada" }, { ...account, holder: "Ada " }, { ...account, holder: "Ada\nBcc: x" }, { ...account, holder: "Ada\u2028x" }, { ...account, holder: "\u202eadA" }, { ...account, holder: "a".repeat(71) }, { ...account, amount: "1.00" }, { holder: "Ada", kind: "person" }, "none", undefined,
  ];
  for (const wrong of bad) assert.notEqual(issuesOf("imvu.payout.account", { account: wrong }).length, 0, JSON.stringify(wrong));
});

test("no word of an operator about a payout names an amount or an account", () => {
  for (const op of ["platform.payout.execute", "platform.payout.return"] as const)
    for (const more of [{ amount: "1.00" }, { currency: "EUR" }, { iban: "DE89370400440532013000" }, { account: null }]) assert.notEqual(issuesOf(op, { ...GOOD[op], ...more }).length, 0, JSON.stringify(more));
  for (const at of ["2026-12-02", "2026-12-02T00:00:00Z", "yesterday"]) assert.notEqual(issuesOf("platform.payout.execute", { ...GOOD["platform.payout.execute"], at }).length, 0);
});

test("a budget is an amount and one to five percents of it that rise, or nothing and none", () => {
  const op = "imvu.budget.set";
  for (const good of [{ amount: "0.01", currency: "EUR", thresholds: [1] }, { amount: "500", currency: "JPY", thresholds: [1, 50, 100, 150, 200] }, { amount: null, currency: "EUR", thresholds: [] }]) assert.deepEqual(issuesOf(op, good), []);
  for (const wrong of [[], [0], [201], [50, 50], [80, 50], [1, 2, 3, 4, 5, 6], [50.5], ["50"], null]) refused(op, "thresholds", wrong);
  for (const wrong of ["0.00", "-1.00", "1", "1.000", 5]) refused(op, "amount", wrong);
  assert.ok(issuesOf(op, { amount: null, currency: "EUR", thresholds: [50] }).length > 0);
});
