import assert from "node:assert/strict";
import test from "node:test";
import { sha256 } from "../../kernel/index.ts";
import { hashesAtLevel, parseTilePath, TILE_WIDTH, tileWidth } from "./tile.ts";
import { TileRebuild } from "./tile-rebuild.ts";
import { foldRange, leafHash, nodeHash } from "./tree.ts";

const leafOf = (n: number) => sha256(`leaf ${n}`);

/** RFC 6962 §2.1, word for word. */
function mth(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return foldRange([]);
  if (leaves.length === 1) return leafHash(leaves[0] as Buffer);
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return nodeHash(mth(leaves.slice(0, k)), mth(leaves.slice(k)));
}

test("root and right edge are those of the tree, at every size around a tile's end", () => {
  for (const size of [0, 1, 2, 3, 255, 256, 257, 511, 512, 513]) {
    const rebuild = new TileRebuild();
    const leaves = Array.from({ length: size }, (_, n) => leafOf(n));
    const full = leaves.flatMap((leaf) => rebuild.push(leaf));
    assert.deepEqual(rebuild.root(), mth(leaves), `${size}`);
    for (const { path, bytes } of [...full, ...rebuild.partial()]) {
      const { level, n, width = TILE_WIDTH } = parseTilePath(path) as { level: number; n: number; width?: number };
      assert.equal(width, tileWidth(size, level, n), path);
      const span = TILE_WIDTH ** level;
      const expected = Array.from({ length: width }, (_, at) => mth(leaves.slice((n * TILE_WIDTH + at) * span, (n * TILE_WIDTH + at + 1) * span)));
      assert.deepEqual(bytes, Buffer.concat(expected), path);
    }
  }
});

test("no tile is missing or made twice, up to the third level", () => {
  const size = TILE_WIDTH ** 2 + 300;
  const rebuild = new TileRebuild();
  const paths: string[] = [];
  for (let n = 0; n < size; n += 1) paths.push(...rebuild.push(leafOf(n)).map(({ path }) => path));
  paths.push(...rebuild.partial().map(({ path }) => path));
  const tiles = [0, 1, 2].flatMap((level) => Array.from({ length: Math.ceil(hashesAtLevel(size, level) / TILE_WIDTH) }, (_, n) => `${level} ${n} ${tileWidth(size, level, n)}`));
  assert.deepEqual(
    paths.map((path) => parseTilePath(path)).map((tile) => `${tile?.level} ${tile?.n} ${tile?.width ?? TILE_WIDTH}`).sort(),
    tiles.sort(),
  );
});
