import type { EntryBody, Receipt } from "../../contract/index.ts";
import { accept, type Outcome, refuse, sha256 } from "../../kernel/index.ts";
import { type Checkpoint, openCheckpoint } from "./checkpoint.ts";
import { parseEntryBody } from "./entry.ts";
import { type NoteVerifier, parseVerifierKey } from "./note.ts";
import { parseHashes, parseTlogProof } from "./tlog-proof.ts";
import { verifyConsistency, verifyInclusion } from "./tree.ts";

/** What a client keeps from one call to the next, and what the log says to connect it with now. */
export interface KnownCheckpoint {
  /** Signed note, as it was kept. */
  readonly checkpoint: string;
  /** Base64 hashes of the consistency proof between that checkpoint and the receipt's, from the smaller to the larger one. */
  readonly consistency: readonly string[];
}

export interface VerifiedReceipt {
  readonly index: number;
  readonly entry: EntryBody;
  readonly leaf: Buffer;
  readonly checkpoint: Checkpoint;
  /** The signed note, to be kept. */
  readonly note: string;
}

const FORKED_HINT = "stop trusting this platform; keep both checkpoints as evidence and show them to others";

/**
 * The entry stands at its place in a log signed by `vkey`; with `known`, also in the same log as before. A refusal with the code
 * LOG_FORKED means that the platform signed two histories; every other one only that this receipt proves nothing.
 */
export function verifyReceipt(receipt: Receipt, vkey: string | NoteVerifier, known?: KnownCheckpoint): Outcome<VerifiedReceipt> {
  const verifier = typeof vkey === "string" ? parseVerifierKey(vkey) : accept(vkey);
  if (!verifier.ok) return verifier;
  const entry = parseEntryBody(receipt.body);
  if (!entry.ok) return entry;
  const proof = parseTlogProof(receipt.proof);
  if (!proof.ok) return proof;
  const checkpoint = openCheckpoint(proof.value.checkpoint, verifier.value);
  if (!checkpoint.ok) return checkpoint;
  const { index, hashes } = proof.value;
  const leaf = sha256(receipt.body);
  if (index !== receipt.index)
    return refuse("engine", "BAD_RECEIPT", `receipt: is for entry ${receipt.index}, its proof for entry ${index}`, "ask the platform again");
  if (!verifyInclusion(leaf, index, checkpoint.value.size, hashes, checkpoint.value.root))
    return refuse(
      "engine",
      "BAD_RECEIPT",
      `receipt: entry ${index} is not in the log of ${checkpoint.value.size} entries that the checkpoint signs`,
      "keep the receipt as evidence",
    );
  if (known) {
    const consistent = verifyCheckpoints(known.checkpoint, proof.value.checkpoint, known.consistency, verifier.value);
    if (!consistent.ok) return consistent;
  }
  return accept({ index, entry: entry.value, leaf, checkpoint: checkpoint.value, note: proof.value.checkpoint });
}

/** That two signed checkpoints are of one log: the larger extends the smaller. The order they are given in does not matter. */
export function verifyCheckpoints(
  one: string,
  other: string,
  consistency: readonly string[],
  vkey: string | NoteVerifier,
): Outcome<{ readonly older: Checkpoint; readonly newer: Checkpoint }> {
  const verifier = typeof vkey === "string" ? parseVerifierKey(vkey) : accept(vkey);
  if (!verifier.ok) return verifier;
  const a = openCheckpoint(one, verifier.value);
  if (!a.ok) return a;
  const b = openCheckpoint(other, verifier.value);
  if (!b.ok) return b;
  const [older, newer] = a.value.size <= b.value.size ? [a.value, b.value] : [b.value, a.value];
  const hashes = parseHashes(consistency);
  if (!hashes || !verifyConsistency(older.size, older.root, newer.size, newer.root, hashes))
    return refuse(
      "conflict",
      "LOG_FORKED",
      `the log's checkpoint of ${newer.size} entries (root ${newer.root.toString("base64")}) does not extend its checkpoint of ${older.size} entries (root ${older.root.toString("base64")})`,
      FORKED_HINT,
    );
  return accept({ older, newer });
}
