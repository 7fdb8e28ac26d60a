import type { Buffer } from "node:buffer";
import { NOTE_BYTES_MAX, parseHashes } from "../core/ledger/pure.ts";
import { accept, type Outcome, refuse } from "../kernel/index.ts";

/** The body of POST /add-checkpoint (C2SP tlog-witness): `old <size>`, consistency proof lines, an empty line, the signed checkpoint. */
export interface AddCheckpoint {
  /** Size of the tree the proof begins at. */
  readonly old: number;
  readonly proof: readonly Buffer[];
  /** The signed note, verbatim. */
  readonly note: string;
}

/** C2SP tlog-witness: "The client MUST NOT send more than 63 consistency proof lines." */
export const PROOF_LINES_MAX = 63;
/** A line of a proof is 45 bytes; a signature of ML-DSA-44, the longest kind there is, about 3.5 kB with the longest name. */
export const LINE_BYTES_MAX = 8 * 1024;
export const BODY_BYTES_MAX = NOTE_BYTES_MAX + 4 * 1024;

export function formatAddCheckpoint({ old, proof, note }: AddCheckpoint): string {
  return `${[`old ${old}`, ...proof.map((hash) => hash.toString("base64"))].join("\n")}\n\n${note}`;
}

export function parseAddCheckpoint(body: string): Outcome<AddCheckpoint> {
  const bad = (why: string) => refuse("usage", "BAD_REQUEST", `add-checkpoint: ${why}`, "see c2sp.org/tlog-witness");
  const split = body.indexOf("\n\n");
  if (split < 0) return bad("there is no empty line before the checkpoint");
  if (body.split("\n").some((line) => line.length > LINE_BYTES_MAX)) return bad(`a line is longer than ${LINE_BYTES_MAX} bytes`);
  const [first = "", ...lines] = body.slice(0, split).split("\n");
  const size = /^old (0|[1-9]\d{0,15})$/.exec(first)?.[1];
  if (size === undefined || !Number.isSafeInteger(Number(size))) return bad("the first line is not 'old' and a tree size");
  if (lines.length > PROOF_LINES_MAX) return bad(`more than ${PROOF_LINES_MAX} proof lines`);
  const proof = parseHashes(lines);
  if (!proof) return bad("a proof line is not a hash of 32 bytes in base64");
  return accept({ old: Number(size), proof: proof as readonly Buffer[], note: body.slice(split + 2) });
}
