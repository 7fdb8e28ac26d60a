import assert from "node:assert/strict";
import { hash } from "node:crypto";
import test from "node:test";
import { Frontier } from "./frontier.ts";
import { Tile, TILE_HEIGHT, TILE_WIDTH, tileOfNode } from "./tile.ts";
import {
  consistencyRanges,
  EMPTY_ROOT,
  foldRange,
  inclusionRanges,
  leafHash,
  type NodeAt,
  nodeHash,
  type Range,
  rootRange,
  verifyConsistency,
  verifyInclusion,
} from "./tree.ts";

const SIZE_MAX = 600;
const leaves = Array.from({ length: SIZE_MAX }, (_, index) => hash("sha256", `leaf ${index}`, "buffer"));

/** RFC 6962 §2.1 word by word, remembered by range. */
const memory = new Map<string, Buffer>();
function naiveRoot(from: number, to: number): Buffer {
  const size = to - from;
  if (size === 0) return hash("sha256", "", "buffer");
  const key = `${from}-${to}`;
  let root = memory.get(key);
  if (!root) {
    if (size === 1) root = hash("sha256", Buffer.concat([Buffer.from([0]), leaves[from] as Buffer]), "buffer");
    else {
      const k = splitOf(size);
      root = hash("sha256", Buffer.concat([Buffer.from([1]), naiveRoot(from, from + k), naiveRoot(from + k, to)]), "buffer");
    }
    memory.set(key, root);
  }
  return root;
}
function splitOf(size: number): number {
  let k = 1;
  while (k * 2 < size) k *= 2;
  return k;
}
function naivePath(m: number, from: number, to: number): Buffer[] {
  if (to - from === 1) return [];
  const k = splitOf(to - from);
  if (m < k) return [...naivePath(m, from, from + k), naiveRoot(from + k, to)];
  return [...naivePath(m - k, from + k, to), naiveRoot(from, from + k)];
}
function naiveSubproof(m: number, from: number, to: number, whole: boolean): Buffer[] {
  if (m === to - from) return whole ? [] : [naiveRoot(from, to)];
  const k = splitOf(to - from);
  if (m <= k) return [...naiveSubproof(m, from, from + k, whole), naiveRoot(from + k, to)];
  return [...naiveSubproof(m - k, from + k, to, false), naiveRoot(from, from + k)];
}

const node = ({ level, index }: NodeAt) => naiveRoot(index * 2 ** level, (index + 1) * 2 ** level);
const fold = (ranges: readonly Range[]) => ranges.map((range) => foldRange(range.map(node)));
const samples = (size: number) =>
  size <= 40
    ? Array.from({ length: size }, (_, i) => i)
    : [0, 1, size >> 1, (size >> 1) + 1, size - 2, size - 1, (size * 7) % size, (size * 31 + 5) % size];

test("published roots of RFC 6962's test data", () => {
  const inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"].map((hex) =>
    Buffer.from(hex, "hex"),
  );
  const roots = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
  ];
  const frontier = new Frontier();
  assert.equal(frontier.root().toString("hex"), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  for (const [at, input] of inputs.entries()) {
    frontier.push(leafHash(input));
    assert.equal(frontier.root().toString("hex"), roots[at]);
  }
});

test("roots, inclusion and consistency of every size up to 600 equal the recursive definition", () => {
  const frontier = new Frontier();
  assert.ok(foldRange(rootRange(0).map(node)).equals(EMPTY_ROOT));
  for (let size = 1; size <= SIZE_MAX; size += 1) {
    frontier.push(leafHash(leaves[size - 1] as Buffer), (at, hashed) => assert.ok(hashed.equals(node(at)), `node ${at.level}/${at.index}`));
    const root = naiveRoot(0, size);
    assert.ok(frontier.root().equals(root), `frontier of ${size}`);
    assert.ok(foldRange(rootRange(size).map(node)).equals(root), `root of ${size}`);
    for (const index of samples(size)) {
      const proof = fold(inclusionRanges(index, size));
      assert.deepEqual(proof, naivePath(index, 0, size), `inclusion of ${index} in ${size}`);
      const leaf = leaves[index] as Buffer;
      assert.ok(verifyInclusion(leaf, index, size, proof, root));
      assert.ok(!verifyInclusion(leaves[(index + 1) % SIZE_MAX] as Buffer, index, size, proof, root), "another leaf");
      if (size > 1) assert.ok(!verifyInclusion(leaf, (index + 1) % size, size, proof, root), `another place: ${index} in ${size}`);
      assert.ok(!verifyInclusion(leaf, index, size, [...proof, root], root), "a longer proof");
      if (proof.length > 0) assert.ok(!verifyInclusion(leaf, index, size, proof.slice(1), root), "a shorter proof");
    }
    for (const from of samples(size).concat(size)) {
      const proof = fold(consistencyRanges(from, size));
      const old = naiveRoot(0, from);
      assert.deepEqual(proof, from === 0 || from === size ? [] : naiveSubproof(from, 0, size, true), `consistency from ${from} to ${size}`);
      assert.ok(verifyConsistency(from, old, size, root, proof));
      assert.ok(!verifyConsistency(from, leaves[0] as Buffer, size, root, proof), "another old root");
      if (from > 0) assert.ok(!verifyConsistency(from, old, size, leaves[0] as Buffer, proof), "another new root");
      if (from > 0 && from < size) {
        assert.ok(!verifyConsistency(from, old, size, root, proof.slice(0, -1)), "a shorter proof");
        assert.ok(!verifyConsistency(from, old, size, root, [...proof, root]), "a longer proof");
        if (from + 1 < size) assert.ok(!verifyConsistency(from + 1, old, size, root, proof), "another size");
      }
    }
  }
});

test("nonsense is refused, not answered", () => {
  for (const size of [-1, 1.5, Number.NaN, 2 ** 53]) assert.throws(() => rootRange(size), RangeError);
  assert.throws(() => inclusionRanges(5, 5), RangeError);
  assert.throws(() => inclusionRanges(-1, 5), RangeError);
  assert.throws(() => consistencyRanges(6, 5), RangeError);
  const root = naiveRoot(0, 5);
  assert.ok(!verifyInclusion(leaves[0] as Buffer, -1, 5, [], root));
  assert.ok(!verifyInclusion(leaves[0] as Buffer, 5, 5, [], root));
  assert.ok(!verifyInclusion(leaves[0] as Buffer, 0.5, 5, [], root));
  assert.ok(!verifyConsistency(6, root, 5, root, []));
  assert.ok(!verifyConsistency(0, root, 5, root, []), "a tree of 0 has one root");
});

test("sizes beyond 2^32 are counted exactly", () => {
  const size = 2 ** 40 + 3;
  assert.deepEqual(rootRange(size), [
    { level: 40, index: 0 },
    { level: 1, index: 2 ** 39 },
    { level: 0, index: 2 ** 40 + 2 },
  ]);
  assert.equal(inclusionRanges(2 ** 39, size).length, 41);
});

test("a tile gives every node inside it, and its root when it is full", () => {
  const tile = new Tile();
  const level0 = leaves.slice(0, TILE_WIDTH).map((leaf) => leafHash(leaf));
  for (const [at, leaf] of level0.entries()) {
    assert.equal(tile.root(), undefined, `no root at ${at}`);
    tile.push(leaf);
  }
  assert.ok(tile.root()?.equals(naiveRoot(0, TILE_WIDTH)));
  for (let row = 0; row <= TILE_HEIGHT; row += 1)
    for (let index = 0; index < 2 ** (TILE_HEIGHT - row); index += 1)
      assert.ok(tile.node(row, index)?.equals(node({ level: row, index })), `${row}/${index}`);
  assert.throws(() => tile.push(level0[0] as Buffer), RangeError);
  assert.ok(
    Tile.of(tile.bytes())
      .root()
      ?.equals(tile.root() as Buffer),
  );
  assert.equal(Tile.of(tile.bytes(3)).node(1, 1), undefined, "half a node is none");
  assert.ok(nodeHash(level0[0] as Buffer, level0[1] as Buffer).equals(Tile.of(tile.bytes(3)).node(1, 0) as Buffer));
  assert.deepEqual(tileOfNode({ level: 0, index: 70_000 }), { level: 0, n: 273, row: 0, index: 112 });
  assert.deepEqual(tileOfNode({ level: 8, index: 273 }), { level: 1, n: 1, row: 0, index: 17 });
  assert.deepEqual(tileOfNode({ level: 7, index: 3 }), { level: 0, n: 1, row: 7, index: 1 });
});
