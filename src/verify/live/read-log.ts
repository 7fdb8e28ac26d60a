import type { Buffer } from "node:buffer";
import { type Checkpoint, formatTilePath, parseTilePath, TILE_WIDTH } from "../../core/ledger/pure.ts";
import { Counter, Failures } from "../failures.ts";
import { checkTree } from "../log/check-tree.ts";
import type { LogAddress } from "./address.ts";
import type { Answer, Fetcher } from "./fetcher.ts";
import { PAGE_BYTES_MAX, PublicBodies } from "./public-bodies.ts";
import { ReadAhead, readingOrder } from "./read-ahead.ts";

const HASH_BYTES = 32;
/** An entry of a bundle: its length in two bytes, then a commitment. */
const COMMITMENT_BYTES = 34;

/** Something that the log must have when its checkpoint is true, and does not serve. */
class NotServed extends Error {
  readonly path: string;
  readonly expected: string;

  constructor(path: string, expected: string, found: string) {
    super(found);
    this.path = path;
    this.expected = expected;
  }
}

export interface ReadLog {
  readonly entries: { readonly good: number; readonly of: number };
  readonly files: { readonly good: number; readonly of: number };
  readonly bodies: number;
  readonly bodiesShown: boolean;
  /** Empty when the tree is not the signed one. */
  readonly roots: ReadonlyMap<number, Buffer>;
}

/**
 * Fetches every commitment and every tile once, in order, and makes the tree again; bodies that are for everybody are judged while their
 * commitments pass. @param rootsAt sizes of older trees whose roots are wanted
 */
export async function readLog(fetcher: Fetcher, { prefix, bodies: bodiesAt }: LogAddress, checkpoint: Checkpoint, rootsAt: ReadonlySet<number>, failures: Failures, progress: (entries: number, size: number) => void): Promise<ReadLog> {
  const { size } = checkpoint;
  const bodies = new Counter();
  const bodyFailures = new Failures();
  const ahead = new ReadAhead(readingOrder(size), (path) => fetchTile(fetcher, prefix, path));
  let last: { path: string; bytes: Buffer } | undefined;
  let files = 0;
  const take = async (path: string): Promise<Buffer> => {
    const bytes = await ahead.take(path);
    files += 1;
    if (path.startsWith("tile/entries/")) last = { path, bytes };
    return bytes;
  };
  const page = (from: number): Promise<Answer> => (bodiesAt ? fetcher.get(new URL(`?from=${from}`, bodiesAt), PAGE_BYTES_MAX) : Promise.resolve({ ok: false, found: "no address", absent: true }));
  const shown = new PublicBodies(
    size,
    page,
    async (path) => {
      if (last?.path !== path) throw new TypeError(`the commitments of ${path} were asked for out of order`);
      return last.bytes;
    },
    bodies,
    bodyFailures,
  );
  const seen = async (entries: number) => {
    await shown.upTo(entries);
    progress(entries, size);
  };
  const tree = await (async () => {
    try {
      const checked = await checkTree(checkpoint, take, { seen, rootsAt });
      if (!checked.failure) return { roots: checked.roots };
      return checked.failure;
    } catch (error) {
      if (error instanceof NotServed) return { what: error.path, expected: error.expected, found: error.message };
      throw error;
    }
  })();
  if ("what" in tree) {
    // Nothing is said of bodies that were held against commitments which nobody signed.
    failures.add(tree.what, tree.expected, tree.found);
    return { entries: { good: 0, of: size }, files: { good: files, of: files + 1 }, bodies: 0, bodiesShown: false, roots: new Map() };
  }
  failures.addAll(bodyFailures);
  return { entries: { good: size, of: size }, files: { good: files, of: files }, bodies: bodies.good, bodiesShown: shown.shown === true, roots: tree.roots };
}

/** A tile in the width that belongs to the checkpoint. A log that has grown may have only the full one left (C2SP tlog-tiles): then its beginning. */
async function fetchTile(fetcher: Fetcher, prefix: URL, path: string): Promise<Buffer> {
  const tile = parseTilePath(path);
  if (!tile) throw new TypeError(`${path} is no tile`);
  const step = tile.level === "entries" ? COMMITMENT_BYTES : HASH_BYTES;
  const bytes = (tile.width ?? TILE_WIDTH) * step;
  const answer = await fetcher.get(new URL(path, prefix), bytes);
  if (answer.ok) return answer.bytes;
  const full = answer.absent && tile.width !== undefined ? await fetcher.get(new URL(formatTilePath({ level: tile.level, n: tile.n }), prefix), TILE_WIDTH * step) : answer;
  if (full.ok) return full.bytes.subarray(0, bytes);
  throw new NotServed(path, `${bytes} bytes`, answer.found);
}
