import assert from "node:assert/strict";
import test from "node:test";
import type { Evidence, GateNumber, Reading, ReadingSet } from "../../contract/index.ts";
import { RESOURCES, type Resource } from "../../contract/index.ts";
import type { IdentityName, ImvuId } from "../../kernel/index.ts";
import type { KeyThen, PublicKey } from "../identity/index.ts";
import { combine, holds, listen, unproven } from "./ask.ts";
import { KEYS, OURS, opened, THEIRS } from "./gate.fixture.ts";
import { GATES } from "./gates.ts";
import { probeGates, rowOf } from "./probe.ts";
import type { AnsweredConsent, FabricName, LogReality, Reality, RecordedCommand, RecordedEntry, Witness } from "./reality.ts";

const GOOD: Evidence = { verdict: "holds", detail: "asked and answered" };
const ALL = Array.from({ length: 17 }, (_, at) => (at + 1) as GateNumber);

async function* each<T>(items: readonly T[]): AsyncIterable<T> {
  yield* items;
}

function fabric(name: FabricName, answer: (gate: GateNumber) => Evidence | Promise<Evidence> = () => GOOD, probes: readonly GateNumber[] = ALL): Witness {
  return { name, probes, probe: async (gate) => answer(gate) };
}

const accepted: RecordedCommand = { index: 5, signed: opened("dns.set").signed };

function known(publicKey: PublicKey | undefined, state: KeyThen["state"] = "live"): KeyThen | undefined {
  return publicKey && { publicKey, identity: "owner" as IdentityName, state };
}

function log(change: Partial<LogReality> = {}): LogReality {
  return {
    fsck: async () => ({ ok: true, detail: "12 entries" }),
    checkpointConsistent: async () => ({ ok: true, detail: "12 extends 9" }),
    acceptedCommands: () => each([accepted]),
    entries: () => each<RecordedEntry>([{ index: 5, type: "command.accepted", command: "d" }, { index: 6, type: "effect.applied", command: "d" }]),
    keyAt: async (kid) => known(Object.values(KEYS).find((key) => key.kid === kid)?.publicKey),
    ...change,
  };
}

function readings(cpu: string, change: Partial<Reading> = {}): readonly Reading[] {
  return (Object.keys(RESOURCES) as Resource[]).map((resource) => ({ resource, value: resource === "compute.cpu" ? cpu : "5", boot: "b", epoch: "e", ...change }));
}

function reality(change: Partial<Reality> = {}): Reality {
  return {
    fabrics: (["compute", "domains", "mail", "network"] as const).map((name) => fabric(name)),
    log: log(),
    imvus: async () => [OURS],
    servedZones: async () => ["imvu001.world"],
    boundZones: async () => [{ zone: "imvu001.world", imvu: OURS }],
    readMeters: async () => readings("9"),
    recordMeters: async (): Promise<ReadingSet> => ({ imvu: OURS, at: "2026-11-23T04:15:00.000Z", readings: readings("9") }),
    rehearseExit: async () => GOOD,
    checkSnapshots: async () => GOOD,
    readAsStranger: async () => GOOD,
    answeredConsents: async () => [],
    ...change,
  };
}

async function verdictOf(gate: GateNumber, change: Partial<Reality>, imvu: ImvuId | undefined = OURS): Promise<string> {
  const row = await rowOf(GATES[gate - 1] as (typeof GATES)[number], reality(change), imvu);
  return row.verdict;
}

test("seventeen rows; with every witness content all hold", async () => {
  for (const imvu of [OURS, undefined]) {
    const rows = await probeGates(reality(), imvu);
    assert.deepEqual(rows.map(({ gate }) => gate), ALL);
    assert.deepEqual(rows.filter(({ verdict }) => verdict !== "holds").map(({ gate, verdict }) => `${gate} ${verdict}`), []);
    assert.ok(rows.every(({ evidence, title, ms }) => evidence.length > 0 && title.length > 0 && ms >= 0));
  }
});

test("gate 12: what one unit's look says decides; without anybody who can look, and without a unit, nothing is proved", async () => {
  assert.equal(await verdictOf(12, { checkSnapshots: async () => ({ verdict: "broken", detail: "S1 is in the ledger and not on the volume" }) }), "broken");
  assert.equal(await verdictOf(12, { checkSnapshots: async () => ({ verdict: "unproven", detail: "not mounted" }) }), "unproven");
  const { checkSnapshots: _, ...blind } = reality();
  assert.equal((await rowOf(GATES[11], blind, OURS)).verdict, "unproven");
  assert.equal((await rowOf(GATES[11], reality({ imvus: async () => [] }), undefined)).verdict, "unproven");
});

test("gate 10: a consent that is missing, added, changed or out of order in what the platform answers breaks it", async () => {
  const commands = (["given", "withdrawn", "given"] as const).map((state, at): RecordedCommand => ({ index: 20 + at, signed: opened("consent.record", { state }).signed }));
  const lines = commands.map(({ index }, at) => ({ index, subject: "user-17", purpose: "newsletter", text: "ab".repeat(32), state: at === 1 ? ("withdrawn" as const) : ("given" as const) }));
  const [first, second, third] = lines as [AnsweredConsent, AnsweredConsent, AnsweredConsent];
  const verdict = (answered: readonly AnsweredConsent[]) => verdictOf(10, { log: log({ acceptedCommands: () => each([accepted, ...commands]) }), answeredConsents: async () => answered });
  assert.equal(await verdict(lines), "holds");
  const wrong = [[first, third], [first, second], [second, first, third], [...lines, { ...third, index: 23 }], [first, { ...second, state: "given" as const }, third], [{ ...first, text: "cd".repeat(32) }, second, third], [{ ...first, subject: "user-18" }, second, third]];
  for (const answered of wrong) assert.equal(await verdict(answered), "broken", JSON.stringify(answered));
  assert.equal(await verdictOf(10, { answeredConsents: async () => [first] }), "broken");
});

test("with nobody to ask nothing holds but what the log itself shows", async () => {
  const rows = await probeGates(reality({ fabrics: [] }), OURS);
  assert.deepEqual(rows.filter(({ verdict }) => verdict === "holds").map(({ gate }) => gate), [1, 3, 6, 10, 12, 13, 17]);
  assert.ok(rows.every(({ verdict }) => verdict !== "broken"));
});

test("one fabric that cannot look leaves a gate that needs it unproven", async () => {
  for (const [gate, needed] of [[2, "network"], [4, "domains"], [5, "mail"], [7, "mail"], [8, "network"], [9, "compute"], [11, "mail"], [14, "domains"], [15, "network"], [16, "mail"]] as const) {
    const fabrics = reality().fabrics.map((one) => (one.name === needed ? fabric(one.name, undefined, ALL.filter((other) => other !== gate)) : one));
    assert.equal(await verdictOf(gate, { fabrics }), "unproven", `gate ${gate}`);
  }
});

test("one broken answer breaks a gate whatever the others say; one that throws leaves it unproven", async () => {
  const broken = reality().fabrics.map((one) => (one.name === "network" ? fabric("network", () => ({ verdict: "broken", detail: "a foreign rule" })) : one));
  for (const gate of [2, 7, 8, 11, 14, 15] as const) assert.equal(await verdictOf(gate, { fabrics: broken }), "broken");
  const throwing = reality().fabrics.map((one) => (one.name === "network" ? fabric("network", () => Promise.reject(new Error("no socket"))) : one));
  for (const gate of [2, 7, 8, 11, 14, 15] as const) assert.equal(await verdictOf(gate, { fabrics: throwing }), "unproven");
});

test("a probe that throws or hangs has proved nothing", async () => {
  assert.equal(await verdictOf(3, { servedZones: () => Promise.reject(new Error("down")) }), "unproven");
  assert.equal((await listen("slow", () => new Promise(() => {}), 5)).verdict, "unproven");
  assert.equal(combine([]).verdict, "unproven");
  assert.equal(combine([holds("a", "x"), unproven("b", "y")]).verdict, "unproven");
});

test("gate 1: a command that does not verify by a key live at its time is found", async () => {
  assert.equal(await verdictOf(1, { log: log({ keyAt: async () => undefined }) }), "broken");
  assert.equal(await verdictOf(1, { log: log({ keyAt: async () => known(KEYS.operator.publicKey) }) }), "broken");
  for (const state of ["rotated", "revoked", "recovery", "pending"] as const) assert.equal(await verdictOf(1, { log: log({ keyAt: async () => known(KEYS.owner.publicKey, state) }) }), "broken", state);
  const swapped = { ...accepted, signed: { ...accepted.signed, payload: opened("dns.remove").signed.payload } };
  assert.equal(await verdictOf(1, { log: log({ acceptedCommands: () => each([accepted, swapped]) }) }), "broken");
  assert.equal(await verdictOf(1, { log: log({ acceptedCommands: () => each([]) }) }), "unproven");
});

test("gate 3: a served zone without an owner, a bound one that is not served, and two that overlap are found", async () => {
  assert.equal(await verdictOf(3, { servedZones: async () => ["imvu001.world", "evil.world"] }), "broken");
  assert.equal(await verdictOf(3, { servedZones: async () => [] }), "broken");
  const twice = ["imvu001.world", "sub.imvu001.world"];
  assert.equal(await verdictOf(3, { servedZones: async () => twice, boundZones: async () => twice.map((zone, at) => ({ zone, imvu: at ? THEIRS : OURS })) }), "broken");
});

test("gate 6: less or more in the log than in the engine, a missing meter or series is found; unrecorded is unproven", async () => {
  const record = (value: string) => async (): Promise<ReadingSet> => ({ imvu: OURS, at: "x", readings: readings(value) });
  assert.equal(await verdictOf(6, { recordMeters: record("8") }), "broken");
  assert.equal(await verdictOf(6, { recordMeters: record("10") }), "broken");
  assert.equal(await verdictOf(6, { readMeters: async () => readings("9").slice(1) }), "broken");
  assert.equal(await verdictOf(6, { recordMeters: async () => ({ imvu: OURS, at: "x", readings: [] }) }), "broken");
  assert.equal(await verdictOf(6, { recordMeters: undefined as never }), "unproven");
  assert.equal(await verdictOf(6, { readMeters: async () => readings("0"), recordMeters: record("0") }), "unproven");
  assert.equal(await verdictOf(6, { imvus: async () => [] }, undefined), "holds");
});

test("gates 11 and 17: a damaged log, a fork, an effect without its intent are found", async () => {
  assert.equal(await verdictOf(11, { log: log({ fsck: async () => ({ ok: false, detail: "entry 7" }) }) }), "broken");
  assert.equal(await verdictOf(17, { log: log({ checkpointConsistent: async () => ({ ok: false, detail: "9 is no prefix of 12" }) }) }), "broken");
  assert.equal(await verdictOf(17, { log: log({ entries: () => each([{ index: 6, type: "effect.applied", command: "d" }, { index: 7, type: "command.accepted", command: "d" }]) }) }), "broken");
});

test("gates 13 and 16 say unproven until somebody can ask, and break when the answer is bad", async () => {
  const bad = async (): Promise<Evidence> => ({ verdict: "broken", detail: "incomplete" });
  assert.equal(await verdictOf(13, { rehearseExit: undefined as never }), "unproven");
  assert.equal(await verdictOf(13, { rehearseExit: bad }), "broken");
  assert.equal(await verdictOf(16, { readAsStranger: undefined as never }), "unproven");
  assert.equal(await verdictOf(16, { readAsStranger: bad }), "broken");
});
