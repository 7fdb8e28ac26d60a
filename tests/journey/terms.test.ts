import assert from "node:assert/strict";
import { cp } from "node:fs/promises";
import test from "node:test";
import type { Printed } from "../../src/cli/demo/driver.ts";
import { RESOURCES } from "../../src/contract/index.ts";
import { TestHouse } from "../harness/test-house.ts";

test("a unit's clock and currency are agreed when it is made, hold for all its money, and go with it to another platform", async (t) => {
  await using house = await TestHouse.start();
  const { operator } = house;
  const creator = await house.creator("creator-8891");
  const month = new Date().toISOString().slice(0, 7);
  const everything = Object.keys(RESOURCES).flatMap((resource) => ["--price", `${resource}=0.0001`]);
  const publish = (currency: string, from: string, ...prices: string[]) => ["tariff", "publish", "--currency", currency, "--from", from, ...prices];
  const terms = ["--time-zone", "Asia/Kathmandu", "--currency", "JPY"];

  await t.test("not in a currency in which nothing has a price, nor in none, nor by a clock that is none", async () => {
    const create = (...more: string[]) => ["imvu", "create", "--name", "Workshop", "--owner", creator.name, "--jurisdiction", "EU-GDPR", "--cpu", "0.5", "--memory", "0.25", "--storage", "0.25", ...more];
    await creator.call.refused(3, /^GATE_06_CURRENCY_WITHOUT_TARIFF$/, ...create(...terms));
    await creator.call.refused(2, /^BAD_CURRENCY$/, ...create("--currency", "DEM"));
    for (const zone of ["+05:45", "Asia/Calcutta", "asia/kathmandu"]) await creator.call.refused(2, /^BAD_TIME_ZONE$/, ...create("--time-zone", zone));
  });

  await t.test("operators publish a currency's first prices from this month on, all of them; the next is announced", async () => {
    await operator.refused(2, /^USAGE$/, ...publish("JPY", month, "--price", "compute.cpu=0.0003"));
    await operator.refused(3, /^GATE_06_TARIFF_TOO_SOON$/, ...publish("JPY", "2026-01", ...everything));
    await operator.ok(...publish("JPY", month, ...everything));
    await operator.refused(3, /^GATE_06_TARIFF_TOO_SOON$/, ...publish("JPY", month, "--price", "compute.cpu=0.0003"));
    const shown: Printed = await creator.call.ok("tariff", "show");
    assert.deepEqual([shown.tariff.currency, shown.inForce.map(({ tariff }: Printed) => tariff.currency)], ["EUR", ["EUR", "JPY"]]);
  });

  const unit = await house.unit(creator, "ArtGallery", ...terms);
  const of = ["--imvu-id", unit.imvu.id] as const;
  await t.test("its statement is in yen, by its clock; a sale in euros is refused, recorded, and changes nothing", async () => {
    assert.deepEqual([unit.imvu.timeZone, unit.imvu.currency], ["Asia/Kathmandu", "JPY"]);
    await creator.call.ok("revenue", "record", ...of, "--source-id", "order-1", "--amount", "1200");
    await creator.call.refused(3, /^GATE_06_REVENUE_CURRENCY$/, "revenue", "record", ...of, "--source-id", "order-2", "--amount", "12.00", "--currency", "EUR");
    await creator.call.refused(2, /^USAGE$/, "revenue", "record", ...of, "--source-id", "order-2", "--amount", "12.00");
    assert.equal((await creator.call.ok("imvu", "refusals", unit.imvu.id)).refusals.length, 1);
    const shown: Printed = await creator.call.ok("statement", "show", ...of);
    assert.deepEqual([shown.currency, shown.timeZone, shown.revenue.sales, shown.start.slice(10), /^-?\d+$/.test(shown.payout.creator)], ["JPY", "Asia/Kathmandu", 1, "T18:15:00.000Z", true]);
    assert.equal((await operator.ok("verify", "revenue")).ok, true);
    await operator.ok("ledger", "replay", "--check");
  });

  await t.test("a budget is set by who keeps the books, in the unit's currency, and shown with what is used of it", async () => {
    await creator.call.refused(2, /^USAGE$/, "budget", "set", ...of, "--amount", "50.00");
    await creator.call.refused(2, /^USAGE$/, "budget", "set", ...of, "--amount", "5000", "--at", "80,50");
    const set: Printed = await creator.call.ok("budget", "set", ...of, "--amount", "5000", "--at", "50,100");
    const shown: Printed = await creator.call.ok("budget", "show", ...of);
    assert.deepEqual(shown.budget, { amount: "5000", thresholds: [50, 100], index: set.receipt.index });
    assert.match((await creator.call.ok("statement", "show", ...of)).budget.percentUsed, /^\d+\.\d$/);
    const stranger = await house.creator("workshop-17");
    await stranger.call.ok("identity", "register");
    assert.notEqual((await stranger.call.call("budget", "set", ...of, "--amount", "1")).code, 0);
    await operator.ok("ledger", "replay", "--check");
    await creator.call.ok("budget", "set", ...of, "--none");
    assert.equal((await creator.call.ok("budget", "show", ...of)).budget, null);
    await operator.ok("ledger", "replay", "--check");
  });

  await t.test("it leaves and arrives with both; no other can be signed for", async () => {
    const exit = await creator.call.ok("imvu", "exit", ...of, "--export-path", `${house.root}/exit`);
    assert.equal((await creator.call.ok("verify-export", exit.path)).ok, true);
    await using other = await TestHouse.start();
    const there = await other.creator("creator-8891");
    // The same person: her key is the one that the bundle lists.
    await cp(`${house.root}/creator-8891/identities`, `${other.root}/creator-8891/identities`, { recursive: true, force: true });
    await there.call.refused(3, /^GATE_06_CURRENCY_WITHOUT_TARIFF$/, "imvu", "import", exit.path);
    await other.operator.ok(...publish("JPY", month, ...everything));
    const arrived: Printed = await there.call.ok("imvu", "import", exit.path);
    assert.deepEqual([arrived.imvu.timeZone, arrived.imvu.currency], ["Asia/Kathmandu", "JPY"]);
    assert.equal((await there.call.ok("statement", "show", ...of)).currency, "JPY");
    await other.operator.ok("ledger", "replay", "--check");
  });
});
