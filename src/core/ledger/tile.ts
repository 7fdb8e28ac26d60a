import { Buffer } from "node:buffer";
import { HASH_BYTES, type NodeAt, nodeHash } from "./tree.ts";

/** C2SP tlog-tiles: a tile is a subtree of height 8, stored as its bottom row of up to 256 hashes. */
export const TILE_HEIGHT = 8;
export const TILE_WIDTH = 256;
/** 256^8 leaves: more than a safe integer counts. */
export const TILE_LEVEL_MAX = 6;

/** Row r holds 2^(8-r) hashes, behind those below it. */
const rowBegin = (row: number): number => 2 * TILE_WIDTH - 2 ** (TILE_HEIGHT + 1 - row);

/** One tile with the rows above its bottom, so that a node inside it is never hashed twice: 16 KiB in one piece, for logs keep many of them. */
export class Tile {
  private readonly hashes = Buffer.allocUnsafeSlow((2 * TILE_WIDTH - 1) * HASH_BYTES);
  private filled = 0;

  static of(hashes: Uint8Array): Tile {
    if (hashes.length % HASH_BYTES !== 0 || hashes.length > TILE_WIDTH * HASH_BYTES) throw new RangeError(`${hashes.length} bytes are no tile`);
    const tile = new Tile();
    for (let at = 0; at < hashes.length; at += HASH_BYTES) tile.push(hashes.subarray(at, at + HASH_BYTES));
    return tile;
  }

  get width(): number {
    return this.filled;
  }

  push(hash: Uint8Array): void {
    if (this.filled === TILE_WIDTH) throw new RangeError("the tile is full");
    let carried = hash;
    for (let row = 0, index = this.filled; ; row += 1, index = (index - 1) / 2) {
      this.hashes.set(carried, (rowBegin(row) + index) * HASH_BYTES);
      if (index % 2 === 0 || row === TILE_HEIGHT) break;
      carried = nodeHash(this.at(row, index - 1), carried);
    }
    this.filled += 1;
  }

  /** The node `row` rows above the bottom; undefined when its leaves are not all here yet. */
  node(row: number, index: number): Buffer | undefined {
    return row >= 0 && row <= TILE_HEIGHT && index >= 0 && (index + 1) * 2 ** row <= this.filled ? this.at(row, index) : undefined;
  }

  /** The root of a full tile: one hash of the tile above. */
  root(): Buffer | undefined {
    return this.node(TILE_HEIGHT, 0);
  }

  /** The first `width` hashes of the bottom row, concatenated; a copy. */
  bytes(width: number = this.width): Buffer {
    if (width < 1 || width > this.width) throw new RangeError(`a tile of ${this.width} has no width ${width}`);
    return Buffer.from(this.hashes.subarray(0, width * HASH_BYTES));
  }

  private at(row: number, index: number): Buffer {
    const begin = (rowBegin(row) + index) * HASH_BYTES;
    return this.hashes.subarray(begin, begin + HASH_BYTES);
  }
}

/** Which tile holds a node, and where in it. */
export function tileOfNode(node: NodeAt): { readonly level: number; readonly n: number; readonly row: number; readonly index: number } {
  const level = Math.floor(node.level / TILE_HEIGHT);
  const row = node.level % TILE_HEIGHT;
  const perTile = 2 ** (TILE_HEIGHT - row);
  const n = Math.floor(node.index / perTile);
  return { level, n, row, index: node.index - n * perTile };
}

/** floor(size / 256^level): how many hashes the tree of `size` has at a tile level. */
export function hashesAtLevel(size: number, level: number): number {
  return Math.floor(size / TILE_WIDTH ** level);
}

/** How wide tile `n` at `level` is in a tree of `size`: 256, 1–255 for the last one, or 0 when there is none. */
export function tileWidth(size: number, level: number, n: number): number {
  return Math.max(0, Math.min(TILE_WIDTH, hashesAtLevel(size, level) - n * TILE_WIDTH));
}

export interface TilePath {
  readonly level: number | "entries";
  readonly n: number;
  /** 1–255 for a partial tile; absent: full. */
  readonly width?: number;
}

/** `tile/0/x001/x234/067.p/8` → level 0, n 1234067, width 8; undefined for anything a log would not serve. */
export function parseTilePath(path: string): TilePath | undefined {
  const match = /^tile\/(entries|0|[1-9]\d?)\/((?:x\d{3}\/){0,4}\d{3})(?:\.p\/([1-9]\d{0,2}))?$/.exec(path);
  if (!match) return undefined;
  const groups = (match[2] as string).split("/").map((part) => part.slice(-3));
  if (groups.length > 1 && groups[0] === "000") return undefined;
  const n = Number(groups.join(""));
  const level = match[1] === "entries" ? "entries" : Number(match[1]);
  const width = match[3] === undefined ? undefined : Number(match[3]);
  if (level !== "entries" && level > 63) return undefined;
  if (width !== undefined && width >= TILE_WIDTH) return undefined;
  return { level, n, ...(width === undefined ? {} : { width }) };
}

export function formatTilePath({ level, n, width }: TilePath): string {
  const digits = String(n);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, "0").match(/\d{3}/g) as string[];
  const path = groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join("/");
  return `tile/${level}/${path}${width === undefined ? "" : `.p/${width}`}`;
}

/** C2SP entry bundle: each entry behind its big-endian uint16 length. Ours are the 32-byte leaf data. */
export function entriesBundleOf(leaves: readonly Uint8Array[]): Buffer {
  return Buffer.concat(leaves.flatMap((leaf) => [uint16(leaf.length), leaf]));
}

/** The leaf data in a bundle of exactly `width` entries of 32 bytes; undefined for any other bytes. */
export function leavesOfBundle(bytes: Uint8Array, width: number): readonly Buffer[] | undefined {
  const step = 2 + HASH_BYTES;
  if (bytes.length !== width * step) return undefined;
  const all = Buffer.from(bytes);
  const leaves: Buffer[] = [];
  for (let at = 0; at < all.length; at += step) {
    if (all.readUInt16BE(at) !== HASH_BYTES) return undefined;
    leaves.push(all.subarray(at + 2, at + step));
  }
  return leaves;
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}
