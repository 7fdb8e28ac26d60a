import assert from "node:assert/strict";
import test from "node:test";
import type { Printed } from "../../src/cli/demo/driver.ts";
import { TestHouse } from "../harness/test-house.ts";

/** The month that begins `months` after this one. */
function month(months: number): string {
  const now = new Date();
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + months, 1)).toISOString().slice(0, 7);
}

test("prices change by the operators' command alone, announced, and never for what is already running", async (t) => {
  await using house = await TestHouse.start();
  const { operator } = house;
  const creator = await house.creator("creator-8891");
  await creator.call.ok("identity", "register");
  const unit = await house.unit(creator, "ArtGallery");
  const of = ["--imvu-id", unit.imvu.id] as const;
  const first: Printed = await operator.ok("tariff", "show");
  const publish = (from: string, ...prices: string[]) => ["tariff", "publish", "--from", from, ...prices.flatMap((price) => ["--price", price])];
  const dearer = "compute.cpu=0.000003";

  await t.test("not by others, not at short notice, not for the past, not in figures that nobody can be charged", async () => {
    await creator.call.refused(3, /^GATE_01_NOT_AN_OPERATOR$/, ...publish(month(3), dearer));
    for (const from of [month(-1), month(0), month(1)].filter((from) => Date.parse(`${from}-01T00:00:00Z`) < Date.now() + 29 * 86_400_000)) await operator.refused(3, /^GATE_06_TARIFF_TOO_SOON$/, ...publish(from, dearer));
    await operator.refused(2, /./, ...publish("soon", dearer));
    await operator.refused(2, /^USAGE$/, ...publish(month(3), "compute.cpu=0.0000000001"));
    await operator.refused(2, /^USAGE$/, ...publish(month(3), "compute.cpu=-1"));
    await operator.refused(2, /^USAGE$/, ...publish(month(3), "fee=1"));
    await operator.refused(2, /^USAGE$/, "tariff", "publish", "--from", month(3));
    await operator.refused(2, /^USAGE$/, ...publish(month(3), "dns.answers=0.0000002"), "--tier", "mail.sent=5:1");
    await operator.refused(2, /./, ...publish(month(3), "dns.answers=0.0000002"), "--included", "dns.answers=1000", "--tier", "dns.answers=1000:0.0000001");
    assert.deepEqual(await operator.ok("tariff", "show"), first);
  });

  await t.test("announced: what is running keeps its price, what is not named stays, and the next builds on it", async () => {
    const published = await operator.ok(...publish(month(3), dearer));
    const shown: Printed = await creator.call.ok("tariff", "show");
    assert.equal(shown.index, first.index);
    assert.deepEqual(shown.announced.map(({ index, tariff }: Printed) => [index, tariff.validFrom]), [[published.index, `${month(3)}-01T00:00:00.000Z`]]);
    assert.deepEqual(shown.announced[0].tariff.prices, { ...first.tariff.prices, "compute.cpu": "0.000003000" });
    assert.equal((await creator.call.ok("statement", "show", ...of)).tariffIndex, first.index);
    const stepped = await operator.ok(...publish(month(4), "network.out=0.02", "dns.answers=0.0000002"), "--included", "network.out=100", "--tier", "dns.answers=1000000:0.0000001");
    const tiers = { "dns.answers": [{ above: "1000000", price: "0.000000100" }], "network.out": [{ above: "100.000000000", price: "0.020000000" }] };
    assert.deepEqual(stepped.tiers, tiers);
    const next = (await operator.ok("tariff", "show")).announced[1].tariff;
    assert.deepEqual([next.v, next.prices, next.tiers], [2, { ...first.tariff.prices, "compute.cpu": "0.000003000", "dns.answers": "0.000000200", "network.out": "0.000000000" }, tiers]);
    assert.equal((await operator.ok("verify", "revenue")).ok, true);
  });

  await t.test("where there are two operators two sign", async () => {
    const other = await house.creator("creator-7702");
    await other.call.ok("identity", "register");
    await operator.ok("operator", "add", "creator-7702");
    const { digest } = await operator.refused(3, /^GATE_01_SECOND_OPERATOR_MISSING$/, ...publish(month(5), dearer));
    await other.call.ok("imvu", "approve", digest);
    assert.equal((await operator.ok("tariff", "show")).announced.length, 3);
  });

  await t.test("the tables are what the log tells, and the unit leaves with the prices it was charged", async () => {
    await operator.ok("ledger", "replay", "--check");
    assert.equal((await operator.ok("ledger", "fsck")).ok, true);
    const exit = await creator.call.ok("imvu", "exit", ...of, "--export-path", `${house.root}/exit`);
    assert.equal((await creator.call.ok("verify-export", exit.path)).ok, true);
  });
});
