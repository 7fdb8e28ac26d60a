import { formatTilePath, parseTilePath, TILE_WIDTH, tileWidth } from "../../core/ledger/pure.ts";

/**
 * A log in a folder, in the open formats it is served in: `checkpoint` (C2SP tlog-checkpoint), `log-key` (note verifier key),
 * `tile/<L>/<N>[.p/<W>]` and `tile/entries/<N>[.p/<W>]` (C2SP tlog-tiles), and beside them the bodies somebody was allowed to read,
 * one file for each stream: `bodies/<stream>.jsonl`, one line `{"index":N,"body":BODY}` for each entry, in the order of the log.
 */
export const LOG_CHECKPOINT_PATH = "checkpoint";
export const LOG_KEY_PATH = "log-key";
const BODIES = "bodies";

export function bodiesPath(stream: string): string {
  return `${BODIES}/${stream}.jsonl`;
}

export function streamOfBodies(path: string): string | undefined {
  return /^bodies\/([A-Za-z0-9][A-Za-z0-9_-]{0,63})\.jsonl$/.exec(path)?.[1];
}

/** The bundle of commitments `n` of a log of `size` entries. */
export function entriesTilePath(n: number, size: number): string {
  const width = tileWidth(size, 0, n);
  return formatTilePath(width === TILE_WIDTH ? { level: "entries", n } : { level: "entries", n, width });
}

/** Whether a log of `size` entries has a file of this name: full tiles, and at its right edge the one width that belongs to the size. */
export function isLogPath(path: string, size: number): boolean {
  if (path === LOG_CHECKPOINT_PATH || path === LOG_KEY_PATH || streamOfBodies(path) !== undefined) return true;
  const tile = parseTilePath(path);
  if (!tile) return false;
  const width = tileWidth(size, tile.level === "entries" ? 0 : tile.level, tile.n);
  return width > 0 && (tile.width ?? TILE_WIDTH) === width;
}
