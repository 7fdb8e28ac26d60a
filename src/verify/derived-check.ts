import { createHash, type Hash } from "node:crypto";
import { type Correction, type Invoice, invoiceXml, type Statement } from "../core/handshake/index.ts";
import type { Manifest } from "./bundle/manifest.ts";
import { type AuditRecord, auditLines, correctionCsv, correctionPath, DRIFT_AUDIT_PATH, driftLine, invoicePdfPath, invoiceXmlPath, LINE_PATHS, revenueCsv, revenuePath, SALES_PATH } from "./derived-files.ts";
import type { Failures } from "./failures.ts";
import { type IdentityKeyLine, keysFile, KEYS_PATH } from "./keys-file.ts";
import { CHECKPOINT_PATH, type Entry } from "./ledger-files.ts";

/** Makes the repeating files again, as digests only, and holds them against the manifest's. */
export class DerivedCheck {
  private readonly audits = new Map<string, Hash>(LINE_PATHS.map((path) => [path, createHash("sha256")]));
  private readonly revenues = new Map<string, string>();
  /** What is drawn for people, and may be there. */
  private readonly drawn = new Set<string>();

  command(entry: Entry, record: AuditRecord): void {
    for (const { path, line } of auditLines(entry, record)) this.audits.get(path)?.update(`${line}\n`);
  }

  drift(entry: Entry): void {
    const hash = this.audits.get(DRIFT_AUDIT_PATH) ?? createHash("sha256");
    this.audits.set(DRIFT_AUDIT_PATH, hash.update(`${driftLine(entry)}\n`));
  }

  statement(statement: Statement): void {
    this.revenues.set(revenuePath(statement.period), revenueCsv(statement));
  }

  correction(correction: Correction): void {
    this.revenues.set(correctionPath(correction), correctionCsv(correction));
  }

  invoice(invoice: Invoice): void {
    this.revenues.set(invoiceXmlPath(invoice), invoiceXml(invoice));
    this.drawn.add(invoicePdfPath(invoice));
  }

  finish(manifest: Manifest, logKey: string, identities: readonly IdentityKeyLine[], failures: Failures): void {
    const expected = new Map<string, string>();
    for (const [path, hash] of this.audits) expected.set(path, hash.digest("hex"));
    for (const [path, text] of this.revenues) expected.set(path, digest(text));
    expected.set(CHECKPOINT_PATH, digest(manifest.ledger.checkpoint));
    expected.set(KEYS_PATH, digest(keysFile(logKey, identities)));
    const listed = new Map(manifest.files.map(({ path, sha256 }) => [path as string, sha256 as string]));
    // Bundles from before there were sales have no list of them: one that would be empty may be missing.
    if (!listed.has(SALES_PATH) && expected.get(SALES_PATH) === digest("")) expected.delete(SALES_PATH);
    for (const [path, sha256] of expected) {
      if (listed.get(path) !== sha256) failures.add(path, `what the ledger's entries say: SHA-256 ${sha256}`, listed.get(path) ?? "no such file");
    }
    for (const path of listed.keys()) if (/^ledger\/(audit|revenue)\//.test(path) && !expected.has(path) && !this.drawn.has(path)) failures.add(path, "a file that the ledger's entries account for", "another one");
  }
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
