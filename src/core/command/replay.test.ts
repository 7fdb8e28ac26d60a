import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Command, Imvu } from "../../contract/index.ts";
import type { ImvuId, Json } from "../../kernel/index.ts";
import type { Facts } from "../policy-engine/index.ts";
import { commandFields, createIdentityKey, signCommand } from "../identity/index.ts";
import type { Ledger } from "../ledger/index.ts";
import type { ReadTx } from "../store/index.ts";
import * as projection from "./projection.ts";
import { asJson, withoutFloats } from "./record.ts";
import { replayUnits } from "./replay.ts";

const key = createIdentityKey();
const id = "IMVU-001" as ImvuId;
const envelope = { cpuMillis: 1_000, memoryBytes: 2 ** 29, storageBytes: 2 ** 30, iops: 1_000, bandwidthBps: 10 ** 8, processes: 256, burst: null };
const create = signCommand(commandFields("imvu.create", null, { name: "Art", owner: "creator-1", jurisdiction: "EU-GDPR", envelope, runtime: "static", mailboxPasswordHash: "a".repeat(64) }, 0), key);
const exit = signCommand(commandFields("imvu.exit", id, { encryptTo: null }, 0), key);
const restart = signCommand(commandFields("service.restart", id, { name: "web" }, 0), key);

/** Reducers that write down what they were given: replay's own order is what is tested. */
const reducers = {
  after: (command: Command, before: Imvu | undefined, allocation: Json): Imvu | undefined => {
    const history = before ? (before as unknown as { history: string[] }).history : [];
    if (command.op !== "imvu.create" && !before) return undefined;
    return { id: before?.id ?? (allocation as { id: ImvuId }).id, history: [...history, command.op] } as unknown as Imvu;
  },
  withLearned: (after: Imvu, learned: Json) => (learned === null ? after : ({ ...after, learned } as Imvu)),
};

type Told = readonly [type: string, data: unknown];
const accepted = (jws: unknown, allocation: Json = null): Told => ["command.accepted", { jws, allocation }];
const applied = (intent: number, learned: Json = null): Told => ["effect.applied", { intent, learned }];
const failed = (intent: number): Told => ["effect.failed", { intent }];

async function replayed(...log: readonly Told[]) {
  async function* entries() {
    for (const [index, [type, data]] of log.entries()) yield { index, type, data };
  }
  return Object.fromEntries(await replayUnits({ entries } as unknown as Pick<Ledger, "entries">, reducers));
}

describe("replay", () => {
  test("tells each unit from the log alone, with what the engines taught", async () => {
    assert.deepEqual(await replayed(accepted(create, { id }), applied(0, { dkim: 1 }), accepted(exit), applied(2)), { [id]: { id, history: ["imvu.create", "imvu.exit"] } });
    assert.deepEqual(await replayed(accepted(create, { id }), applied(0, { dkim: 1 })), { [id]: { id, history: ["imvu.create"], learned: { dkim: 1 } } });
  });

  test("what was accepted and has no outcome yet did not happen, and neither did what failed", async () => {
    assert.deepEqual(await replayed(accepted(create, { id })), {});
    assert.deepEqual(await replayed(accepted(create, { id }), failed(0)), {});
    assert.deepEqual(await replayed(accepted(create, { id }), failed(0), applied(0)), {});
    assert.deepEqual(await replayed(accepted(create, { id }), applied(0), accepted(exit), failed(2)), { [id]: { id, history: ["imvu.create"] } });
  });

  test("outcomes count in the order in which they came, not their intents", async () => {
    assert.deepEqual(await replayed(accepted(create, { id }), applied(0), accepted(exit), accepted(restart), applied(3), applied(2)), { [id]: { id, history: ["imvu.create", "service.restart", "imvu.exit"] } });
  });

  test("an outcome counts once, and one without an intent, or for a refused command, not at all", async () => {
    assert.deepEqual(await replayed(accepted(create, { id }), applied(0), accepted(restart), applied(2), applied(2)), { [id]: { id, history: ["imvu.create", "service.restart"] } });
    assert.deepEqual(await replayed(["command.refused", { jws: create, allocation: { id } }], applied(0), applied(99), ["meter.reading", {}]), {});
  });

  test("a command that cannot be opened changes nothing", async () => assert.deepEqual(await replayed(accepted({ payload: "!", signatures: [] }, { id }), applied(0)), {}));
});

describe("entries' data", () => {
  test("holds no floats: they travel as text, whole numbers stay numbers", () => {
    assert.deepEqual(withoutFloats({ a: 0.5, b: [1, 1e300, -2], c: { d: null, e: "0.5", f: true } }), { a: "0.5", b: [1, "1e+300", -2], c: { d: null, e: "0.5", f: true } });
    assert.equal(withoutFloats(2 ** 53), String(2 ** 53));
  });

  test("members without a value are left out rather than written as something", () => assert.deepEqual(asJson({ a: undefined, b: null }), { b: null }));
});

describe("projection", () => {
  const facts = (...signatures: { valid: boolean; identity: string | null }[]) => ({ signatures }) as unknown as Facts;

  test("the actor is whose valid signature comes first; an approval makes nobody the actor", () => {
    const anna = { valid: true, identity: "anna" };
    assert.equal(projection.actorOf(facts(anna, { valid: true, identity: "bert" })), "anna");
    assert.equal(projection.actorOf(facts({ ...anna, valid: false }, { valid: true, identity: "bert" })), "unknown");
    assert.equal(projection.actorOf(facts({ valid: true, identity: null }, anna)), "unknown");
    assert.equal(projection.actorOf(facts()), "unknown");
  });

  /** Answers what it is given. */
  function table(...answers: unknown[][]) {
    return { tx: { query: async () => answers.shift() ?? [] } as unknown as ReadTx };
  }
  const unit = { id, number: 1, owner: "anna", status: "active", envelope } as unknown as Imvu;

  test("while a command works the larger of each limit is reserved, and the document it began from is kept", async () => {
    const after = { ...unit, envelope: { ...envelope, cpuMillis: 4_000, memoryBytes: 1, burst: { factor: 2, seconds: 60 } } } as Imvu;
    const row = projection.reserved(unit, after);
    assert.deepEqual(row.imvu.envelope, { ...envelope, cpuMillis: 4_000 });
    const doc = JSON.parse(projection.documentOf(row)) as Imvu & { before: Imvu };
    assert.deepEqual(doc.envelope, { ...envelope, cpuMillis: 4_000 });
    assert.deepEqual(doc.before, JSON.parse(JSON.stringify(unit)));
  });

  test("nobody who reads a unit sees what is kept for a crash", async () => {
    const row = { doc: { ...unit, before: unit } };
    assert.deepEqual(await projection.imvuById(table([row]).tx, id), unit);
    assert.deepEqual(await projection.allImvus(table([row]).tx), [unit]);
    assert.equal(await projection.imvuById(table([]).tx, id), undefined);
  });

  test("a crash goes back to the document before the command, and to nothing for a unit that was being made", async () => {
    const before = { ...unit, number: 2 } as Imvu;
    assert.deepEqual(await projection.imvuBeforeReserve(table([{ doc: { ...unit, before } }]).tx, id), before);
    assert.deepEqual(await projection.imvuBeforeReserve(table([{ doc: unit }]).tx, id), unit);
    assert.equal(await projection.imvuBeforeReserve(table([{ doc: { ...unit, status: "creating" } }]).tx, id), undefined);
    assert.equal(await projection.imvuBeforeReserve(table([]).tx, id), undefined);
  });
});
