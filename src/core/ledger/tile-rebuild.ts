import type { Buffer } from "node:buffer";
import { Frontier } from "./frontier.ts";
import { formatTilePath, Tile, TILE_WIDTH } from "./tile.ts";
import { leafHash } from "./tree.ts";

/** A tile as the leaves before it say it must be. */
export interface RebuiltTile {
  /** As it is asked for, e.g. `tile/0/x001/067.p/8`. */
  readonly path: string;
  readonly bytes: Buffer;
}

/**
 * Makes the tiles of C2SP tlog-tiles once more from leaf data alone, first to last, with one tile of each level in memory: for whoever
 * holds a log's commitments and will not take its tiles, or its root, on trust.
 */
export class TileRebuild {
  private readonly edge: { n: number; tile: Tile }[] = [];
  private readonly frontier = new Frontier();

  get size(): number {
    return this.frontier.size;
  }

  /** Adds an entry's 32 bytes; returns the tiles that it filled, lowest first. */
  push(leaf: Uint8Array): readonly RebuiltTile[] {
    const full: RebuiltTile[] = [];
    let hash: Buffer | undefined = leafHash(leaf);
    this.frontier.push(hash);
    for (let level = 0; hash; level += 1) {
      const end = this.edge[level] ?? { n: 0, tile: new Tile() };
      this.edge[level] = end;
      end.tile.push(hash);
      hash = end.tile.root();
      if (!hash) break;
      full.push({ path: formatTilePath({ level, n: end.n }), bytes: end.tile.bytes() });
      this.edge[level] = { n: end.n + 1, tile: new Tile() };
    }
    return full;
  }

  /** The tiles at the right edge that are not full, lowest first. */
  partial(): readonly RebuiltTile[] {
    return this.edge.flatMap(({ n, tile }, level) =>
      tile.width === 0 || tile.width === TILE_WIDTH ? [] : [{ path: formatTilePath({ level, n, width: tile.width }), bytes: tile.bytes() }],
    );
  }

  /** RFC 6962 §2.1: the tree head of what was pushed. */
  root(): Buffer {
    return this.frontier.root();
  }
}
