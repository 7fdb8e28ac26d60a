import assert from "node:assert/strict";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import type { Imvu } from "../../src/contract/index.ts";
import type { Json } from "../../src/kernel/index.ts";
import { verifyExport } from "../../src/verify/index.ts";
import { ServedLog } from "../harness/served-log.ts";

/** `nexus ledger export` against a real log: what it writes, what it refuses to believe, and what can be checked without a platform. */
const ENTRIES = 700;
const served = await ServedLog.start();
test.after(() => served[Symbol.asyncDispose]());

const unit = (id: string, member: string) => ({ id, name: id, members: [{ identity: member, role: "viewer" }] }) as unknown as Imvu;
const out = (name: string) => join(served.clients, "out", name);

test.before(async () => {
  await served.ledger.append([{ stream: "platform", type: "platform.created", actor: "platform", data: {} }]);
  // What a stranger tried stands in the platform's stream, with facts about whomever it was aimed at.
  await served.ledger.append([{ stream: "platform", type: "command.refused", actor: "unknown", data: { facts: "of IMVU-002" } }]);
  await served.ledger.append([{ stream: "platform", type: "platform.law", actor: "platform", data: {} }]);
  for (let at = 3; at < ENTRIES; at += 17) {
    const many = Math.min(17, ENTRIES - at);
    await served.ledger.append(Array.from({ length: many }, (_, n) => ({ stream: (at + n) % 3 ? "IMVU-001" : "IMVU-002", type: "meter.reading" as const, actor: "platform", data: { n: at + n } })));
  }
  await served.ledger.receipt(ENTRIES - 1);
  served.units.push(unit("IMVU-001", "anna"), unit("IMVU-002", "bert"));
});

test("the log goes home whole: tiles as served, the bodies its reader may have and no others, and it verifies without a platform", async () => {
  const anna = await served.client("anna");
  const made = await anna.ok("ledger", "export", "--out", out("anna"));
  assert.equal(made.size, ENTRIES);
  assert.deepEqual(Object.keys(made.bodies), ["platform", "IMVU-001"]);
  assert.equal(made.bodies.platform, 2, "what strangers tried is not for everybody");
  assert.deepEqual((await readdir(out("anna"))).sort(), ["bodies", "checkpoint", "log-key", "tile"]);
  assert.deepEqual((await readdir(join(out("anna"), "bodies"))).sort(), ["IMVU-001.jsonl", "platform.jsonl"]);
  for (const path of ["checkpoint", "tile/0/001", "tile/0/002.p/188", "tile/entries/000", "tile/entries/002.p/188", "tile/1/000.p/2"])
    assert.deepEqual(await readFile(join(out("anna"), path)), Buffer.from(await (await fetch(`${served.url}/log/${path}`)).arrayBuffer()), path);
  assert.ok(!(await readFile(join(out("anna"), "bodies/platform.jsonl"), "utf8")).includes("of IMVU-002"));
  const verified = await anna.ok("verify-export", out("anna"), "--log-key", served.ledger.verifierKey);
  assert.deepEqual([verified.ok, verified.counts.entries, verified.counts.files, verified.bodies], [true, ENTRIES, 11, made.bodies.platform + made.bodies["IMVU-001"]]);
});

test("one unit only, by its member only; somebody without a key gets what is public", async () => {
  const bert = await served.client("bert");
  assert.deepEqual(Object.keys((await bert.ok("ledger", "export", "--out", out("bert"), "--imvu-id", "IMVU-002")).bodies), ["platform", "IMVU-002"]);
  await bert.refused(4, /^NO_SUCH_IMVU$/, "ledger", "export", "--out", out("foreign"), "--imvu-id", "IMVU-001");
  const stranger = await served.stranger("nobody").ok("ledger", "export", "--out", out("public"));
  assert.deepEqual(Object.keys(stranger.bodies), ["platform"]);
  assert.equal((await verifyExport(out("public"))).ok, true);
  assert.deepEqual((await readdir(join(served.clients, "out"))).sort(), ["anna", "bert", "public"], "what failed left nothing");
});

test("a folder with anything in it is not touched; an empty one is taken", async () => {
  await mkdir(out("full"));
  await writeFile(join(out("full"), "mine"), "");
  await served.stranger("nobody").refused(2, /^NOT_EMPTY$/, "ledger", "export", "--out", out("full"));
  assert.deepEqual(await readdir(out("full")), ["mine"]);
  await mkdir(out("empty"));
  await served.stranger("nobody").ok("ledger", "export", "--out", out("empty"));
});

test("what is served and is not what was signed is named, whichever file it is, and nothing is kept", async () => {
  const flipped = (bytes: Uint8Array) => Buffer.from(bytes.map((byte, at) => (at === 40 ? byte ^ 1 : byte)));
  for (const spoiled of ["tile/entries/001", "tile/0/001", "tile/0/002.p/188", "tile/1/000.p/2"]) {
    served.spoil = (path, bytes) => (path === spoiled ? flipped(bytes) : bytes);
    const error = await served.stranger("nobody").refused(1, /^LOG_WRONG$/, "ledger", "export", "--out", out("spoiled"));
    assert.match(error.message, /DO NOT TRUST/);
  }
  served.spoil = (path, bytes) => (path === "tile/entries/001" ? Buffer.concat([bytes, bytes]) : bytes);
  await served.stranger("nobody").refused(1, /^LOG_WRONG$/, "ledger", "export", "--out", out("spoiled"));
  served.spoil = (_path, bytes) => bytes;
  const anna = served.stranger("anna");
  type Page = { entries: { index: number; body: string }[]; next: number | null };
  const lies: readonly ((page: Page) => Page)[] = [
    (page) => ({ ...page, entries: page.entries.map((entry, at) => (at === 1 ? { ...entry, body: entry.body.replace('"n":', '"n":9') } : entry)) }),
    (page) => ({ ...page, entries: page.entries.filter((_, at) => at !== 1) }),
    (page) => ({ ...page, entries: page.entries.toReversed() }),
  ];
  for (const lie of lies) {
    served.spoilBodies = (answer) => (JSON.stringify(answer).includes("IMVU-001") ? (lie(answer as unknown as Page) as unknown as Json) : answer);
    await anna.refused(1, /^LOG_WRONG$/, "ledger", "export", "--out", out("spoiled"));
  }
  served.spoilBodies = (answer) => ({ ...(answer as object), next: 0 }) as Json;
  await anna.refused(6, /^BAD_ANSWER$/, "ledger", "export", "--out", out("spoiled"));
  served.spoilBodies = (answer) => answer;
  assert.ok(!(await readdir(join(served.clients, "out"))).some((name) => name.includes("spoiled")));
});

test("a log in a folder that was touched afterwards does not verify, and the first wrong thing is named", async () => {
  const lines = async (path: string, change: (lines: string[]) => string[]) => await writeFile(path, `${change((await readFile(path, "utf8")).trimEnd().split("\n")).join("\n")}\n`);
  const flip = async (path: string) => {
    const bytes = await readFile(path);
    bytes[36] = (bytes[36] ?? 0) ^ 1;
    await writeFile(path, bytes);
  };
  const changes: readonly (readonly [named: RegExp, change: (dir: string) => Promise<unknown>])[] = [
    [/^tile\/0\/001$/, (dir) => flip(join(dir, "tile/0/001"))],
    [/^tile\/0\/001$/, (dir) => flip(join(dir, "tile/entries/001"))],
    [/^tile\/1\/000.p\/2$/, (dir) => flip(join(dir, "tile/1/000.p/2"))],
    [/^checkpoint$/, (dir) => flip(join(dir, "checkpoint"))],
    [/^log$/, (dir) => rm(join(dir, "tile/0/000"))],
    [/^extra$/, (dir) => writeFile(join(dir, "extra"), "")],
    [/^bodies\/IMVU-001.jsonl entry/, (dir) => lines(join(dir, "bodies/IMVU-001.jsonl"), (all) => all.filter((_, at) => at !== 5))],
    [/^bodies\/IMVU-001.jsonl entry/, (dir) => lines(join(dir, "bodies/IMVU-001.jsonl"), (all) => all.toReversed())],
    [/^bodies\/IMVU-002.jsonl entry/, (dir) => cp(join(dir, "bodies/IMVU-001.jsonl"), join(dir, "bodies/IMVU-002.jsonl"))],
    [/^bodies\/platform.jsonl entry/, (dir) => lines(join(dir, "bodies/platform.jsonl"), (all) => all.map((line) => line.replace("platform.law", "platform.lax")))],
  ];
  for (const [named, change] of changes) {
    const dir = out("touched");
    await cp(out("anna"), dir, { recursive: true });
    await change(dir);
    const { ok, failures } = await verifyExport(dir);
    assert.equal(ok, false, String(named));
    assert.match(failures[0]?.what ?? "", named);
    await rm(dir, { recursive: true });
  }
  assert.equal((await verifyExport(out("anna"), { logKey: "other.example+00000000+AAAA" })).ok, false);
});
