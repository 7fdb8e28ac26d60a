import assert from "node:assert/strict";
import test from "node:test";
import { InclusionRun } from "./inclusion-run.ts";
import { foldRange, inclusionRanges, leafHash, type NodeAt, nodeHash, rootRange, verifyInclusion } from "./tree.ts";

const leaf = (index: number) => Buffer.alloc(32, index % 251);
const node = ({ level, index }: NodeAt): Buffer => (level === 0 ? leafHash(leaf(index)) : nodeHash(node({ level: level - 1, index: 2 * index }), node({ level: level - 1, index: 2 * index + 1 })));
const proofOf = (index: number, size: number) => inclusionRanges(index, size).map((range) => foldRange(range.map(node)).toString("base64"));
const rootOf = (size: number) => foldRange(rootRange(size).map(node));

test("every entry of every small tree, in order, backwards and in leaps", () => {
  for (let size = 1; size <= 67; size += 1) {
    const root = rootOf(size);
    const forwards = Array.from({ length: size }, (_, index) => index);
    for (const order of [forwards, forwards.toReversed(), forwards.map((index) => (index * 29) % size)]) {
      const run = new InclusionRun(size, root);
      for (const index of order) assert.ok(run.verify(leaf(index), index, proofOf(index, size)), `${index} of ${size}`);
    }
  }
});

test("after any number of good ones, a proof is refused for whatever a proof alone is refused for", () => {
  let refused = 0;
  for (const size of [1, 2, 7, 8, 37, 64, 65]) {
    const root = rootOf(size);
    for (let index = 0; index < size; index += 1) {
      const good = proofOf(index, size);
      const bent = (at: number) => good.map((hash, place) => (place === at ? Buffer.from(hash, "base64").fill(7, 31).toString("base64") : hash));
      const wrong: [Buffer, number, readonly string[]][] = [
        [leaf(index + 1), index, good], [leaf(index), index + 1, good], [leaf(index), index - 1, good], [leaf(index), index, good.slice(1)], [leaf(index), index, good.slice(0, -1)],
        [leaf(index), index, [...good, root.toString("base64")]], ...good.map((_, at): [Buffer, number, readonly string[]] => [leaf(index), index, bent(at)]),
        [leaf(index), index, good.map((hash) => hash.replace("=", ""))],
      ];
      for (const [data, place, proof] of wrong) {
        const run = new InclusionRun(size, root);
        for (let before = Math.max(0, index - 3); before <= index; before += 1) assert.ok(run.verify(leaf(before), before, proofOf(before, size)));
        const alone = verifyInclusion(data, place, size, proof.map((hash) => Buffer.from(hash, "base64")), root) && proof.every((hash) => hash.length === 44 && hash.endsWith("="));
        assert.equal(run.verify(data, place, proof), alone, `${place} of ${size}`);
        if (!alone) refused += 1;
        assert.ok(run.verify(leaf(index), index, good), "and the good one is still good");
      }
    }
  }
  assert.ok(refused > 1_000, `${refused} refused`);
});
