import assert from "node:assert/strict";
import { test } from "node:test";
import type { Imvu, Snapshot, Snapshots } from "../../contract/index.ts";
import type { SnapshotCommand } from "../../core/policy-engine/index.ts";
import { sha256Hex } from "../../kernel/index.ts";
import { desiredOf } from "./desired.ts";
import { command, newImvu } from "./imvu.fixture.ts";
import { nextImvu } from "./next.ts";
import { documentText, nextSnapshots, objectionToSnapshot, unfresh, withSnapshot } from "./snapshots.ts";

const imvu = newImvu();
const at = "2026-11-28T12:00:00.000Z";
const snapshot = (id: string): Snapshot => ({ id, label: null, digest: sha256Hex(id), document: sha256Hex("d"), bytes: 1, files: 1, takenAt: at });
const of = (op: SnapshotCommand["op"], params: object) => command(op, params as never) as SnapshotCommand;
const create = of("imvu.snapshot.create", { label: null });
const having = (snapshots: Snapshots): Imvu => ({ ...imvu, snapshots });

test("the first is S1; its number is used when it is taken, and it is kept when its digest is known", () => {
  const after = nextSnapshots(imvu, create, { at });
  assert.deepEqual(after.snapshots, { taken: 1, kept: [], fresh: null });
  assert.deepEqual(withSnapshot(after, snapshot("S1")).snapshots, { taken: 1, kept: [snapshot("S1")], fresh: "S1" });
  assert.equal(imvu.snapshots, undefined);
});

test("a restore rests on the fresh one, which says so from then on, and nothing is fresh any more", () => {
  const after = nextSnapshots(having({ taken: 2, kept: [snapshot("S1"), snapshot("S2")], fresh: "S2" }), of("imvu.snapshot.restore", { id: "S1" }), { at });
  assert.deepEqual(after.snapshots, { taken: 2, kept: [snapshot("S1"), { ...snapshot("S2"), restedOn: at }], fresh: null });
});

test("a removed one is gone, and its number does not come back", () => {
  const before = having({ taken: 2, kept: [snapshot("S1"), snapshot("S2")], fresh: "S2" });
  const after = nextSnapshots(before, of("imvu.snapshot.remove", { id: "S2" }), { at });
  assert.deepEqual(after.snapshots, { taken: 2, kept: [snapshot("S1")], fresh: null });
  assert.equal(nextSnapshots(after, create, { at }).snapshots?.taken, 3);
  assert.equal(nextSnapshots(before, of("imvu.snapshot.remove", { id: "S1" }), { at }).snapshots?.fresh, "S2");
});

test("any other command that changes the unit leaves none fresh; one that changes nothing does", () => {
  const before = having({ taken: 1, kept: [snapshot("S1")], fresh: "S1" });
  const removed = command("service.remove", { name: "web" } as never);
  assert.equal(unfresh(before, nextImvu(before, removed)).snapshots?.fresh, null);
  assert.equal(unfresh(before, nextImvu(before, command("service.restart", { name: "web" } as never))), before);
  assert.deepEqual(unfresh(imvu, nextImvu(imvu, removed)), nextImvu(imvu, removed), "a unit without snapshots has none afterwards");
});

test("the captured document is the unit's without its snapshots; the fabric's order names them where there are any", () => {
  const before = having({ taken: 1, kept: [snapshot("S1")], fresh: "S1" });
  assert.equal(documentText(before), documentText(imvu));
  assert.deepEqual(desiredOf(before, "x").compute.snapshots, [snapshot("S1")]);
  assert.equal("snapshots" in desiredOf(imvu, "x").compute, false);
});

test("what is not there is not found", () => {
  assert.equal(objectionToSnapshot(of("imvu.snapshot.restore", { id: "S1" }), imvu)?.code, "NO_SUCH_SNAPSHOT");
  assert.equal(objectionToSnapshot(of("imvu.snapshot.remove", { id: "S1" }), having({ taken: 1, kept: [snapshot("S1")], fresh: null })), undefined);
  assert.equal(objectionToSnapshot(create, imvu), undefined);
});
