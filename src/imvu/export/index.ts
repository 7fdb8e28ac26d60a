/**
 * Export: writes a bundle – files with their digests, the ledger with its proofs, the verifier, a report for people – signs and packs it.
 * Knows the bundle's form and no engine: fabrics write their own sections into the sink.
 * Depends on verify (the form), ledger (pure), handshake, identity, contract and kernel.
 */
export { type BundleFacts, BundleWriter, type FinishedBundle, type SignNote } from "./bundle-writer.ts";
export { contentPath, type Exported, type ExitDeps, exportImvu, PASSWD_PATH, type Rehearsal, writeBundle } from "./exit.ts";
export { type Invoice, invoiceXml } from "../../core/handshake/index.ts";
export { invoicePdf } from "./invoice-documents.ts";
export type { InvoiceProof } from "./invoice-proof.ts";
export { IMVU_DOCUMENT_PATH, type KnownKey, OWNER_PATH, writeIdentitySection } from "./identity-section.ts";
export { type LedgerSection, type LedgerSource, writeLedgerSection } from "./ledger-section.ts";
export { type PackedBundle, packBundle } from "./pack.ts";
export { REPORT_PATH, renderReport, type ReportFacts } from "./report.ts";
export { writeVerifier } from "./verifier-file.ts";
