import type { Buffer } from "node:buffer";
import { type Checkpoint, leavesOfBundle, TileRebuild, TILE_WIDTH } from "../../core/ledger/pure.ts";
import type { Failure } from "../failures.ts";
import { entriesTilePath } from "./layout.ts";

/** How far the check came. */
export interface TreeCheck {
  readonly entries: number;
  readonly tiles: number;
  /** The roots over the first entries that were asked for, as far as it came. */
  readonly roots: ReadonlyMap<number, Buffer>;
  /** The first thing that is wrong; nothing after it was looked at. */
  readonly failure?: Failure;
}

export interface TreeWatch {
  /** Told after each bundle of 256 commitments how many entries were read; waited for. */
  readonly seen?: (entries: number) => void | Promise<void>;
  /** Sizes of older trees whose roots are wanted. */
  readonly rootsAt?: ReadonlySet<number>;
}

/**
 * Reads a log's commitments and tiles, each once, and makes the tree again from the commitments: each tile must be the one that they give,
 * and the root the one that was signed. Memory does not grow with the log.
 * @param read gives a file of the log by its path; it may fetch it, keep it, or throw.
 */
export async function checkTree(checkpoint: Pick<Checkpoint, "size" | "root">, read: (path: string) => Promise<Buffer>, watch: TreeWatch = {}): Promise<TreeCheck> {
  const { size, root } = checkpoint;
  const rebuild = new TileRebuild();
  const roots = new Map<number, Buffer>();
  const note = () => {
    if (watch.rootsAt?.has(rebuild.size)) roots.set(rebuild.size, rebuild.root());
  };
  let tiles = 0;
  const wrong = (what: string, expected: string, found: string): TreeCheck => ({ entries: rebuild.size, tiles, roots, failure: { what, expected, found } });
  const differs = async (expected: readonly { readonly path: string; readonly bytes: Buffer }[]): Promise<string | undefined> => {
    for (const { path, bytes } of expected) {
      if (!bytes.equals(await read(path))) return path;
      tiles += 1;
    }
    return undefined;
  };
  note();
  for (let n = 0; n * TILE_WIDTH < size; n += 1) {
    const path = entriesTilePath(n, size);
    const width = Math.min(TILE_WIDTH, size - n * TILE_WIDTH);
    const leaves = leavesOfBundle(await read(path), width);
    if (!leaves) return wrong(path, `${width} commitments of 32 bytes`, "other bytes");
    tiles += 1;
    for (const leaf of leaves) {
      const path = await differs(rebuild.push(leaf));
      if (path !== undefined) return wrong(path, "the hashes that the commitments below it give", "others");
      note();
    }
    await watch.seen?.(rebuild.size);
  }
  const path = await differs(rebuild.partial());
  if (path !== undefined) return wrong(path, "the hashes that the commitments below it give", "others");
  if (!rebuild.root().equals(root)) return wrong("checkpoint", `the root ${root.toString("base64")}, which it signs`, `a tree with the root ${rebuild.root().toString("base64")}`);
  return { entries: rebuild.size, tiles, roots };
}
