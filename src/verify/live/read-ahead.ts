import { formatTilePath, TILE_WIDTH } from "../../core/ledger/pure.ts";
import { entriesTilePath } from "../log/layout.ts";

/** At most so many files of 8.5 KiB are asked for, or wait to be read. */
export const FILES_AHEAD_MAX = 6;

/** The files of a log of `size` entries in the order in which checkTree reads them. */
export function* readingOrder(size: number): Generator<string> {
  for (let n = 0; n * TILE_WIDTH < size; n += 1) {
    yield entriesTilePath(n, size);
    // A full tile is followed by each tile above that it fills.
    let filled = n + 1;
    for (let level = 0; filled * TILE_WIDTH ** (level + 1) <= size; level += 1) {
      yield formatTilePath({ level, n: filled - 1 });
      if (filled % TILE_WIDTH !== 0) break;
      filled /= TILE_WIDTH;
    }
  }
  let hashes = size;
  for (let level = 0; hashes > 0; level += 1) {
    const width = hashes % TILE_WIDTH;
    hashes = Math.floor(hashes / TILE_WIDTH);
    if (width > 0) yield formatTilePath({ level, n: hashes, width });
  }
}

/** Fetches what will be read next while the last is still being looked at; memory stays that of FILES_AHEAD_MAX files. */
export class ReadAhead<T> {
  private readonly order: Iterator<string>;
  private readonly fetch: (path: string) => Promise<T>;
  private readonly waiting: { readonly path: string; readonly file: Promise<T> }[] = [];

  constructor(order: Iterator<string>, fetch: (path: string) => Promise<T>) {
    this.order = order;
    this.fetch = fetch;
  }

  /** The next file; `path` must be the one whose turn it is. */
  async take(path: string): Promise<T> {
    this.fill();
    const next = this.waiting.shift();
    if (next?.path !== path) throw new TypeError(`${path} was read when it was the turn of ${next?.path ?? "none"}`);
    const file = await next.file;
    this.fill();
    return file;
  }

  private fill(): void {
    while (this.waiting.length < FILES_AHEAD_MAX) {
      const { value: path, done } = this.order.next();
      if (done) return;
      const file = this.fetch(path);
      // Whoever takes it learns of a failure; when nobody does any more it is no failure of ours.
      file.catch(() => {});
      this.waiting.push({ path, file });
    }
  }
}
