import assert from "node:assert/strict";
import { type KeyObject, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import test from "node:test";
import type { NewEntry } from "../../src/contract/index.ts";
import { type Ledger, openLedger, openLogKey } from "../../src/core/ledger/index.ts";
import { openCheckpoint, openCosignatures, parseNote, parseVerifierKey, parseWitnessKey, verifyReceipt, withSignatureLines, type WitnessVerifier } from "../../src/core/ledger/pure.ts";
import { endPostgresLeftovers, openStore, postgresEngine, type Store } from "../../src/core/store/index.ts";
import { type ChildProcess, plainEnvironment, run, runOk, sleep, start, systemClock } from "../../src/kernel/index.ts";
import { endEngineGroups, type RunningEngines, superviseEngines } from "../../src/platform/supervision/index.ts";
import { Collector, WitnessMemory } from "../../src/witness/index.ts";
import { ScratchSite } from "../harness/scratch-site.ts";

const ORIGIN = "log.example/witnessed";
const MAIN = join(import.meta.dirname, "../../src/cli/main.ts");
const DOOR = join(import.meta.dirname, "../../src/witness/index.ts");
const scratch = await ScratchSite.create();
const { site } = scratch;
const root = await mkdtemp(join(tmpdir(), "nxw-"));
const running = new Set<ChildProcess>();
let logKey: KeyObject;
let engines: RunningEngines;
let store: Store;
let ledger: Ledger;

test.before(async () => {
  await mkdir(join(site.dir, "keys"), { mode: 0o700 });
  logKey = await openLogKey(join(site.dir, "keys", "log.pem"));
  engines = await superviseEngines(site, [postgresEngine(site)], () => {});
  store = await openStore({ site });
  ledger = await open();
  await append();
});

test.after(async () => {
  for (const child of running) await ended(child, "SIGKILL");
  // A test that failed between closing and opening has closed them already.
  for (const one of [ledger, store]) await one?.close().catch(() => {});
  await engines?.stop();
  await endEngineGroups(site.homeId);
  await endPostgresLeftovers(site);
  await scratch[Symbol.asyncDispose]();
  await rm(root, { recursive: true, force: true });
});

const open = () => openLedger({ store, clock: systemClock, randomBytes, logKey, origin: ORIGIN });
const entry = (stream = "platform"): NewEntry => ({ stream, type: "meter.reading", actor: "platform", data: {} });
async function append(): Promise<void> {
  const [one] = await ledger.append([entry()]);
  await ledger.receipt(one?.index as number);
}

interface WitnessProcess {
  readonly child: ChildProcess;
  readonly key: WitnessVerifier;
  readonly url: string;
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  running.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  await exit;
}

async function answering(child: ChildProcess): Promise<WitnessProcess> {
  running.add(child);
  let said = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    said += chunk;
  });
  for await (const line of createInterface({ input: child.stdout as NonNullable<ChildProcess["stdout"]> })) {
    const { vkey, url } = JSON.parse(line) as { vkey: string; url: string };
    const key = parseWitnessKey(vkey);
    assert.ok(key.ok);
    return { child, key: key.value, url };
  }
  throw new Error(`the witness ended: ${said}`);
}

/** `nexus witness serve` in a process of its own, watching our log. */
async function witness(name: string, listen = "127.0.0.1:0"): Promise<WitnessProcess> {
  const dir = join(root, name);
  await runOk([process.execPath, MAIN, "--json", "--home", root, "witness", "add-log", "--dir", dir, "--vkey", ledger.verifierKey]);
  return await answering(start([process.execPath, MAIN, "--json", "--home", root, "witness", "serve", "--dir", dir, "--listen", listen, "--name", name], { stdio: ["ignore", "pipe", "pipe"] }));
}

/** The same witness, killed by the kernel's hardest signal at the one moment that counts. */
async function dyingWitness(name: string): Promise<WitnessProcess> {
  const program = `
    import { serveWitness } from ${JSON.stringify(DOOR)};
    const options = { dir: ${JSON.stringify(join(root, name))}, host: "127.0.0.1", port: 0, name: ${JSON.stringify(name)}, clock: { now: () => Date.now() }, say() {} };
    const { vkey, url } = await serveWitness({ ...options, afterStore: () => process.kill(process.pid, "SIGKILL") });
    console.log(JSON.stringify({ vkey, url }));`;
  return await answering(start([process.execPath, "--input-type=module", "--eval", program], { stdio: ["ignore", "pipe", "pipe"], env: plainEnvironment() }));
}

async function collecting(required: number, witnesses: readonly WitnessProcess[], file = "witnesses.json"): Promise<Collector> {
  return await Collector.open({ log: ledger, policy: { required, witnesses }, clock: systemClock, file: join(root, file), say: () => {}, times: { retry_ms: { first: 50, max: 200 }, write_ms: 20 } });
}

async function until(what: string, holds: () => boolean, timeout_ms = 60_000): Promise<void> {
  for (const late = Date.now() + timeout_ms; !holds(); await sleep(10)) assert.ok(Date.now() < late, what);
}

const sizeOf = (note: string | undefined) => Number(note?.split("\n")[1]);
const seenBy = async (name: string) => (await (await WitnessMemory.open(join(root, name))).logs())[0]?.size;
async function ask(peer: WitnessProcess, old: number): Promise<{ status: number; text: string }> {
  const note = ledger.checkpoint() as string;
  const proof = (await ledger.consistencyProof(old, sizeOf(note))).map((hash) => `${hash.toString("base64")}\n`).join("");
  const response = await fetch(`${peer.url}/add-checkpoint`, { method: "POST", body: `old ${old}\n${proof}\n${note}` });
  return { status: response.status, text: await response.text() };
}
async function asPostgres(sql: string): Promise<void> {
  const psql = await run(["/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--", "/usr/bin/psql", "-X", "-v", "ON_ERROR_STOP=1", "-h", store.describe().socket, "-d", "postgres", "-c", sql], { cwd: "/" });
  assert.equal(psql.code, 0, psql.stderr);
}

test("two witness processes cosign what a log on PostgreSQL publishes, while entries are appended as fast as without them", async () => {
  const peers = [await witness("w1"), await witness("w2")];
  const collector = await collecting(2, peers);
  try {
    await until("both", () => collector.witnessing().present === 2);
    const crowd = async (): Promise<number> => {
      const began = performance.now();
      for (let n = 0; n < 20; n += 1) await Promise.all(Array.from({ length: 20 }, (_, at) => ledger.append([entry(`s-${at}`)])));
      return performance.now() - began;
    };
    for (const { child } of peers) child.kill("SIGSTOP");
    const slow = await crowd();
    for (const { child } of peers) child.kill("SIGCONT");
    assert.ok(slow < 10_000, `400 entries took ${slow} ms while both witnesses stood still`);
    await until("the newest is witnessed", () => sizeOf(collector.checkpoint()) === ledger.size() && collector.witnessing().present === 2);
    const note = parseNote(collector.checkpoint() as string);
    const log = parseVerifierKey(ledger.verifierKey);
    assert.ok(note.ok && log.ok && openCheckpoint(collector.checkpoint() as string, log.value).ok);
    const signed = openCosignatures(note.value, peers.map(({ key }) => key));
    assert.deepEqual(signed.map(({ by }) => by.name), ["w1", "w2"]);
    for (const { time_s } of signed) assert.ok(Math.abs(time_s - Date.now() / 1_000) < 30);
    const receipt = await ledger.receipt(0);
    const withLines = { ...receipt, proof: withSignatureLines(receipt.proof, signed.map(({ line }) => line)) };
    assert.ok(verifyReceipt(withLines, ledger.verifierKey).ok, "a receipt whose checkpoint carries cosignatures");
    assert.deepEqual(await seenBy("w1"), ledger.size());
  } finally {
    await collector.close();
    for (const { child } of peers) await ended(child, "SIGTERM");
  }
});

test("killed between storing and answering: the tree it may have vouched for is never forgotten, and it goes on", async () => {
  const peer = await witness("w3");
  const first = await ask(peer, 0);
  assert.equal(first.status, 200, first.text);
  const before = ledger.publishedSize();
  await ended(peer.child, "SIGKILL");
  await append();
  const dying = await dyingWitness("w3");
  const exit = new Promise((resolve) => dying.child.once("exit", (_, signal) => resolve(signal)));
  await assert.rejects(ask(dying, before), /fetch failed/);
  assert.equal(await exit, "SIGKILL");
  running.delete(dying.child);
  assert.equal(await seenBy("w3"), ledger.publishedSize(), "stored");
  const back = await witness("w3");
  assert.deepEqual(await ask(back, before), { status: 409, text: `${ledger.publishedSize()}\n` });
  const collector = await collecting(1, [back], "w3.json");
  await until("and the collector finds its way", () => collector.witnessing().present === 1);
  assert.deepEqual(collector.witnessing().alarms, []);
  await collector.close();
  await ended(back.child, "SIGTERM");
});

test("a witness killed again and again under load: every cosignature that left is of a tree that it still knows", async () => {
  let peer = await witness("w4");
  let vouched = 0;
  for (let kill = 0; kill < 4; kill += 1) {
    let alive = true;
    const asking = (async () => {
      while (alive) {
        await append();
        const old = (await seenBy("w4")) ?? 0;
        const answer = await ask(peer, old).catch(() => undefined);
        if (answer?.status === 200) vouched = Math.max(vouched, ledger.publishedSize());
      }
    })();
    await sleep(150 + kill * 37);
    await ended(peer.child, "SIGKILL");
    alive = false;
    await asking;
    assert.ok(((await seenBy("w4")) ?? 0) >= vouched, `kill ${kill}`);
    peer = await witness("w4");
  }
  assert.ok(vouched > 0);
  assert.equal((await ask(peer, (await seenBy("w4")) as number)).status, 200);
  await ended(peer.child, "SIGTERM");
});

test("the database is brought back to an older state: the log itself looks sound, and its witness refuses it for good", async () => {
  const peer = await witness("w5");
  const swapped = async (...sql: string[]) => {
    await ledger.close();
    await store.close();
    for (const one of sql) await asPostgres(one);
    store = await openStore({ site });
    ledger = await open();
  };
  await swapped("CREATE DATABASE nexus_old TEMPLATE nexus OWNER nexus_owner");
  const old = ledger.publishedSize();
  for (let n = 0; n < 5; n += 1) await append();
  const newer = ledger.publishedSize();
  assert.equal(newer, old + 5);
  const first = await collecting(1, [peer], "w5.json");
  await until("witnessed", () => first.witnessing().present === 1);
  await first.close();
  await rm(join(root, "w5.json"));

  await swapped("DROP DATABASE nexus", "ALTER DATABASE nexus_old RENAME TO nexus");
  assert.equal(ledger.publishedSize(), old);
  assert.deepEqual((await ledger.fsck()).failures, [], "nothing in the database tells");

  const second = await collecting(1, [peer], "w5.json");
  try {
    await until("an alarm", () => second.witnessing().alarms.length > 0);
    assert.match(second.witnessing().alarms.join(), new RegExp(`vouched for a tree of ${newer} entries of this log, and only ${old} are here`));
    for (let n = 0; n < 7; n += 1) await append();
    await until("another", () => /does not extend the one of/.test(second.witnessing().alarms.join()));
    assert.equal(second.witnessing().present, 0);
    assert.equal(second.checkpoint()?.includes("w5"), false);
    assert.equal(await seenBy("w5"), newer);
  } finally {
    await second.close();
    await ended(peer.child, "SIGTERM");
  }
});
