import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { appendFile, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { after, before } from "node:test";
import { Volumes } from "../../src/compute/envelopes/volume.ts";
import { layoutOf } from "../../src/compute/layout.ts";
import { Captures } from "../../src/compute/snapshots/captures.ts";
import { Check } from "../../src/compute/snapshots/check.ts";
import { isUnsettled, letGo, putBack, putInPlace, settleRestore } from "../../src/compute/snapshots/swap.ts";
import { imvuUidBase, type Snapshot } from "../../src/contract/index.ts";
import { type Jurisdiction, runOk, type ServiceName } from "../../src/kernel/index.ts";
import { ScratchSite } from "../harness/scratch-site.ts";

/** Captures on a real btrfs volume, by root's own hands; that services run on what was put back is the journey's. */

const MIB = 1024 ** 2;
const PLACE = { number: 7, storageBytes: 128 * MIB };
let scratch: ScratchSite;
let volumes: Volumes;
let captures: Captures;
let check: Check;
let root = "";
const told: Snapshot[] = [];

before(async () => {
  scratch = await ScratchSite.create();
  const layout = layoutOf(scratch.site);
  await mkdir(layout.volumes, { recursive: true });
  volumes = new Volumes(scratch.site, layout);
  captures = new Captures(scratch.site, layout, volumes);
  check = new Check(captures);
  await volumes.ensure(7, PLACE.storageBytes, "EU-GDPR" as Jurisdiction);
  root = volumes.mountPoint(7);
});
after(async () => {
  await volumes?.remove(7);
  await scratch?.[Symbol.asyncDispose]();
});

async function take(id: string): Promise<Snapshot> {
  const snapshot = { id, label: null, takenAt: "2026-11-28T12:00:00.000Z", ...(await captures.take(PLACE, id, `{"is":"${id}"}`)) };
  told.push(snapshot);
  return snapshot;
}

const state = () => readFile(join(root, "data/web/state"), "utf8");
const write = (text: string) => writeFile(join(root, "data/web/state"), text);
const look = () => check.of(PLACE, root, told);
const btrfs = (...words: readonly string[]) => runOk(["/usr/bin/btrfs", ...words]);
const owner = () => imvuUidBase(scratch.site, 7);

async function says(verdict: string, say: RegExp): Promise<void> {
  const seen = await look();
  assert.equal(seen.verdict, verdict, seen.detail);
  assert.match(seen.detail, say);
}

test("of a volume without snapshots the probe takes one, puts it back and throws it away", async () => {
  await says("holds", /no snapshot; one that was taken now \(0 files/);
  await volumes.ensureData(7, "web" as ServiceName);
  await volumes.ensureData(7, "db" as ServiceName);
  await write("first");
  await writeFile(join(root, "data/db/rows"), "1,2,3");
  await says("holds", /\(2 files, 10 bytes\)/);
  for (const folder of ["snapshots", "scratch"]) assert.deepEqual(await readdir(join(root, folder)), []);
});

test("a capture is whole and read-only; what lay in its place is no part of it", async () => {
  await btrfs("subvolume", "snapshot", "-r", join(root, "data/web"), join(root, "snapshots/S1"));
  await mkdir(join(root, "snapshots/S1.new"));
  const first = await take("S1");
  assert.deepEqual([first.files, first.bytes], [2, 10]);
  await write("second");
  await assert.rejects(writeFile(join(root, "snapshots/S1/data/web/state"), "x"), { code: "EROFS" });
  await assert.rejects(writeFile(join(root, "snapshots/S1/data/more"), "x"), { code: "EROFS" });
  await assert.rejects(rm(join(root, "snapshots/S1/document.json")), { code: "EROFS" });
  const second = await take("S2");
  assert.notEqual(second.digest, first.digest);
  await says("holds", /S2 \(2 files, 11 bytes\) was put back beside and is the same/);
  assert.deepEqual(await readdir(join(root, "scratch")), []);
});

test("whatever root does to a snapshot is named, and what is put right holds again", async () => {
  const inside = join(root, "snapshots/S1/data/web");
  await btrfs("property", "set", "-ts", inside, "ro", "false");
  await says("broken", /S1 can be written to \(data\/web\)/);
  await appendFile(join(inside, "state"), "!");
  await btrfs("property", "set", "-ts", inside, "ro", "true");
  await says("broken", /S1 has the digest [0-9a-f]{64}, in the ledger stands/);
  await assert.rejects(async () => assert.deepEqual(await captures.flaws(PLACE, told[0] as Snapshot, "all"), []));
  await btrfs("property", "set", "-ts", inside, "ro", "false");
  await rm(join(root, "snapshots/S1/data/web/state"));
  await runOk(["/bin/cp", "--preserve=all", join(root, "snapshots/S2/data/web/state"), join(inside, "state")]);
  await says("broken", /S1/);

  await captures.remove(7, "S1");
  await says("broken", /S1 is in the ledger and not on the volume/);
  told.shift();
  await says("holds", /S2/);

  await take("S3");
  await write("third");
  await take("S4");
  await rename(join(root, "snapshots/S3"), join(root, "snapshots/x"));
  await rename(join(root, "snapshots/S4"), join(root, "snapshots/S3"));
  await rename(join(root, "snapshots/x"), join(root, "snapshots/S4"));
  await says("broken", /the document in S3[^;]*; S3 has the digest[^;]*; the document in S4[^;]*; S4 has the digest/);
  await rename(join(root, "snapshots/S3"), join(root, "snapshots/x"));
  await rename(join(root, "snapshots/S4"), join(root, "snapshots/S3"));
  await rename(join(root, "snapshots/x"), join(root, "snapshots/S4"));
  await says("holds", /S4/);

  for (const foreign of ["snapshots/S9", "snapshots/mine", "kept", "scratch/web-1-2"]) {
    await btrfs("subvolume", "snapshot", "-r", join(root, "data/web"), join(root, foreign));
    await says("broken", new RegExp(`${foreign} lies on the volume, and no entry tells of it`));
    await btrfs("subvolume", "delete", join(root, foreign));
  }
  await mkdir(join(root, "snapshots/S4x"));
  await says("broken", /snapshots\/S4x/);
  await rm(join(root, "snapshots/S4x"), { recursive: true });
  await says("holds", /S4/);
});

test("a subvolume that a service made inside its own is no part of a snapshot: that is said, and nothing is left", async () => {
  await btrfs("subvolume", "create", join(root, "data/web/inner"));
  await assert.rejects(captures.take(PLACE, "S5", "{}"), { code: "SNAPSHOT_NESTED", message: /web\/inner/ });
  await captures.remove(7, "S5");
  assert.deepEqual(await readdir(join(root, "snapshots")), ["S2", "S3", "S4"]);
  await btrfs("subvolume", "delete", join(root, "data/web/inner"));
});

test("data is put in place whole, put back whole, and let go; the capture stays as it was", async () => {
  await write("now");
  await volumes.ensureData(7, "young" as ServiceName);
  const [s2] = told as [Snapshot];
  await putInPlace(root, captures.dataOf(7, "S2"), "t1", owner());
  assert.equal(await state(), "second");
  assert.deepEqual(await volumes.dataNames(7), ["db", "web"], "what the snapshot does not know is not there");
  assert.equal((await captures.list(PLACE, join(root, "data"), s2.document)).digest, s2.digest);
  await write("written after the restore");
  // The same command once more: what was there at first is still what would be put back.
  await putInPlace(root, captures.dataOf(7, "S2"), "t1", owner());
  assert.equal(await state(), "second");
  await says("broken", /aside-t1/);
  await putBack(root, "t1");
  assert.equal(await state(), "now");
  assert.deepEqual(await volumes.dataNames(7), ["db", "web", "young"]);
  await putBack(root, "t1");
  assert.equal(await state(), "now", "a second undo finds nothing to do");
  await putInPlace(root, captures.dataOf(7, "S2"), "t2", owner());
  await letGo(root, "t2");
  await putBack(root, "t2");
  assert.equal(await state(), "second");
  await says("holds", /S4/);
});

test("a crash between any two names leaves the old data or the new, under its name", async () => {
  const [data, aside, incoming] = ["data", "aside-t", "incoming-t"].map((name) => join(root, name)) as [string, string, string];
  const copy = async (target: string) => {
    await mkdir(target);
    await btrfs("subvolume", "snapshot", join(root, "snapshots/S4/data/web"), join(target, "web"));
  };
  const interrupted: readonly (readonly [what: string, expected: string, unsettled: boolean, reach: () => Promise<void>])[] = [
    ["half-made", "old", true, () => copy(`${incoming}.new`)],
    ["whole, not in place", "old", true, () => copy(incoming)],
    ["between two names", "third", true, async () => {
      await copy(incoming);
      await rename(data, aside);
    }],
    ["in place", "third", false, async () => {
      await rename(data, aside);
      await copy(data);
    }],
    ["between the names of an undo", "old", true, () => rename(data, aside)],
  ];
  for (const [what, expected, unsettled, reach] of interrupted) {
    await write("old");
    await reach();
    assert.equal(await isUnsettled(root), unsettled, what);
    await settleRestore(root);
    assert.equal(await state(), expected, what);
    assert.equal(await isUnsettled(root), false, what);
    assert.ok(!existsSync(incoming) && !existsSync(`${incoming}.new`), what);
    // Finished, and undone: both end where they should, from wherever the crash was.
    await putInPlace(root, captures.dataOf(7, "S2"), "t", owner());
    assert.equal(await state(), "second", what);
    await putBack(root, "t");
    assert.equal(await state(), what === "between two names" || what === "in place" ? "old" : expected, what);
    assert.deepEqual((await readdir(root)).sort(), ["content", "data", "scratch", "snapshots"], what);
  }
});

test("detached and attached again the snapshots are there; what was not finished is not", async () => {
  await btrfs("subvolume", "create", join(root, "snapshots/S8.new"));
  await mkdir(join(root, "scratch/trial-1-2"));
  await volumes.detach(7);
  assert.equal((await look()).verdict, "unproven");
  await volumes.ensure(7, PLACE.storageBytes, "EU-GDPR" as Jurisdiction);
  assert.deepEqual(await readdir(join(root, "snapshots")), ["S2", "S3", "S4"]);
  assert.deepEqual(await readdir(join(root, "scratch")), []);
  await says("holds", /S4/);
});

test("a full volume takes no snapshot and says why, and what is there stays as it is", async () => {
  await assert.rejects(async () => {
    for (let at = 0; ; at += 1) await appendFile(join(root, "data/web/full"), Buffer.alloc(MIB, at));
  }, { code: "ENOSPC" });
  await assert.rejects(captures.take(PLACE, "S6", "{}"), { code: "VOLUME_FULL", message: /full/ });
  await captures.remove(7, "S6");
  await rm(join(root, "data/web/full"));
  await says("holds", /S4/);
});
