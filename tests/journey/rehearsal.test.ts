import assert from "node:assert/strict";
import { readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import type { Printed } from "../../src/cli/demo/driver.ts";
import { TestHouse } from "../harness/test-house.ts";

test("gate 13: an exit is made and thrown away, and the gate says what was seen", async (t) => {
  await using house = await TestHouse.start();
  const [owner, stranger] = [await house.creator("creator-8891"), await house.creator("workshop-17")];
  await stranger.call.ok("identity", "register");
  const unit = await house.unit(owner, "ArtGallery");
  const id: string = unit.imvu.id;
  const gate13 = (printed: Printed) => printed.gates.find((row: Printed) => row.gate === 13);
  const asked = async () => gate13((await house.operator.call("verify", "gates", "--imvu-id", id)).printed);
  const rehearse = ["verify", "gates", "--imvu-id", id, "--rehearse"];

  await t.test("nobody rehearsed: unproven, and it says how; only its own people can ask for it", async () => {
    const before = await asked();
    assert.equal(before.verdict, "unproven");
    assert.match(before.evidence, /--rehearse/);
    await stranger.call.refused(4, /^NO_SUCH_IMVU$/, ...rehearse);
    await owner.call.refused(2, /^USAGE$/, "verify", "gates", "--rehearse");
    assert.deepEqual(await asked(), { ...before, ms: (await asked()).ms });
  });

  await t.test("rehearsed: it holds, for whoever asks, and nothing of it stays", async () => {
    const seen = gate13((await owner.call.call(...rehearse)).printed);
    assert.equal(seen.verdict, "holds", seen.evidence);
    assert.match(seen.evidence, /a bundle of \d+ files and \d+ entries verifies offline, and \d+ resources were equal/);
    assert.equal((await asked()).verdict, "holds");
    assert.deepEqual(await readdir(join(house.home, "platform/exits")), []);
    assert.deepEqual((await readdir(house.home)).filter((name) => /^r[0-9a-f]{4}$/.test(name)), []);
    assert.equal((await owner.call.ok("imvu", "show", id)).imvu.status, "active");
  });

  await t.test("what could not leave breaks the gate, and it holds again when it can", async () => {
    const folder = join(house.home, "platform/blobs");
    const kept = new Map<string, Buffer>();
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) if (entry.isFile()) kept.set(join(entry.parentPath, entry.name), await readFile(join(entry.parentPath, entry.name)));
    for (const [path, bytes] of kept) if (bytes.length > 1_024) await truncate(path, bytes.length - 512);
    const seen = gate13((await owner.call.call(...rehearse)).printed);
    assert.equal(seen.verdict, "broken", seen.evidence);
    for (const [path, bytes] of kept) await writeFile(path, bytes);
    assert.equal(gate13((await owner.call.call(...rehearse)).printed).verdict, "holds");
  });
});
