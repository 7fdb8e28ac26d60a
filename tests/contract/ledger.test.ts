import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import test from "node:test";
import type { NewEntry } from "../../src/contract/index.ts";
import { type Ledger, openLedger, openLogKey } from "../../src/core/ledger/index.ts";
import {
  foldRange,
  leafHash,
  nodeHash,
  openCheckpoint,
  parseTlogProof,
  parseVerifierKey,
  rootRange,
  verifyCheckpoints,
  verifyConsistency,
  verifyReceipt,
  verifyStreamChain,
} from "../../src/core/ledger/pure.ts";
import type { Store } from "../../src/core/store/index.ts";
import { Fault, type Json, sha256, sleep, systemClock } from "../../src/kernel/index.ts";
import { LedgerHouse } from "../harness/ledger-house.ts";

const ORIGIN = "log.example/nexus";
const house = await LedgerHouse.start();
const { site, store, engines, logKey } = house;
let ledger: Ledger;

test.before(async () => {
  ledger = await open();
});

test.after(async () => {
  await ledger?.close();
  await house[Symbol.asyncDispose]();
});

function open(on: Store = store, clock = systemClock): Promise<Ledger> {
  return house.open(ORIGIN, on, clock);
}
const entry = (stream: string, data: Json = {}): NewEntry => ({ stream, type: "meter.reading", actor: "platform", data });
const code = (expected: string) => (error: unknown) => (error as { code?: unknown }).code === expected;
async function collect<T>(from: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of from) all.push(one);
  return all;
}
/** As the OOM killer would, once it runs (again). */
async function killDatabase(): Promise<void> {
  while (engines.views()[0]?.state !== "running") await sleep(20);
  process.kill(engines.views()[0]?.pid as number, "SIGKILL");
}
async function assertSound(): Promise<void> {
  const seen = await ledger.fsck();
  assert.deepEqual(seen.failures, []);
  assert.equal(seen.ok, true);
  assert.equal(seen.entries, ledger.size());
}

test("an empty log has no checkpoint and no tile", async () => {
  assert.equal(ledger.checkpoint(), undefined);
  assert.equal(ledger.size(), 0);
  assert.equal(await ledger.tile(0, 0, 1), undefined);
  await assert.rejects(ledger.receipt(0), code("LEDGER_NO_ENTRY"));
  await assertSound();
});

test("what is appended stands in the log, with a receipt that verifies", async () => {
  const [first, second] = await ledger.append([entry("platform", { a: 1 }), entry("IMVU-001", { b: 'ü\u0000\\"{},' })]);
  assert.deepEqual([first?.index, first?.streamSeq, second?.index, second?.streamSeq], [0, 0, 1, 0]);
  const receipt = await ledger.receipt(1);
  assert.equal(receipt.body, second?.body);
  const verified = verifyReceipt(receipt, ledger.verifierKey);
  assert.ok(verified.ok, JSON.stringify(verified));
  assert.deepEqual(verified.value.entry.data, { b: 'ü\u0000\\"{},' });
  assert.equal(ledger.checkpoint(), verified.value.note);
  await assertSound();
});

test("what is refused leaves nothing, and its neighbours stand without a gap", async () => {
  const size = ledger.size();
  const results = await Promise.allSettled([
    ledger.append([entry("IMVU-001", { n: 1 })]),
    ledger.append([entry("IMVU-001", "x".repeat(40_000))]),
    ledger.append([entry("IMVU-001", { n: 2 }), entry("no good", {})]),
    ledger.append([entry("IMVU-001", { n: 3 })], async (tx, [appended]) => {
      await tx.run("INSERT INTO identity (name, doc, updated_index) VALUES ('gone', '{}', $1)", [
        appended?.index,
      ]);
      throw new Fault("TEST_SAYS_NO", "no");
    }),
    ledger.append([entry("IMVU-001", { n: 4 })], async (tx, [appended]) => {
      await tx.run("INSERT INTO identity (name, doc, updated_index) VALUES ('kept', '{}', $1)", [
        appended?.index,
      ]);
    }),
    ledger.append([entry("IMVU-001", { n: 5 })], async (tx) => {
      await tx.query("SELECT 1 / 0");
    }),
    ledger.append([entry("IMVU-001", { n: 6 })]),
    ledger.append([]),
  ]);
  assert.deepEqual(
    results.map((result) => (result.status === "fulfilled" ? result.value[0]?.index : (result.reason as { code: string }).code)),
    [size, "LEDGER_BODY_TOO_LARGE", "LEDGER_BAD_STREAM", "TEST_SAYS_NO", size + 1, "22012", size + 2, "LEDGER_REQUEST"],
  );
  assert.deepEqual(await store.snapshot((tx) => tx.query("SELECT name, updated_index FROM identity")), [{ name: "kept", updated_index: size + 1 }]);
  assert.equal(ledger.size(), size + 3);
  await assertSound();
});

test("rows that go beside the entries stand with them; where one is refused, its own entry is the only one that does not stand", async () => {
  const size = ledger.size();
  const named = (name: string) => (appended: readonly { readonly index: number }[]) => [
    { statement: { name: "test identity", text: "INSERT INTO identity (name, doc, updated_index) VALUES ($1, '{}', $2)" }, params: [name, appended[0]?.index ?? null] },
  ];
  const all = (names: readonly string[]) => Promise.allSettled(names.map((name, n) => ledger.append([entry("IMVU-001", { n })], undefined, named(name))));
  const indexes = (results: Awaited<ReturnType<typeof all>>) => results.map((result) => (result.status === "fulfilled" ? (result.value[0]?.index ?? 0) - size : (result.reason as { code: string }).code));
  assert.deepEqual(indexes(await all(["one", "two", "three"])), [0, 1, 2]);
  assert.deepEqual(indexes(await all(["four", "two", "five"])), [3, "23505", 4]);
  assert.deepEqual(indexes(await all(["two"])), ["23505"]);
  assert.deepEqual(indexes(await all(["six"])), [5]);
  const rows = await store.snapshot((tx) => tx.query<{ name: string; at: number }>("SELECT name, updated_index AS at FROM identity WHERE updated_index >= $1 ORDER BY updated_index", [size]));
  assert.deepEqual(rows.map(({ name, at }) => [name, at - size]), [["one", 0], ["two", 1], ["three", 2], ["four", 3], ["five", 4], ["six", 5]]);
  assert.equal(ledger.size(), size + 6);
  await assertSound();
});

test("a crowd is stored in a few batches, every stream without a gap", async () => {
  const before = await store.snapshot((tx) => tx.query("SELECT 1 FROM ledger_checkpoint"));
  const size = ledger.size();
  const appended = await Promise.all(Array.from({ length: 1_500 }, (_, n) => ledger.append([entry(`IMVU-${100 + (n % 7)}`, { n })])));
  assert.deepEqual(
    appended.map(([one]) => one?.index),
    Array.from({ length: 1_500 }, (_, n) => size + n),
  );
  await ledger.receipt(size + 1_499);
  const after = await store.snapshot((tx) => tx.query("SELECT 1 FROM ledger_checkpoint"));
  assert.ok(after.length - before.length <= 10, `${after.length - before.length} checkpoints`);
  for (let n = 0; n < 7; n += 1) {
    const bodies = (await collect(ledger.entries({ stream: `IMVU-${100 + n}` }))).map((one) => String(one.body));
    const chain = verifyStreamChain(bodies);
    assert.equal(chain.ok && chain.value.entries, n < 2 ? 215 : 214);
  }
  await assertSound();
});

test("a batch larger than one portion of rows, with statements of its own in between: all in order, the refused ones without a trace", async () => {
  const size = ledger.size();
  const asked = Array.from({ length: 900 }, (_, n) => {
    if (n % 300 === 299) return ledger.append([entry("portions", { n })], async (tx) => void (await tx.query("SELECT 1 / 0")));
    if (n % 200 === 150) return ledger.append([entry("portions", { n })], async (tx) => void (await tx.query("SELECT 1")));
    return ledger.append([entry("portions", { n })]);
  });
  const results = await Promise.allSettled(asked);
  let next = size;
  for (const [n, result] of results.entries()) {
    if (n % 300 === 299) assert.equal(result.status === "rejected" && result.reason.code, "22012");
    else assert.equal(result.status === "fulfilled" && result.value[0]?.index, next++);
  }
  const bodies = (await collect(ledger.entries({ stream: "portions" }))).map((one) => String(one.body));
  const chain = verifyStreamChain(bodies);
  assert.equal(chain.ok && chain.value.entries, 897);
  await assertSound();
});

test("time never goes back in a stream, whatever the clock does", async () => {
  const real = systemClock.now();
  let now = real + 3_600_000;
  await ledger.close();
  ledger = await open(store, { now: () => now });
  const [late] = await ledger.append([entry("clock")]);
  now = real;
  const [held] = await ledger.append([entry("clock")]);
  assert.equal(held?.time, late?.time);
  await ledger.close();
  ledger = await open();
  const [again] = await ledger.append([entry("clock")]);
  assert.equal(again?.time, late?.time, "also after a restart");
  const [other] = await ledger.append([entry("clock-2")]);
  assert.ok((other?.time as string) < (late?.time as string), "another stream has the clock's time");
});

test("entries can be read by stream and by place", async () => {
  const all = await collect(ledger.entries());
  assert.deepEqual(
    all.map((one) => one.index),
    Array.from({ length: ledger.size() }, (_, n) => n),
  );
  assert.deepEqual(
    (await collect(ledger.entries({ from: 300, to: 700 }))).map((one) => one.index),
    Array.from({ length: 400 }, (_, n) => 300 + n),
  );
  const own = all.filter((one) => one.stream === "IMVU-103" && one.index >= 500).map((one) => one.index);
  assert.deepEqual(
    (await collect(ledger.entries({ stream: "IMVU-103", from: 500 }))).map((one) => one.index),
    own,
  );
  assert.deepEqual(await collect(ledger.entries({ stream: "nobody" })), []);
  const mixed: NewEntry[] = Array.from({ length: 600 }, (_, n) => ({ stream: "mixed", type: n % 200 === 7 ? "effect.applied" : "meter.reading", actor: "platform", data: { n, inner: { type: "meter.reading", v: 1 } } }));
  for (let from = 0; from < mixed.length; from += 200) await ledger.append(mixed.slice(from, from + 200));
  const told = await collect(ledger.entries({ stream: "mixed", butReadings: true }));
  assert.deepEqual(told.map(({ type, streamSeq }) => [type, streamSeq]), [7, 207, 407].map((seq) => ["effect.applied", seq]));
  assert.equal((await collect(ledger.entries({ stream: "mixed" }))).length, 600);
  assert.equal((await collect(ledger.entries({ stream: "mixed", butReadings: true, to: told[1]?.index ?? 0 }))).length, 1);
  const [first] = all;
  assert.ok(first && first.type !== "erased");
  assert.deepEqual([first.type, first.actor, first.data], ["meter.reading", "platform", { a: 1 }]);
});

test("tiles and bundles rebuild the signed root, and proofs of any two sizes hold", async () => {
  const size = ledger.publishedSize();
  const verifier = parseVerifierKey(ledger.verifierKey);
  assert.ok(verifier.ok);
  const signed = openCheckpoint(ledger.checkpoint() as string, verifier.value);
  assert.ok(signed.ok && signed.value.size === size);
  const leaves: Buffer[] = [];
  for (let n = 0; n * 256 < size; n += 1) {
    const width = Math.min(256, size - n * 256);
    const [tile, bundle] = [await ledger.tile(0, n, width), await ledger.entriesBundle(n, width)];
    assert.ok(tile && bundle);
    assert.equal(bundle.length, width * 34);
    for (let at = 0; at < width; at += 1) {
      assert.equal(bundle.readUInt16BE(at * 34), 32);
      leaves.push(leafHash(bundle.subarray(at * 34 + 2, at * 34 + 34)));
      assert.ok(tile.subarray(at * 32, at * 32 + 32).equals(leaves.at(-1) as Buffer));
    }
    assert.equal(await ledger.tile(0, n, width === 256 ? 257 : width + 1), undefined, "nothing beyond the published tree");
  }
  const perfect = (level: number, index: number): Buffer =>
    level === 0 ? (leaves[index] as Buffer) : nodeHash(perfect(level - 1, index * 2), perfect(level - 1, index * 2 + 1));
  const root = (at: number) => foldRange(rootRange(at).map((node) => perfect(node.level, node.index)));
  assert.ok(root(size).equals(signed.value.root));
  const upper = await ledger.tile(1, 0, Math.floor(size / 256));
  assert.ok(upper?.subarray(32, 64).equals(perfect(8, 1)));
  for (const [from, to] of [
    [1, size],
    [255, 256],
    [256, 257],
    [600, 1_200],
    [1_024, size],
    [size, size],
    [0, size],
  ] as const)
    assert.ok(verifyConsistency(from, root(from), to, root(to), await ledger.consistencyProof(from, to)), `${from} to ${to}`);
  for (const index of [0, 255, 256, 777, size - 1])
    assert.ok(verifyReceipt(await ledger.receipt(index), ledger.verifierKey).ok, `receipt of ${index}`);
  await assert.rejects(ledger.consistencyProof(1, size + 1), code("LEDGER_NO_TREE"));
  for (const [level, n, width] of [
    [-1, 0, 1],
    [64, 0, 1],
    [0, -1, 1],
    [0, 0, 0],
    [0, 0, 257],
    [0, 0.5, 1],
    [0, 1e15, 1],
    [3, 0, 1],
  ] as const)
    assert.equal(await ledger.tile(level, n, width), undefined, `${level}/${n}.p/${width}`);
});

test("a reopened log goes on where it was, under the same key only, and only one at a time", async () => {
  const before = { size: ledger.size(), note: ledger.checkpoint() as string };
  const second = open();
  assert.equal(await Promise.race([second, sleep(300)]), undefined, "a second one waits for the first");
  await ledger.close();
  await assert.rejects(ledger.append([entry("platform")]), code("LEDGER_CLOSED"));
  await (await second).close();
  await assert.rejects(
    openLedger({ store, clock: systemClock, randomBytes, logKey: await openLogKey(join(site.dir, "keys", "other.pem")), origin: ORIGIN }),
    code("LEDGER_OTHER_KEY"),
  );
  await assert.rejects(openLedger({ store, clock: systemClock, randomBytes, logKey, origin: "other.example" }), code("LEDGER_OTHER_KEY"));
  ledger = await open();
  assert.deepEqual({ size: ledger.size(), note: ledger.checkpoint() }, before);
  const [one] = await ledger.append([entry("platform")]);
  assert.equal(one?.index, before.size);
  const receipt = await ledger.receipt(before.size);
  const consistency = (await ledger.consistencyProof(before.size, before.size + 1)).map((hash) => hash.toString("base64"));
  assert.ok(verifyReceipt(receipt, ledger.verifierKey, { checkpoint: before.note, consistency }).ok);
});

test("a second signer cannot fork: the database keeps one successor of each checkpoint", async () => {
  const [row] = await store.snapshot((tx) =>
    tx.query<{ size: number; previous: number; root: Buffer; note: string }>(
      "SELECT size, previous, root, note FROM ledger_checkpoint ORDER BY size DESC LIMIT 1",
    ),
  );
  assert.ok(row);
  const insert = (size: number, previous: number | null) =>
    store.transaction((tx) =>
      tx.run("INSERT INTO ledger_checkpoint (size, previous, root, note) VALUES ($1, $2, $3, $4)", [size, previous, row.root, row.note]),
    );
  await assert.rejects(insert(row.size, row.previous), code("23505"), "the same again");
  await assert.rejects(insert(row.size + 1, row.previous), code("23505"), "another successor");
  await assert.rejects(insert(row.size + 1, null), code("23505"), "another beginning");
  await assert.rejects(insert(row.size + 2, row.size + 1), code("23503"), "a successor of none");
  await assert.rejects(insert(row.size - 1, row.size), code("23514"), "a shrunken log");
});

test("the database dies under load: what was acknowledged is there, what was not may be tried again, and nothing forks", async () => {
  const kept = ledger.checkpoint() as string;
  const acknowledged = new Map<number, string>();
  let refused = 0;
  let stop = false;
  // Settled, so that a failure in one is told at the end and not as an unhandled rejection.
  const load = Promise.allSettled(
    Array.from({ length: 8 }, async (_, worker) => {
      for (let n = 0; !stop; n += 1) {
        try {
          const [one] = await ledger.append([entry(`load-${worker}`, { n })], async (tx) => {
            await tx.query("SELECT 1");
          });
          if (one) acknowledged.set(one.index, one.body);
        } catch (error) {
          if (!(error instanceof Fault && error.retry && error.code !== "LEDGER_CLOSED")) throw error;
          refused += 1;
        }
      }
    }),
  );
  try {
    for (let kill = 0; kill < 3; kill += 1) {
      await sleep(150);
      await killDatabase();
      const count = acknowledged.size;
      for (const until = Date.now() + 20_000; acknowledged.size < count + 20 && Date.now() < until; ) await sleep(20);
    }
  } finally {
    stop = true;
  }
  for (const worker of await load) assert.equal(worker.status, "fulfilled", String(worker.status === "rejected" && worker.reason));
  assert.ok(acknowledged.size > 60, `${acknowledged.size} acknowledged`);
  assert.ok(refused > 0, "at least one batch was hit");
  const stored = new Map((await collect(ledger.entries())).map((one) => [one.index, one.body]));
  for (const [index, body] of acknowledged) assert.equal(stored.get(index), body, `entry ${index}`);
  await ledger.receipt(ledger.size() - 1);
  const note = ledger.checkpoint() as string;
  const size = (text: string) => Number(text.split("\n")[1]);
  const consistency = (await ledger.consistencyProof(size(kept), size(note))).map((hash) => hash.toString("base64"));
  assert.ok(verifyCheckpoints(kept, note, consistency, ledger.verifierKey).ok);
  await assertSound();
});

test("the database dies while nobody appends: the next entry waits for it to come back", async () => {
  await killDatabase();
  await sleep(50);
  const size = ledger.size();
  const [one] = await ledger.append([entry("platform", { idle: true })]);
  assert.equal(one?.index, size);
  assert.ok(verifyReceipt(await ledger.receipt(size), ledger.verifierKey).ok);
});

test("committed but not yet signed at a crash: the next start signs it", async () => {
  const [one] = await ledger.append([entry("platform", { crash: true })]);
  await ledger.receipt(one?.index as number);
  const note = ledger.checkpoint() as string;
  await ledger.close();
  // As if the process had died between COMMIT and checkpoint: the row is taken away by the superuser, triggers off.
  const sql =
    "ALTER TABLE ledger_checkpoint DISABLE TRIGGER ALL; DELETE FROM ledger_checkpoint WHERE size = (SELECT max(size) FROM ledger_checkpoint); ALTER TABLE ledger_checkpoint ENABLE ALWAYS TRIGGER ledger_checkpoint_only_grows";
  await house.psql(sql);
  ledger = await open();
  const receipt = await ledger.receipt(one?.index as number);
  const proof = parseTlogProof(receipt.proof);
  assert.ok(proof.ok);
  assert.equal(proof.value.checkpoint, note, "Ed25519 is deterministic: the very same note");
  assert.ok(sha256(receipt.body).equals(one?.leaf as Buffer));
  await assertSound();
});
