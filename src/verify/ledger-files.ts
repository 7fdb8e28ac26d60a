import type { Buffer } from "node:buffer";
import type { EntryBody } from "../contract/index.ts";

/**
 * The ledger folder of a bundle. Each group of entries is one file with a line `{"index":N,"body":BODY}` per entry, BODY being the
 * entry's canonical JSON as it was hashed, and one file of the same name under proofs/ with a line
 * `{"index":N,"leaf":BASE64,"proof":[BASE64,…]}` per entry: SHA-256 of the body, and the audit path to ledger/checkpoint.
 * An entry whose body a law ordered erased has the line `{"index":N,"erased":COMMITMENT}` instead, COMMITMENT being the body's SHA-256 in
 * hex; a later entry of its stream orders it. Its proof stays.
 * A tlog-proof (C2SP) of one entry is its header line, `index N`, the path's lines, an empty line and the checkpoint.
 */
export const CHECKPOINT_PATH = "ledger/checkpoint";

/** The order they are verified in: keys first, then tariffs and law, then the IMVU's own stream. */
export const ENTRY_GROUPS = ["identities", "platform", "events"] as const;
export type EntryGroup = (typeof ENTRY_GROUPS)[number];

export function entriesPath(group: EntryGroup): string {
  return `ledger/${group}.jsonl`;
}

export function proofsPath(group: EntryGroup): string {
  return `ledger/proofs/${group}.jsonl`;
}

/** A body's text goes in as it is: what is read back is, byte for byte, what was hashed. */
export function entryLine(index: number, body: string): string {
  return `{"index":${index},"body":${body}}`;
}

export function erasedLine(index: number, commitment: string): string {
  return JSON.stringify({ index, erased: commitment });
}

export function proofLine(index: number, leaf: string, proof: readonly string[]): string {
  return JSON.stringify({ index, leaf, proof });
}

/** An entry whose body is gone. */
export interface GoneEntry {
  readonly index: number;
  readonly text: null;
  /** SHA-256 of the body that stood there. */
  readonly leaf: Buffer;
}

/** One entry as it was read: its place in the log, its text, and the text parsed. */
export interface Entry {
  readonly index: number;
  readonly text: string;
  readonly body: EntryBody;
  /** SHA-256 of the text. */
  readonly leaf: Buffer;
}
