/**
 * Ledger: the one append-only log – sequencer with group commit, signed checkpoints, receipts, tiles, fsck.
 * What proves and verifies without a database is pure.ts, the door for the CLI and the offline verifier.
 * Depends on kernel, contract and store.
 */
export { erasedBy } from "./erasure.ts";
export { type Fsck, type FsckFailure, fsckLedger } from "./fsck.ts";
export { type Also, type Beside, type Ledger, type LedgerDeps, openLedger } from "./ledger.ts";
export { bodyAsWritten, type ErasedEntry, type LedgerEntry, storedEntries } from "./stored-entries.ts";
export { openLogKey } from "./log-key.ts";
export { noteSigner as logVerifier } from "./note.ts";
export { signedNote } from "./signed-memory.ts";
export type { Appended } from "./entry.ts";
export { eraseBodies, entryRow } from "./log-rows.ts";
