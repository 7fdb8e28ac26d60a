import { Fault } from "../../kernel/index.ts";
import type { ReadTx, Tx } from "../store/index.ts";
import { hashesAtLevel, Tile, TILE_LEVEL_MAX, TILE_WIDTH, tileOfNode, tileWidth } from "./tile.ts";
import { foldRange, HASH_BYTES, type NodeAt, type Range, rootRange } from "./tree.ts";

/** 256 full tiles with the rows above them: about 8 MB. */
const TILES_CACHED_MAX = 256;

/** Consecutive hashes at a tile level, as one row stores them. */
export interface NodeRun {
  readonly level: number;
  readonly first: number;
  readonly hashes: Buffer;
}

type Read = <T>(fn: (tx: ReadTx) => Promise<T>) => Promise<T>;

/**
 * The stored tree: its right edge in memory, everything else in ledger_node, read tile by tile. Only the sequencer appends. What
 * it appended before its COMMIT is never asked for, because sizes and proofs are of committed entries; after a failed COMMIT it
 * throws this object away and loads a new one.
 */
export class LogTree {
  private readonly read: Read;
  private readonly edge: { n: number; tile: Tile }[];
  private readonly cache = new Map<string, Tile>();

  private constructor(read: Read, edge: { n: number; tile: Tile }[]) {
    this.read = read;
    this.edge = edge;
  }

  static async load(read: Read, size: number): Promise<LogTree> {
    const edge: { n: number; tile: Tile }[] = [];
    await read(async (tx) => {
      for (let level = 0; level === 0 || hashesAtLevel(size, level) > 0; level += 1) {
        const n = Math.floor(hashesAtLevel(size, level) / TILE_WIDTH);
        const width = tileWidth(size, level, n);
        edge.push({ n, tile: width === 0 ? new Tile() : await loadTile(tx, level, n, width) });
      }
    });
    return new LogTree(read, edge);
  }

  /** Adds leaf hashes and returns the rows that store them and the full tiles they completed. */
  append(leafHashes: readonly Buffer[]): readonly NodeRun[] {
    const runs: NodeRun[] = [];
    let row = leafHashes;
    for (let level = 0; row.length > 0; level += 1) {
      if (level > TILE_LEVEL_MAX) throw new Fault("LEDGER_FULL", "the log holds as many entries as a safe integer can count");
      const above: Buffer[] = [];
      let end = this.edge[level] ?? { n: 0, tile: new Tile() };
      runs.push({ level, first: end.n * TILE_WIDTH + end.tile.width, hashes: Buffer.concat(row) });
      for (const hash of row) {
        end.tile.push(hash);
        const root = end.tile.root();
        if (!root) continue;
        above.push(root);
        end = { n: end.n + 1, tile: new Tile() };
      }
      this.edge[level] = end;
      row = above;
    }
    return runs;
  }

  async root(size: number): Promise<Buffer> {
    return await this.fold(rootRange(size));
  }

  async hashes(ranges: readonly Range[]): Promise<readonly Buffer[]> {
    const folded: Buffer[] = [];
    for (const range of ranges) folded.push(await this.fold(range));
    return folded;
  }

  private async fold(range: Range): Promise<Buffer> {
    const hashes: Buffer[] = [];
    for (const node of range) hashes.push(await this.node(node));
    return foldRange(hashes);
  }

  private async node(at: NodeAt): Promise<Buffer> {
    const { level, n, row, index } = tileOfNode(at);
    const hash = (await this.tile(level, n, (index + 1) * 2 ** row)).node(row, index);
    if (!hash) throw new Fault("LEDGER_NODE_MISSING", `the tree has no node ${at.index} at level ${at.level}`, { hint: "nexus ledger fsck" });
    return hash;
  }

  /** A tile with at least `width` hashes. */
  async tile(level: number, n: number, width: number): Promise<Tile> {
    const end = this.edge[level];
    if (end?.n === n && end.tile.width >= width) return end.tile;
    const key = `${level}/${n}`;
    const cached = this.cache.get(key);
    if (cached) {
      // Newest last: the first in a Map is the one that was not used for longest.
      this.cache.delete(key);
      this.cache.set(key, cached);
      return cached;
    }
    const tile = await this.read((tx) => loadTile(tx, level, n, width));
    if (tile.width === TILE_WIDTH) {
      this.cache.set(key, tile);
      if (this.cache.size > TILES_CACHED_MAX) this.cache.delete(this.cache.keys().next().value as string);
    }
    return tile;
  }
}

async function loadTile(tx: ReadTx, level: number, n: number, width: number): Promise<Tile> {
  const start = n * TILE_WIDTH;
  // The run that holds the tile's first hash may have begun before it.
  const runs = await tx.query<{ first: number; hashes: Buffer }>(
    `SELECT first, hashes FROM ledger_node
      WHERE level = $1 AND first < $3
        AND first >= coalesce((SELECT max(first) FROM ledger_node WHERE level = $1 AND first <= $2), 0)
      ORDER BY first`,
    [level, start, start + TILE_WIDTH],
  );
  const bytes = Buffer.alloc(TILE_WIDTH * HASH_BYTES);
  let end = start;
  for (const run of runs) {
    const skip = end - run.first;
    if (skip < 0) break;
    const fresh = run.hashes.subarray(skip * HASH_BYTES);
    fresh.copy(bytes, (end - start) * HASH_BYTES);
    end = Math.min(end + fresh.length / HASH_BYTES, start + TILE_WIDTH);
  }
  if (end - start < width)
    throw new Fault("LEDGER_NODE_MISSING", `tile ${n} at level ${level} has ${end - start} of ${width} hashes`, { hint: "nexus ledger fsck" });
  return Tile.of(bytes.subarray(0, (end - start) * HASH_BYTES));
}

export async function insertRuns(tx: Tx, runs: readonly NodeRun[]): Promise<void> {
  await tx.run("INSERT INTO ledger_node (level, first, hashes) SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::bytea[])", [
    runs.map((run) => run.level),
    runs.map((run) => run.first),
    runs.map((run) => run.hashes),
  ]);
}
