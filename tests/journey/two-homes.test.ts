import assert from "node:assert/strict";
import test from "node:test";
import { get } from "../../src/cli/demo/outside.ts";
import { runOk } from "../../src/kernel/index.ts";
import { TestHouse } from "../harness/test-house.ts";

const HOME_PATH_CHARS_MAX = 50;

test("two homes run side by side, one with the longest path allowed, and the end of one leaves the other alone", async () => {
  const before = await openToOthers();
  await using one = await TestHouse.start();
  const first = await one.creator("creator-8891");
  const here = await one.unit(first, "ArtGallery");
  {
    await using two = await TestHouse.start(HOME_PATH_CHARS_MAX);
    assert.equal(two.home.length, HOME_PATH_CHARS_MAX);
    const second = await two.creator("creator-7702");
    const there = await two.unit(second, "Workshop");
    assert.equal(there.imvu.id, here.imvu.id, "each platform counts for itself");
    assert.equal((await get(two.status.listen.gatewayHttp, there.imvu.zone, "/")).status, 200);
    assert.notEqual(one.status.listen.api, two.status.listen.api);
    assert.ok((await listeners()).includes(two.status.listen.api), "the look does not see what listens");
    assert.deepEqual(await openToOthers(), before);
    const left = await second.call.ok("imvu", "exit", "--imvu-id", there.imvu.id, "--export-path", two.root);
    assert.equal(left.rehearsal.equal, left.rehearsal.compared);
  }
  assert.equal((await get(one.status.listen.gatewayHttp, here.imvu.zone, "/")).status, 200);
});

/** Sockets of the machine's own namespace that others than itself can reach. */
async function openToOthers(): Promise<readonly string[]> {
  return (await listeners()).filter((address) => !/^(127\.|\[::1\])/.test(address));
}

async function listeners(): Promise<readonly string[]> {
  const text = await runOk(["ss", "-H", "-l", "-n", "-t", "-u"]);
  return text.split("\n").flatMap((line) => line.trim().split(/\s+/)[4] ?? []).sort();
}
