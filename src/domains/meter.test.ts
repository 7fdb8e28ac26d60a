import assert from "node:assert/strict";
import test from "node:test";
import { type ImvuId, imvuIdOf } from "../kernel/index.ts";
import { domainsMeter } from "./meter.ts";

const zoneOf = (imvu: ImvuId) => `${imvu.toLowerCase()}.world`;

test("all zones of one turn are one question; a zone that is not counted is a fault of its own, never a zero", async () => {
  const asked: (readonly string[])[] = [];
  const answers = async (zones: readonly string[]) => {
    asked.push(zones);
    return new Map(zones.filter((zone) => zone !== "imvu-002.world").map((zone, at) => [zone, BigInt(at)]));
  };
  const meter = domainsMeter({ boot: "b" }, { answers }, zoneOf, async () => "17-99");
  const read = await Promise.all([1, 2, 3].map((number) => meter(imvuIdOf(number)).catch((error: Error) => error.message)));
  const reading = (value: string) => [{ resource: "dns.answers", value, boot: "b", epoch: "17-99" }];
  assert.deepEqual(read, [reading("0"), "the DNS server does not count imvu-002.world", reading("1")]);
  assert.deepEqual(asked, [["imvu-001.world", "imvu-002.world", "imvu-003.world"]]);
});

test("a server that started anew while it was read is no reading: its counts would stand under the wrong process", async () => {
  let process = "first";
  const answers = async (zones: readonly string[]) => {
    process = "second";
    return new Map(zones.map((zone) => [zone, 5n]));
  };
  const meter = domainsMeter({ boot: "b" }, { answers }, zoneOf, async () => process);
  await assert.rejects(meter(imvuIdOf(1)), /started anew/);
  assert.equal((await meter(imvuIdOf(1)))[0]?.epoch, "second");
});
