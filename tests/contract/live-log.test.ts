import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import { noteSigner } from "../../src/core/ledger/pure.ts";
import { run } from "../../src/kernel/index.ts";
import { buildVerifier } from "../../tools/build-verifier.ts";
import { ServedLog } from "../harness/served-log.ts";

/** `nexus verify-export URL` and `verify.mjs URL` against a real log behind the real API. */
const ENTRIES = 300;
const served = await ServedLog.start();
test.after(() => served[Symbol.asyncDispose]());
const keep = join(served.clients, "keep.json");
const address = () => `${served.url}/log/`;
const stranger = () => served.stranger("nobody");

async function grow(by: number): Promise<void> {
  const begin = served.ledger.size();
  await served.ledger.append(Array.from({ length: by }, (_, at) => ({ stream: (begin + at) % 10 ? "IMVU-001" : "platform", type: (begin + at) % 10 ? ("meter.reading" as const) : ("platform.law" as const), actor: "platform", data: { n: begin + at } })));
  await served.ledger.receipt(begin + by - 1);
}

test("a log without a checkpoint, an address where no log is, and nobody there: it could not be checked, and that is said", async () => {
  await stranger().refused(5, /^LOG_UNREACHABLE$/, "verify-export", "http://127.0.0.1:2/log/");
  await stranger().refused(5, /^NO_CHECKPOINT$/, "verify-export", address());
  const { message } = await stranger().refused(5, /^NO_LOG_KEY$/, "verify-export", served.url);
  assert.match(message, /shows no verifier key/);
  await stranger().refused(2, /^LIVE_ONLY$/, "verify-export", served.clients, "--keep", keep);
  await stranger().refused(2, /^BAD_WITNESSES$/, "verify-export", address(), "--require", "1");
  await stranger().refused(2, /./, "verify-export", address(), "--require", "many");
});

test("is read whole with its address alone, by both programs, and the checkpoint is remembered", async () => {
  await grow(ENTRIES);
  const said = await stranger().ok("verify-export", address(), "--keep", keep);
  assert.deepEqual([said.ok, said.counts.entries, said.counts.files, said.bodies, said.live.keyFrom, said.live.keptNow], [true, ENTRIES, 5, ENTRIES / 10, "served", keep]);
  assert.equal(JSON.parse(await readFile(keep, "utf8")).key, served.ledger.verifierKey);
  const { path } = await buildVerifier(join(served.clients, "verify.mjs"));
  const ran = await run([process.execPath, path, address(), "--keep", keep]);
  assert.deepEqual([ran.code, ran.stderr], [0, ""]);
  assert.match(ran.stdout.toString(), /^entries 300\/300 .* files 5\/5\nverified: a log of 300 entries, 30 of them with their bodies, signed by log\.example\/nexus\+.*\nread: http.*, 7 requests, [\d.]+ kB in [\d.]+ s\nkey: the one kept from before\nhistory: begins with the 300 entries/);
});

test("that grew since extends what was kept; its home's own memory of the log serves as well as the file", async () => {
  await grow(500);
  const said = await stranger().ok("verify-export", address(), "--keep", keep, "--log-key", served.ledger.verifierKey);
  assert.deepEqual([said.counts.entries, said.live.kept], [800, [{ file: keep, size: 300, consistent: true }]]);
  await stranger().ok("ledger", "checkpoint");
  const seen = join(served.clients, "nobody/logs-seen");
  const [memory] = await readdir(seen);
  assert.equal((await stranger().ok("verify-export", address(), "--since", join(seen, memory as string))).live.kept[0].size, 800);
});

test("that serves what it did not sign, or shows a stranger's memory another history, ends with 1", async () => {
  served.spoil = (path, bytes) => (path === "tile/entries/001" ? Buffer.from(bytes.map((byte, at) => (at === 40 ? byte ^ 1 : byte))) : bytes);
  const spoiled = await stranger().call("verify-export", address());
  assert.deepEqual([spoiled.code, spoiled.printed.failures[0].what], [1, "tile/0/001"]);
  served.spoil = (_path, bytes) => bytes;
  const before = JSON.parse(await readFile(keep, "utf8")) as { origin: string; key: string; checkpoint: string };
  const other = noteSigner(before.origin, generateKeyPairSync("ed25519").privateKey);
  const foreign = join(served.clients, "foreign.json");
  await writeFile(foreign, JSON.stringify({ ...before, key: other.vkey }));
  const resigned = await stranger().call("verify-export", address(), "--since", foreign, "--log-key", served.ledger.verifierKey);
  assert.deepEqual([resigned.code, resigned.printed.failures[0].what, resigned.printed.live.evidence.length], [1, foreign, 1]);
});
