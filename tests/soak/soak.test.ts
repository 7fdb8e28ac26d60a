import assert from "node:assert/strict";
import { randomBytes, randomInt } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import { replayCheck } from "../../src/core/command/index.ts";
import { type Ledger, openLedger, openLogKey } from "../../src/core/ledger/index.ts";
import { parseTlogProof, verifyCheckpoints, verifyReceipt, verifyStreamChain } from "../../src/core/ledger/pure.ts";
import { openStore, postgresEngine } from "../../src/core/store/index.ts";
import { sleep, systemClock } from "../../src/kernel/index.ts";
import { type RunningEngines, superviseEngines } from "../../src/platform/supervision/index.ts";
import { ScratchSite } from "../harness/scratch-site.ts";
import { appendClient, commandClient, Memory } from "./clients.ts";
import { EFFECTS } from "./service.ts";
import { ServiceProcess } from "./service-process.ts";

/**
 * Soak: a ledger's service under load while it, PostgreSQL's postmaster and its backends are killed at random instants.
 * `NEXUS_SOAK_KILLS=300 NEXUS_SOAK_SEED=… ./nexus test soak` is the long form; without, a dozen kills.
 */
const KILLS = Number(process.env.NEXUS_SOAK_KILLS ?? 12);
const SEED = Number(process.env.NEXUS_SOAK_SEED ?? randomInt(2 ** 31));
const COMMAND_CLIENTS = 8;
const APPEND_CLIENTS = 8;
const KILL_PAUSE_MS_MAX = 1_000;
const READY_WAIT_MS = 60_000;

test(`${KILLS} kills at random instants, seed ${SEED}: nothing acknowledged is lost or doubled, and nothing forks`, { timeout: 60_000 + KILLS * 10_000 }, async (t) => {
  await using scratch = await ScratchSite.create();
  const { site } = scratch;
  await mkdir(join(site.dir, "keys"), { mode: 0o700 });
  await openLogKey(join(site.dir, "keys", "log.pem"));
  await writeFile(join(site.dir, "site.json"), JSON.stringify(site));
  let engines = await superviseEngines(site, [postgresEngine(site)], () => {});
  // As when whoever supervises is started again too: an engine that dies every second would be left alone for longer each time.
  const superviseAgain = async () => {
    await engines.stop();
    engines = await superviseEngines(site, [postgresEngine(site)], () => {});
  };
  const service = new ServiceProcess(join(site.dir, "site.json"));
  const memory = new Memory();
  const began = performance.now();
  try {
    service.begin();
    let over = false;
    const clients = Promise.allSettled([
      ...Array.from({ length: COMMAND_CLIENTS }, (_, n) => commandClient(service, `soak-${n}`, memory, () => over)),
      ...Array.from({ length: APPEND_CLIENTS }, (_, n) => appendClient(service, `APPEND-${n}`, memory, () => over)),
    ]);
    const killed = await killAtRandom(service, () => engines, superviseAgain);
    over = true;
    // Each client finishes what it began: an unclear command must get its answer from a service that lives on.
    for (const client of await clients) assert.equal(client.status, "fulfilled", String(client.status === "rejected" && client.reason?.stack));
    await service.stop();
    assert.deepEqual(service.said.filter((words) => !/STORE_UNREACHABLE|STORE_LOST|does not answer|connection|terminat|recovery|starting up|shutting down/i.test(words)), []);
    const store = await openStore({ site });
    const ledger = await openLedger({ store, clock: systemClock, randomBytes, logKey: await openLogKey(join(site.dir, "keys", "log.pem")), origin: "soak.example/nexus" });
    try {
      const checkpoints = await holdAgainst(ledger, memory);
      const seen = await ledger.fsck();
      assert.deepEqual(seen.failures, []);
      assert.equal(seen.entries, ledger.size());
      const replayed = await replayCheck(store, ledger, EFFECTS);
      assert.deepEqual(replayed.failures, []);
      t.diagnostic(
        JSON.stringify({ seed: SEED, kills: killed, seconds: Math.round((performance.now() - began) / 1_000), entries: ledger.size(), commandsAcknowledged: memory.commands.length, appendsAcknowledged: memory.entries.size, unclear: memory.unclear, sentAgain: memory.sentAgain, busy: memory.busy, checkpoints, serviceStarts: service.starts, resumed: service.resumed, projections: replayed.projections, reasons: Object.fromEntries(memory.reasons) }),
      );
    } finally {
      await ledger.close();
      await store.close();
    }
  } finally {
    await service.stop();
    await engines.stop();
  }
});

/** Which process and when comes from the seed; what it was doing just then is the machine's part. */
async function killAtRandom(service: ServiceProcess, engines: () => RunningEngines, superviseAgain: () => Promise<void>): Promise<Record<"service" | "postmaster" | "backend", number>> {
  const random = mulberry32(SEED);
  const killed = { service: 0, postmaster: 0, backend: 0 };
  for (let kill = 0; kill < KILLS; ) {
    await readyAgain(service, engines());
    await sleep(Math.floor(random() * KILL_PAUSE_MS_MAX));
    const which = (["service", "postmaster", "backend"] as const)[Math.floor(random() * 3)] as keyof typeof killed;
    const pid = which === "service" ? service.pid : await databasePid(engines(), which, random);
    if (pid === undefined) continue;
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      continue;
    }
    killed[which] += 1;
    kill += 1;
    if (which === "postmaster") await superviseAgain();
  }
  return killed;
}

async function readyAgain(service: ServiceProcess, engines: RunningEngines): Promise<void> {
  for (const until = performance.now() + READY_WAIT_MS; !service.ready || engines.views()[0]?.state !== "running"; await sleep(10))
    if (performance.now() > until) throw new Error(`nothing runs again: service ${service.ready}, database ${engines.views()[0]?.state}; ${service.said.at(-1) ?? ""}`);
}

async function databasePid(engines: RunningEngines, which: "postmaster" | "backend", random: () => number): Promise<number | undefined> {
  const view = engines.views()[0];
  const postmaster = view?.state === "running" ? view.pid : null;
  if (postmaster === null || postmaster === undefined) return undefined;
  if (which === "postmaster") return postmaster;
  const children = (await readFile(`/proc/${postmaster}/task/${postmaster}/children`, "utf8").catch(() => "")).split(" ").filter(Boolean).map(Number);
  const backends: number[] = [];
  for (const pid of children) if ((await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).includes("nexus_service")) backends.push(pid);
  return backends[Math.floor(random() * backends.length)];
}

/** Everything that was ever acknowledged, against the log as it is. @returns how many different checkpoints had been seen. */
async function holdAgainst(ledger: Ledger, memory: Memory): Promise<number> {
  const [bodies, intents, outcomes, tokens, streams] = [new Map<number, string>(), new Map<string, number>(), new Map<string, number>(), new Map<string, number>(), new Map<string, string[]>()];
  const count = (map: Map<string, number>, key: string) => map.set(key, (map.get(key) ?? 0) + 1);
  for await (const entry of ledger.entries()) {
    assert.ok(entry.type !== "erased");
    bodies.set(entry.index, entry.body);
    const stream = streams.get(entry.stream);
    if (stream) stream.push(entry.body);
    else streams.set(entry.stream, [entry.body]);
    const data = entry.data as { digest?: string; token?: string };
    if (entry.type === "command.accepted" || entry.type === "command.refused") count(intents, data.digest ?? "");
    if (entry.type === "effect.applied" || entry.type === "effect.failed") count(outcomes, data.digest ?? "");
    if (entry.type === "statement.closed") count(tokens, data.token ?? "");
  }
  for (const [stream, texts] of streams) {
    const chain = verifyStreamChain(texts);
    assert.ok(chain.ok, `${stream}: ${chain.ok || chain.message}`);
  }
  const notes = new Set<string>();
  const hold = ({ index, body, proof }: { index: number; body: string; proof: string }) => {
    assert.equal(bodies.get(index), body, `entry ${index} is not the acknowledged one`);
    const parsed = parseTlogProof(proof);
    assert.ok(parsed.ok);
    notes.add(parsed.value.checkpoint);
  };
  for (const { digest, accepted, receipts } of memory.commands) {
    assert.equal(intents.get(digest), 1, `command ${digest} stands in the log ${intents.get(digest)} times`);
    assert.equal(outcomes.get(digest) ?? 0, accepted ? 1 : 0, `outcomes of ${digest}`);
    for (const receipt of receipts) {
      hold(receipt);
      const verified = verifyReceipt(receipt, ledger.verifierKey);
      assert.ok(verified.ok, verified.ok ? "" : verified.message);
    }
  }
  for (const [token, receipt] of memory.entries) {
    assert.equal(tokens.get(token), 1, `append ${token} stands in the log ${tokens.get(token)} times`);
    hold(receipt);
  }
  for (const [token, times] of tokens) assert.ok(times === 1 && memory.tokens.has(token), `${token} stands in the log ${times} times`);
  for (const [digest, times] of intents) assert.ok(times === 1 && memory.digests.has(digest), `command ${digest} stands in the log ${times} times`);
  const last = ledger.checkpoint() as string;
  for (const note of notes) {
    const proof = (await ledger.consistencyProof(Number(note.split("\n")[1]), ledger.publishedSize())).map((hash) => hash.toString("base64"));
    const consistent = verifyCheckpoints(note, last, proof, ledger.verifierKey);
    assert.ok(consistent.ok, consistent.ok ? "" : `fork: ${consistent.message}`);
  }
  assert.ok(memory.commands.length > KILLS && memory.entries.size > KILLS && notes.size > KILLS, "there was load");
  return notes.size;
}

/** The same numbers for the same seed. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
