/**
 * The ledger's pure part: entries, Merkle tree, signed notes, checkpoints, proofs, receipts – everything a verifier needs and no database.
 * The door for the CLI, the offline verifier and witnesses; index.ts is the door to the log itself.
 * Depends on kernel, contract (types) and identity (which keys can be trusted).
 */
export { type Checkpoint, openCheckpoint, parseCheckpoint, signCheckpoint } from "./checkpoint.ts";
export {
  type Cosignature,
  type Cosigner,
  cosign,
  cosigner,
  openCosignatures,
  parseWitnessKey,
  withSignatureLines,
  type WitnessVerifier,
} from "./cosignature.ts";
export {
  type Appended,
  chainFlaw,
  headOf,
  nextEntry,
  parseEntryBody,
  type StreamHead,
  verifyStreamChain,
} from "./entry.ts";
export { erasedBy, Erasures } from "./erasure.ts";
export { InclusionRun } from "./inclusion-run.ts";
export { openLogKey } from "./log-key.ts";
export { NOTE_BYTES_MAX, type Note, type NoteSigner, type NoteVerifier, noteSigner, openNote, parseNote, parseVerifierKey, signNote } from "./note.ts";
export { type KnownCheckpoint, type VerifiedReceipt, verifyCheckpoints, verifyReceipt } from "./receipt.ts";
export { formatTilePath, leavesOfBundle, parseTilePath, TILE_WIDTH, tileWidth } from "./tile.ts";
export { type RebuiltTile, TileRebuild } from "./tile-rebuild.ts";
export { formatTlogProof, parseHashes, parseTlogProof, type TlogProof } from "./tlog-proof.ts";
export {
  consistencyRanges,
  EMPTY_ROOT,
  foldRange,
  inclusionRanges,
  leafHash,
  nodeHash,
  rootRange,
  verifyConsistency,
  verifyInclusion,
} from "./tree.ts";
