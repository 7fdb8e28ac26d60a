import assert from "node:assert/strict";
import test from "node:test";
import { entriesBundleOf, formatTilePath, parseTilePath, tileWidth } from "./tile.ts";

test("tile paths are the ones of C2SP tlog-tiles", () => {
  const paths = {
    "tile/0/000": { level: 0, n: 0 },
    "tile/1/x001/x234/067": { level: 1, n: 1_234_067 },
    "tile/0/273.p/112": { level: 0, n: 273, width: 112 },
    "tile/entries/x001/000.p/1": { level: "entries", n: 1_000, width: 1 },
    "tile/63/999.p/255": { level: 63, n: 999, width: 255 },
  } as const;
  for (const [path, tile] of Object.entries(paths)) {
    assert.deepEqual(parseTilePath(path), tile);
    assert.equal(formatTilePath(tile), path);
  }
});

test("no other spelling is a tile", () => {
  for (const path of [
    "tile/0/0",
    "tile/00/000",
    "tile/64/000",
    "tile/-1/000",
    "tile/0/x000/001",
    "tile/0/001/002",
    "tile/0/x01/002",
    "tile/0/000.p/0",
    "tile/0/000.p/256",
    "tile/0/000.p/01",
    "tile/data/000",
    "tile/0/000/",
    "tile/0/000\n",
    "/tile/0/000",
    "tile/0/x999/x999/x999/x999/x999/999",
    "tile/0/..",
    "",
    "tile/0/000.p/",
    "tile/entries/entries",
  ])
    assert.equal(parseTilePath(path), undefined, path);
});

test("widths of a tree of 70,000 are those of the specification's example", () => {
  assert.equal(tileWidth(70_000, 0, 272), 256);
  assert.equal(tileWidth(70_000, 0, 273), 112);
  assert.equal(tileWidth(70_000, 0, 274), 0);
  assert.equal(tileWidth(70_000, 1, 0), 256);
  assert.equal(tileWidth(70_000, 1, 1), 17);
  assert.equal(tileWidth(70_000, 2, 0), 1);
  assert.equal(tileWidth(70_000, 3, 0), 0);
});

test("an entry bundle puts each leaf behind its length", () => {
  assert.equal(entriesBundleOf([Buffer.from("aa", "hex"), Buffer.alloc(256, 1)]).toString("hex"), `0001aa0100${"01".repeat(256)}`);
  assert.equal(entriesBundleOf([]).length, 0);
});
