/**
 * Verify: what a bundle is, and whether it is true – files, ledger, commands, verdicts, statements – without a platform, and without a network unless a log's address is given.
 * The same code runs in `nexus verify-export`, in import and, as one file, inside every bundle.
 * Depends on ledger (pure), handshake, policy-engine, identity, contract and kernel.
 */
export { inspectBundle, openPlain } from "./bundle/inspect.ts";
export {
  BUNDLE_BYTES_MAX, BUNDLE_FILES_MAX, BUNDLE_FORMAT, type Manifest, type ManifestFile, manifestNoteText, manifestText, sectionsOf,
} from "./bundle/manifest.ts";
export { type BundlePath, MANIFEST_PATH, parseBundlePath, SIGNATURE_PATH, sectionOf } from "./bundle/path.ts";
export { BUNDLE_LIMITS, type BundleLimits, unpackBundle } from "./bundle/unpack.ts";
export { type AuditRecord, auditLines, correctionCsv, correctionPath, DRIFT_AUDIT_PATH, driftLine, invoicePdfPath, invoiceXmlPath, LINE_PATHS, repeatedOf, revenueCsv, revenuePath } from "./derived-files.ts";
export { type Failure, Failures } from "./failures.ts";
export { InvoiceCheck, NumberCheck } from "./invoices.ts";
export { type IdentityKeyLine, keysFile, KEYS_PATH } from "./keys-file.ts";
export { Registry } from "./registry.ts";
export { CHECKPOINT_PATH, type Entry, type EntryGroup, entriesPath, entryLine, erasedLine, proofLine, proofsPath } from "./ledger-files.ts";
export { isLogAddress } from "./live/address.ts";
export { BodyCheck } from "./log/body-check.ts";
export { checkTree, type TreeCheck } from "./log/check-tree.ts";
export { bodiesPath, LOG_CHECKPOINT_PATH, LOG_KEY_PATH } from "./log/layout.ts";
export { countsLine, progressLine, verificationText } from "./print.ts";
export { type VerifyExportOptions, verifyExport } from "./verify-export.ts";
export { agreedIn } from "./terms.ts";
export { PayoutCheck } from "./payouts.ts";
export { ReadingRows } from "./reading-rows.ts";
export { StatementCheck } from "./statements.ts";
export type { Verification, VerifyOptions } from "./verify-bundle.ts";
