import { Fault } from "../../kernel/index.ts";
import { bigintArray, type Bound, byteaArray, type Statement, type Store } from "../store/index.ts";
import { hashesAtLevel, Tile, TILE_LEVEL_MAX, TILE_WIDTH, tileOfNode, tileWidth } from "./tile.ts";
import { foldRange, HASH_BYTES, type NodeAt, type Range, rootRange } from "./tree.ts";

/** Full tiles in memory, 16 KiB each: of leaves the latest, above them all that a log of 67 million entries has. */
const LEAF_TILES_CACHED_MAX = 128;
const UPPER_TILES_CACHED_MAX = 1_024;

/** Consecutive hashes at a tile level, as one row stores them. */
export interface NodeRun {
  readonly level: number;
  readonly first: number;
  readonly hashes: Buffer;
}

type Reads = Pick<Store, "select">;

/**
 * The stored tree: its right edge in memory, everything else in ledger_node, read tile by tile. Only the sequencer appends. What
 * it appended before its COMMIT is never asked for, because sizes and proofs are of committed entries; after a failed COMMIT it
 * throws this object away and loads a new one.
 */
export class LogTree {
  private readonly store: Reads;
  private readonly edge: { n: number; tile: Tile }[];
  private readonly leafTiles = new Map<number, Tile>();
  private readonly upperTiles = new Map<number, Tile>();

  private constructor(store: Reads, edge: { n: number; tile: Tile }[]) {
    this.store = store;
    this.edge = edge;
  }

  static async load(store: Reads, size: number): Promise<LogTree> {
    const edge: { n: number; tile: Tile }[] = [];
    for (let level = 0; level === 0 || hashesAtLevel(size, level) > 0; level += 1) {
      const n = Math.floor(hashesAtLevel(size, level) / TILE_WIDTH);
      const width = tileWidth(size, level, n);
      edge.push({ n, tile: width === 0 ? new Tile() : await loadTile(store, level, n, width) });
    }
    return new LogTree(store, edge);
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
        this.remember(level, end.n, end.tile);
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
    for (const node of range) hashes.push(this.heldNode(node) ?? (await this.node(node)));
    return foldRange(hashes);
  }

  /** Most of what proofs of new entries are made of is at hand: nothing is waited for then. */
  private heldNode(at: NodeAt): Buffer | undefined {
    const { level, n, row, index } = tileOfNode(at);
    return this.held(level, n, (index + 1) * 2 ** row)?.node(row, index);
  }

  private async node(at: NodeAt): Promise<Buffer> {
    const { level, n, row, index } = tileOfNode(at);
    const hash = (await this.tile(level, n, (index + 1) * 2 ** row)).node(row, index);
    if (!hash) throw new Fault("LEDGER_NODE_MISSING", `the tree has no node ${at.index} at level ${at.level}`, { hint: "nexus ledger fsck" });
    return hash;
  }

  /** A tile with at least `width` hashes. */
  async tile(level: number, n: number, width: number): Promise<Tile> {
    const held = this.held(level, n, width);
    if (held) return held;
    const tile = await loadTile(this.store, level, n, width);
    if (tile.width === TILE_WIDTH) this.remember(level, n, tile);
    return tile;
  }

  private held(level: number, n: number, width: number): Tile | undefined {
    const end = this.edge[level];
    if (end?.n === n && end.tile.width >= width) return end.tile;
    const cache = this.cacheOf(level);
    const key = keyOf(level, n);
    const cached = cache.get(key);
    if (!cached) return undefined;
    // Newest last: the first in a Map is the one that was not used for longest.
    cache.delete(key);
    cache.set(key, cached);
    return cached;
  }

  private remember(level: number, n: number, full: Tile): void {
    const cache = this.cacheOf(level);
    cache.set(keyOf(level, n), full);
    if (cache.size > (level === 0 ? LEAF_TILES_CACHED_MAX : UPPER_TILES_CACHED_MAX)) cache.delete(cache.keys().next().value as number);
  }

  /** Apart: every proof wants a tile of leaves that few others want, and the same ones above. */
  private cacheOf(level: number): Map<number, Tile> {
    return level === 0 ? this.leafTiles : this.upperTiles;
  }
}

function keyOf(level: number, n: number): number {
  return n * (TILE_LEVEL_MAX + 1) + level;
}

/** The run that holds the tile's first hash may have begun long before it: only what lies in the tile is read and sent. */
const RUNS_OF_TILE: Statement = {
  name: "ledger runs of a tile",
  text: `SELECT greatest(first, $2::bigint) AS first, substring(hashes FROM (greatest($2::bigint - first, 0) * ${HASH_BYTES} + 1)::int FOR ${TILE_WIDTH * HASH_BYTES}) AS hashes
       FROM ledger_node
      WHERE level = $1 AND first < $3
        AND first >= coalesce((SELECT max(first) FROM ledger_node WHERE level = $1 AND first <= $2), 0)
      ORDER BY ledger_node.first`,
};

async function loadTile(store: Reads, level: number, n: number, width: number): Promise<Tile> {
  const start = n * TILE_WIDTH;
  const runs = await store.select<{ first: number; hashes: Buffer }>(RUNS_OF_TILE, [level, start, start + TILE_WIDTH]);
  const bytes = Buffer.alloc(TILE_WIDTH * HASH_BYTES);
  let end = start;
  for (const run of runs) {
    if (run.first !== end) break;
    const fresh = run.hashes.subarray(0, (start + TILE_WIDTH - end) * HASH_BYTES);
    fresh.copy(bytes, (end - start) * HASH_BYTES);
    end += fresh.length / HASH_BYTES;
  }
  if (end - start < width)
    throw new Fault("LEDGER_NODE_MISSING", `tile ${n} at level ${level} has ${end - start} of ${width} hashes`, { hint: "nexus ledger fsck" });
  return Tile.of(bytes.subarray(0, (end - start) * HASH_BYTES));
}

const INSERT_RUNS = { name: "ledger runs", text: "INSERT INTO ledger_node (level, first, hashes) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bytea[])" };

export function insertRuns(runs: readonly NodeRun[]): Bound {
  return { statement: INSERT_RUNS, params: [bigintArray(runs.map(({ level }) => level)), bigintArray(runs.map(({ first }) => first)), byteaArray(runs.map(({ hashes }) => hashes))] };
}
