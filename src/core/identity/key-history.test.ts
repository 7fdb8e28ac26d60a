import assert from "node:assert/strict";
import test from "node:test";
import type { Op } from "../../contract/index.ts";
import type { IdentityName, Json } from "../../kernel/index.ts";
import { createIdentityKey, type SigningKey } from "./key.ts";
import { KeyHistory } from "./key-history.ts";
import { type OpenedCommand, openCommand } from "./open-command.ts";
import { commandFields, signCommand } from "./signed-command.ts";

const NAME = "creator-8891" as IdentityName;
const [first, second, third, fourth, recovery] = [createIdentityKey(), createIdentityKey(), createIdentityKey(), createIdentityKey(), createIdentityKey()];
const text = (key: SigningKey) => key.publicKey.text;

function command(op: Op, params: Record<string, Json>, key: SigningKey): OpenedCommand {
  const opened = openCommand(signCommand(commandFields(op, null, params, 0), key));
  assert.ok(opened.ok, opened.ok ? "" : opened.message);
  return opened.value;
}

/** One identity's whole life: what each key was before and after each entry. */
const LIFE: readonly (readonly [index: number, op: Op, params: Record<string, Json>, signer: SigningKey])[] = [
  [10, "identity.register", { name: NAME, publicKey: text(first), recoveryKey: text(recovery), device: "desk" }, first],
  [20, "identity.key.add", { publicKey: text(second), device: "laptop" }, first],
  [30, "identity.key.rotate", { publicKey: text(third) }, first],
  [40, "identity.key.revoke", { kid: second.kid }, third],
  [50, "identity.recovery.begin", { name: NAME, publicKey: text(fourth) }, recovery],
  [60, "identity.recovery.complete", { name: NAME }, fourth],
];

function lived(): KeyHistory {
  const history = new KeyHistory();
  for (const [index, op, params, signer] of LIFE) assert.equal(history.follow(command(op, params, signer), index, index * 1_000), undefined, op);
  return history;
}

test("what a key was when an entry was judged: an entry counts for every later one, not for itself", () => {
  const history = lived();
  const states = (key: SigningKey) => [10, 11, 20, 21, 30, 31, 40, 41, 50, 51, 60, 61].map((index) => history.at(key.kid, index)?.state ?? "-");
  assert.deepEqual(states(first), ["-", "live", "live", "live", "live", "rotated", "rotated", "rotated", "rotated", "rotated", "rotated", "rotated"]);
  assert.deepEqual(states(second), ["-", "-", "-", "live", "live", "live", "live", "revoked", "revoked", "revoked", "revoked", "revoked"]);
  assert.deepEqual(states(third), ["-", "-", "-", "-", "-", "live", "live", "live", "live", "live", "live", "revoked"]);
  assert.deepEqual(states(fourth), ["-", "-", "-", "-", "-", "-", "-", "-", "-", "pending", "pending", "live"]);
  assert.deepEqual(states(recovery), ["-", "recovery", "recovery", "recovery", "recovery", "recovery", "recovery", "recovery", "recovery", "recovery", "recovery", "recovery"]);
});

test("an objection leaves every key as it was, and the waiting one is good for nothing", () => {
  const history = new KeyHistory();
  for (const [index, op, params, signer] of LIFE.slice(0, 5)) history.follow(command(op, params, signer), index, 0);
  assert.equal(history.follow(command("identity.recovery.object", {}, third), 55, 0), undefined);
  assert.equal(history.at(third.kid, 56)?.state, "live");
  assert.equal(history.at(fourth.kid, 56)?.state, "revoked");
  assert.match(history.follow(command("identity.recovery.complete", { name: NAME }, fourth), 57, 0) ?? "", /no recovery/);
});

test("a rotated key keeps its machine's name; a ring tells where each key began and ended", () => {
  const ring = lived().ring(NAME);
  assert.deepEqual(ring?.keys.map(({ device, since, ended }) => [device, since, ended?.index ?? null, ended?.how ?? null]), [
    ["desk", 10, 30, "rotated"],
    ["laptop", 20, 40, "revoked"],
    ["desk", 30, 60, "recovered"],
    [null, 60, null, null],
  ]);
  assert.equal(ring?.pending, null);
});

test("what cannot have been accepted is named: a second name or key, a command of nobody", () => {
  const history = lived();
  assert.match(history.follow(command("identity.register", { name: NAME, publicKey: text(createIdentityKey()) }, first), 70, 0) ?? "", /registered already/);
  assert.match(history.follow(command("identity.register", { name: "creator-2", publicKey: text(second) }, second), 70, 0) ?? "", /belongs to creator-8891/);
  assert.match(history.follow(command("identity.key.add", { publicKey: text(first), device: "x" }, fourth), 70, 0) ?? "", /belongs to creator-8891/);
  const stranger = createIdentityKey();
  assert.match(history.follow(command("identity.key.rotate", { publicKey: text(createIdentityKey()) }, stranger), 70, 0) ?? "", /belongs to nobody/);
  assert.match(history.registered(NAME, text(stranger), 70) ?? "", /registered already/);
  assert.match(history.registered("creator-3" as IdentityName, "AAAA", 70) ?? "", /32 bytes/);
  assert.equal(history.follow(command("imvu.create", { name: "Art", owner: NAME, jurisdiction: "EU-GDPR", envelope: { cpuMillis: 1_000, memoryBytes: 2 ** 29, storageBytes: 2 ** 30, iops: 1_000, bandwidthBps: 10 ** 8, processes: 256, burst: null }, runtime: "static", mailboxPasswordHash: "a".repeat(64) }, fourth), 71, 0), undefined);
});
