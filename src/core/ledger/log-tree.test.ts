import assert from "node:assert/strict";
import test from "node:test";
import { Frontier } from "./frontier.ts";
import { LogTree, type NodeRun } from "./log-tree.ts";
import { consistencyRanges, inclusionRanges, leafHash, verifyConsistency, verifyInclusion } from "./tree.ts";

/** ledger_node as an array: answers the tree's one query, and can be held back to stand between a batch's beginning and its COMMIT. */
class Rows {
  readonly stored: NodeRun[] = [];
  queries = 0;

  async select<R extends object>(_statement: object, params: readonly unknown[] = []): Promise<readonly R[]> {
    this.queries += 1;
    const [level, start, end] = params as [number, number, number];
    const runs = this.stored.filter((run) => run.level === level && run.first < end).sort((a, b) => a.first - b.first);
    const begins = runs.findLast((run) => run.first <= start)?.first ?? 0;
    const within = runs.filter((run) => run.first >= begins).map((run) => ({ first: Math.max(run.first, start), hashes: run.hashes.subarray(Math.max(start - run.first, 0) * 32).subarray(0, 256 * 32) }));
    return within as readonly object[] as readonly R[];
  }
}

const leaf = (index: number) => Buffer.from(String(index).padStart(32, "0"));
const hashes = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => leafHash(leaf(from + n)));

test("batches of any length make the same tree, in memory and read again, three tile levels high", async () => {
  const SIZE = 66_000;
  const rows = new Rows();
  const frontier = new Frontier();
  let tree = await LogTree.load(rows, 0);
  const roots = new Map<number, Buffer>();
  for (let size = 0, step = 1; size < SIZE; step = (step * 7) % 1_999) {
    const to = Math.min(size + step, SIZE);
    const batch = hashes(size, to);
    rows.stored.push(...tree.append(batch));
    for (const hash of batch) frontier.push(hash);
    size = to;
    roots.set(size, frontier.root());
    assert.ok((await tree.root(size)).equals(frontier.root()), `root of ${size}`);
    if (step % 5 === 0) tree = await LogTree.load(rows, size);
  }
  assert.ok(rows.stored.some((run) => run.level === 2));
  const fresh = await LogTree.load(rows, SIZE);
  const root = frontier.root();
  for (const [size, then] of [...roots].filter((_, at) => at % 9 === 0)) {
    assert.ok((await fresh.root(size)).equals(then), `root of ${size} afterwards`);
    assert.ok(verifyConsistency(size, then, SIZE, root, await fresh.hashes(consistencyRanges(size, SIZE))));
    assert.ok(verifyInclusion(leaf(size - 1), size - 1, SIZE, await fresh.hashes(inclusionRanges(size - 1, SIZE)), root));
  }
  const before = rows.queries;
  await fresh.hashes(inclusionRanges(300, SIZE));
  const cold = rows.queries - before;
  await fresh.hashes(inclusionRanges(301, SIZE));
  assert.equal(rows.queries - before, cold, "a full tile is read once");
});

test("a tile read while its last leaves are not committed yet is whole afterwards, and was never read from the database", async () => {
  const rows = new Rows();
  const tree = await LogTree.load(rows, 0);
  rows.stored.push(...tree.append(hashes(0, 250)));
  const before = rows.queries;
  const uncommitted = tree.append(hashes(250, 260));
  assert.ok((await tree.tile(0, 0, 250)).bytes(250).equals(Buffer.concat(hashes(0, 250))), "a reader of the committed 250");
  rows.stored.push(...uncommitted);
  assert.ok((await tree.tile(0, 0, 256)).bytes().equals(Buffer.concat(hashes(0, 256))));
  assert.equal(rows.queries, before, "what was appended here is at hand");
  const read = await LogTree.load(rows, 260);
  assert.ok((await read.tile(0, 0, 256)).bytes().equals(Buffer.concat(hashes(0, 256))));
});

test("hashes that are missing are a fault, not a shorter answer", async () => {
  const rows = new Rows();
  const made = await LogTree.load(rows, 0);
  rows.stored.push(...made.append(hashes(0, 100)), ...made.append(hashes(100, 600)));
  const tree = await LogTree.load(rows, 600);
  rows.stored.splice(0, 1);
  await assert.rejects(tree.tile(0, 0, 256), /has 0 of 256 hashes/);
  await assert.rejects(LogTree.load(new Rows(), 5), /has 0 of 5 hashes/);
});
