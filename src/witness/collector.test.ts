import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { CraftedLog } from "../../tests/harness/crafted-log.ts";
import { cosign, type Cosigner, cosigner, openCheckpoint, openCosignatures, parseNote, parseWitnessKey, type WitnessVerifier } from "../core/ledger/pure.ts";
import { sleep, systemClock } from "../kernel/index.ts";
import { originOf } from "./judge.ts";
import { Collector, type CollectorTimes } from "./collector.ts";
import type { WitnessPeer } from "./ask.ts";
import { readKept } from "./kept.ts";
import { WitnessMemory } from "./memory.ts";
import { serveWitness } from "./serve.ts";

const TIMES: CollectorTimes = { wait_ms: 400, request_ms: 1_000, retry_ms: { first: 50, max: 100 }, write_ms: 20 };

let root = "";
let dir = "";
let closers: (() => Promise<unknown>)[] = [];
before(async () => {
  root = await mkdtemp(join(tmpdir(), "nexus-c-"));
});
beforeEach(async () => {
  dir = await mkdtemp(join(root, "c-"));
  closers = [];
});
afterEach(async () => {
  for (const close of closers.toReversed()) await close();
});
after(() => rm(root, { recursive: true, force: true }));

interface Peer extends WitnessPeer {
  stop(): Promise<void>;
}

async function witness(log: CraftedLog, name: string, port = 0): Promise<Peer> {
  const folder = join(dir, name);
  assert.ok((await (await WitnessMemory.open(folder)).addLog(log.verifierKey)).ok);
  const running = await serveWitness({ dir: folder, host: "127.0.0.1", port, name, clock: systemClock, say: () => {} });
  const key = parseWitnessKey(running.vkey);
  assert.ok(key.ok);
  let stopped = false;
  const stop = async () => {
    if (!stopped) await running.close();
    stopped = true;
  };
  closers.push(stop);
  return { key: key.value, url: running.url, stop };
}

/** Answers what it is told to. */
async function crafted(name: string, answer: (note: string, key: Cosigner) => Promise<[number, string]> | [number, string]): Promise<Peer & { asked: number }> {
  const key = cosigner(name, generateKeyPairSync("ed25519").privateKey);
  const peer = { key: key as WitnessVerifier, url: "", asked: 0, stop: async () => {} };
  const server: Server = createServer((request, response) => {
    peer.asked += 1;
    void request.toArray().then(async (chunks) => {
      const about = originOf(Buffer.concat(chunks as Buffer[]).toString());
      assert.ok("request" in about);
      const [status, body] = await answer(about.request.note, key);
      response.writeHead(status).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  peer.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return peer;
}

const textOf = (note: string) => note.slice(0, note.lastIndexOf("\n\n") + 1);
const sizeOf = (note: string | undefined) => Number(note?.split("\n")[1]);

async function collecting(log: CraftedLog, required: number, witnesses: readonly WitnessPeer[], said: string[] = [], times: Partial<CollectorTimes> = {}): Promise<Collector> {
  const collector = await Collector.open({
    log: { verifierKey: log.verifierKey, checkpoint: () => (log.size === 0 ? undefined : log.checkpoint()), watch: (fn) => log.watch(fn), consistencyProof: async (from, to) => log.proof(from, to) },
    policy: { required, witnesses },
    clock: systemClock,
    file: join(dir, "witnesses.json"),
    say: (line) => said.push(line),
    times: { ...TIMES, ...times },
  });
  closers.push(() => collector.close());
  return collector;
}

async function until(what: string, holds: () => boolean, timeout_ms = 4_000): Promise<void> {
  for (const late = Date.now() + timeout_ms; !holds(); await sleep(5)) assert.ok(Date.now() < late, what);
}

const cosignersIn = (collector: Collector, peers: readonly WitnessPeer[]) => {
  const note = parseNote(collector.checkpoint() ?? "");
  return note.ok ? openCosignatures(note.value, peers.map(({ key }) => key)).map(({ by }) => by.name) : [];
};

test("a checkpoint is shown with its cosignatures as soon as enough are there, and none is shown before", async () => {
  const log = new CraftedLog(3);
  const peers = [await witness(log, "w1"), await witness(log, "w2")];
  const collector = await collecting(log, 2, peers);
  await until("both", () => collector.witnessing().present === 2);
  assert.deepEqual(cosignersIn(collector, peers), ["w1", "w2"]);
  assert.ok(openCheckpoint(collector.checkpoint() as string, log.signer).ok);
  log.grow(4);
  assert.equal(sizeOf(collector.checkpoint()), 3, "held back");
  assert.equal(collector.witnessing().present, 2);
  await until("the next", () => sizeOf(collector.checkpoint()) === 7);
  assert.equal(cosignersIn(collector, peers).length, 2);
  await until("nobody is behind", () => collector.witnessing().list.every(({ behind, lastError, alarm }) => behind === 0 && lastError === null && alarm === null));
});

test("an empty log has nothing to show; its first checkpoint is witnessed like any other", async () => {
  const log = new CraftedLog(0);
  const peer = await witness(log, "w1");
  const collector = await collecting(log, 1, [peer]);
  assert.deepEqual([collector.checkpoint(), collector.witnessing().present], [undefined, 0]);
  log.grow(2);
  await until("witnessed", () => collector.witnessing().present === 1);
  assert.deepEqual([sizeOf(collector.checkpoint()), cosignersIn(collector, [peer])], [2, ["w1"]]);
});

test("with no witnesses listed what the log signed is shown at once", async () => {
  const log = new CraftedLog(3);
  const collector = await collecting(log, 0, []);
  assert.equal(collector.checkpoint(), log.checkpoint());
  log.grow(1);
  assert.equal(collector.checkpoint(), log.checkpoint());
  assert.deepEqual(collector.witnessing(), { required: 0, present: 0, alarms: [], list: [] });
});

test("a witness is down: unwitnessed, without the lines of those that are there, until it is back", async () => {
  const log = new CraftedLog(3);
  const [one, two] = [await witness(log, "w1"), await witness(log, "w2")];
  const collector = await collecting(log, 2, [one, two]);
  await until("both", () => collector.witnessing().present === 2);
  await two.stop();
  log.grow(2);
  await until("unwitnessed", () => sizeOf(collector.checkpoint()) === 5);
  assert.equal(collector.checkpoint(), log.checkpoint(), "no line of anybody but the log");
  const { present, list, alarms } = collector.witnessing();
  assert.deepEqual([present, list.map(({ behind }) => behind), alarms], [1, [0, 2], []]);
  assert.match(list[1]?.lastError ?? "", /ECONNREFUSED/);
  const back = await witness(log, "w2", Number(new URL(two.url).port));
  await until("both again", () => cosignersIn(collector, [one, back]).length === 2);
  assert.equal(collector.witnessing().list[1]?.lastError, null);
});

test("a slow witness holds a checkpoint back no longer than said, delays nobody who appends, and its late answer still counts", async () => {
  const log = new CraftedLog(3);
  const slow = await crafted("slow", async (note, key) => {
    await sleep(1_300);
    return [200, cosign(textOf(note), key, 1)];
  });
  const collector = await collecting(log, 1, [slow], [], { request_ms: 4_000 });
  await until("the first, late", () => collector.witnessing().present === 1);
  const began = performance.now();
  log.grow(1);
  assert.ok(performance.now() - began < 100, "appending does not wait");
  await sleep(100);
  assert.equal(sizeOf(collector.checkpoint()), 3, "held back");
  await until("unwitnessed after the wait", () => sizeOf(collector.checkpoint()) === 4);
  const waited = performance.now() - began;
  assert.ok(waited > TIMES.wait_ms * 0.8 && waited < TIMES.wait_ms + 700, `${waited} ms`);
  assert.equal(collector.checkpoint(), log.checkpoint());
  await until("witnessed late", () => collector.witnessing().present === 1 && sizeOf(collector.checkpoint()) === 4);
  assert.equal(cosignersIn(collector, [slow]).length, 1);
});

test("of a stream of checkpoints the newest is asked for, and what is shown keeps up and never shrinks", async () => {
  const log = new CraftedLog(1);
  const peers = [await witness(log, "w1"), await witness(log, "w2"), await crafted("slow", async (note, key) => {
    await sleep(300);
    return [200, cosign(textOf(note), key, 1)];
  })];
  const collector = await collecting(log, 2, peers);
  let last = 0;
  let witnessed = 0;
  for (let n = 0; n < 150; n += 1) {
    log.grow(1);
    await sleep(4);
    const size = sizeOf(collector.checkpoint());
    assert.ok(size >= last);
    if (size > last && cosignersIn(collector, peers).length >= 2) witnessed += 1;
    last = size;
  }
  assert.ok(witnessed >= 5, `${witnessed} witnessed checkpoints under way`);
  await until("the newest, by all", () => collector.witnessing().present === 3 && sizeOf(collector.checkpoint()) === 151);
  assert.ok((peers[2] as unknown as { asked: number }).asked < 15, "the slow one was asked for a few only");
});

test("a witness that lies is not counted, and named", async () => {
  const log = new CraftedLog(3);
  const other = cosigner("elsewhere", generateKeyPairSync("ed25519").privateKey);
  const cases: Record<string, [RegExp, (note: string, key: Cosigner) => [number, string]]> = {
    "a false signature": [/does not hold/, (note, key) => [200, cosign(textOf(note), key, 5).replace(/(.)(.{20}==?\n)$/, (_, one, rest) => (one === "A" ? "B" : "A") + rest)]],
    "another key": [/no signature line is of the key/, (note) => [200, cosign(textOf(note), other, 5)]],
    "another checkpoint": [/does not hold/, (note, key) => [200, cosign(textOf(note).replace("\n3\n", "\n4\n"), key, 5)]],
    "a log's signature": [/no signature line/, (note) => [200, note.slice(note.lastIndexOf("\n\n") + 2)]],
    "no lines": [/not signature lines/, () => [200, "ok"]],
    "a text with its own empty line": [/not signature lines|does not hold|no signature/, (note, key) => [200, `\n\n${cosign(textOf(note), key, 5)}`]],
    "422 without reason": [/does not extend/, () => [422, "no"]],
  };
  const peers: (Peer & { asked: number })[] = [];
  for (const [name, [, answer]] of Object.entries(cases)) peers.push(await crafted(name.replaceAll(" ", "-"), answer));
  const honest = await witness(log, "honest");
  const said: string[] = [];
  const collector = await collecting(log, 2, [...peers, honest], said);
  await until("all have answered", () => collector.witnessing().list.every(({ answered }) => answered !== null));
  await until("unwitnessed", () => collector.witnessing().present === 1);
  await sleep(TIMES.wait_ms);
  assert.equal(collector.checkpoint(), log.checkpoint());
  const { list, alarms } = collector.witnessing();
  for (const [at, [name, [why]]] of Object.entries(cases).entries()) {
    assert.match(list[at]?.alarm ?? "", why, name);
    assert.ok(alarms.some((alarm) => alarm.startsWith(`${name.replaceAll(" ", "-")}: `)), name);
    assert.ok(said.some((line) => line.includes(name.replaceAll(" ", "-"))), `${name} is said aloud`);
  }
  assert.equal(list.at(-1)?.alarm, null);
});

test("an answer without end, a redirection and a refusal are errors, and no more", async () => {
  const log = new CraftedLog(3);
  const peers = [await crafted("long", () => [200, "x".repeat(1_000_000)]), await crafted("moved", () => [307, ""]), await crafted("unknown", () => [404, "who?\u001b[31m"])];
  const collector = await collecting(log, 1, peers);
  await until("errors", () => collector.witnessing().list.every(({ lastError }) => lastError !== null));
  const { list, alarms } = collector.witnessing();
  assert.deepEqual(alarms, []);
  assert.match(list[0]?.lastError ?? "", /longer than/);
  assert.equal(list[2]?.lastError, "404: who? [31m");
});

test("a witness that has seen more than is here is loud evidence of a rollback; so is one that saw another history", async () => {
  const log = new CraftedLog(12);
  const peer = await witness(log, "w1");
  const first = await collecting(log, 1, [peer]);
  await until("witnessed", () => first.witnessing().present === 1);
  await first.close();
  const evidence = await readFile(join(dir, "witnesses.json"), "utf8");
  await rm(join(dir, "witnesses.json"));

  log.rollBack(8);
  const said: string[] = [];
  const second = await collecting(log, 1, [peer], said);
  await until("an alarm", () => second.witnessing().alarms.length > 0);
  assert.match(second.witnessing().alarms.join(), /^w1: it has vouched for a tree of 12 entries of this log, and only 8 are here: the log was rolled back/);
  assert.match(said.join("\n"), /rolled back/);
  assert.deepEqual([second.witnessing().present, second.checkpoint()], [0, log.checkpoint()]);
  log.grow(10, "another history");
  await until("another alarm", () => /does not extend the one of 12/.test(second.witnessing().alarms.join()));
  assert.equal(second.witnessing().present, 0);
  await second.close();

  // The platform's own file is evidence too, with no witness to be asked.
  await writeFile(join(dir, "witnesses.json"), evidence);
  await peer.stop();
  const third = await collecting(log, 1, [peer], said);
  assert.match(third.witnessing().alarms.join(), /a checkpoint of 12 entries was cosigned by witnesses, and the 18 that are here do not extend them/);
  await third.close();
  log.rollBack(8);
  const fourth = await collecting(log, 1, [await witness(log, "new-and-fooled")], said);
  assert.match(fourth.witnessing().alarms.join(), /only 8 are here/);
  await until("cosigned by one that knows nothing", () => fourth.witnessing().present === 1);
  await fourth.close();
  assert.equal((await readKept(join(dir, "witnesses.json")))?.note, (JSON.parse(evidence) as { note: string }).note, "the evidence is kept");
});

test("a fork at the very size a witness saw is an alarm", async () => {
  const log = new CraftedLog(8);
  const peer = await witness(log, "w1");
  const first = await collecting(log, 1, [peer]);
  await until("witnessed", () => first.witnessing().present === 1);
  await first.close();
  await rm(join(dir, "witnesses.json"));
  log.rollBack(5).grow(3, "another history");
  const second = await collecting(log, 1, [peer]);
  await until("an alarm", () => second.witnessing().alarms.length > 0);
  assert.match(second.witnessing().alarms.join(), /another tree of 8 entries/);
});

test("after a restart the witnessed checkpoint is shown at once, and the witness is not asked for its size again", async () => {
  const log = new CraftedLog(5);
  const peer = await witness(log, "w1");
  const first = await collecting(log, 1, [peer]);
  await until("witnessed", () => first.witnessing().present === 1);
  const note = first.checkpoint();
  await first.close();
  await peer.stop();
  const second = await collecting(log, 1, [peer]);
  assert.equal(second.checkpoint(), note);
  assert.deepEqual(second.witnessing().list.map(({ size, behind }) => [size, behind]), [[5, 0]]);
  await second.close();
  await writeFile(join(dir, "witnesses.json"), "{");
  await assert.rejects(collecting(log, 1, [peer]), { code: "WITNESSES_FILE" });
});

test("one of two is asked by somebody else as well: its size is learned from its 409", async () => {
  const log = new CraftedLog(9);
  const peer = await witness(log, "w1");
  await fetch(`${peer.url}/add-checkpoint`, { method: "POST", body: log.request(0, 4) });
  const collector = await collecting(log, 1, [peer]);
  await until("witnessed", () => collector.witnessing().present === 1);
  assert.deepEqual(collector.witnessing().alarms, []);
});
