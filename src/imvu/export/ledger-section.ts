import { Buffer } from "node:buffer";
import type { ExportSink, Receipt } from "../../contract/index.ts";
import { type Correction, type Invoice, invoiceXml, type Statement } from "../../core/handshake/index.ts";
import { openCommand } from "../../core/identity/index.ts";
import { openCheckpoint, parseEntryBody, parseVerifierKey } from "../../core/ledger/pure.ts";
import { Fault, type ImvuId, type Json, sha256 } from "../../kernel/index.ts";
import {
  type AuditRecord, auditLines, CHECKPOINT_PATH, correctionCsv, correctionPath, DRIFT_AUDIT_PATH, driftLine, type Entry, type EntryGroup, entriesPath, entryLine, erasedLine, type IdentityKeyLine, invoicePdfPath, invoiceXmlPath, KEYS_PATH,
  keysFile, LINE_PATHS, type Manifest, proofLine, proofsPath, Registry, repeatedOf, revenueCsv, revenuePath,
} from "../../verify/index.ts";
import { invoicePdf } from "./invoice-documents.ts";
import { type LineFile, withLineFiles } from "./text-stream.ts";

/** What the section needs of the log; core/ledger's Ledger is one. */
export interface LedgerSource {
  entries(filter: { readonly stream?: string; readonly from?: number; readonly to?: number }): AsyncIterable<{ readonly index: number; readonly body: string | null; readonly leaf: Uint8Array }>;
  inclusionProof(index: number, size: number): Promise<readonly Uint8Array[]>;
  receipt(index: number): Promise<Receipt>;
  checkpoint(): string | undefined;
  readonly verifierKey: string;
}

export interface LedgerSection {
  readonly imvu: ImvuId;
  readonly ledger: LedgerSource;
  /** The newest entry that must be in: the section waits for a checkpoint that covers it. */
  readonly through: number;
  /** Ledger indexes of all entries that tell of the identities to whom these keys (by thumbprint) belong; keys nobody registered have none. */
  identityEntriesOf(kids: readonly string[]): Promise<readonly number[]>;
  /** What the IMVU declared and where its data lies: compliance/jurisdiction.json. */
  readonly jurisdiction: Json;
}

/** What the platform's stream says that verdicts and statements are made of; the rest of it is public, and not this bundle's. */
const PLATFORM_TYPES: ReadonlySet<string> = new Set(["platform.created", "platform.law", "platform.tariff"]);

/**
 * Writes ledger/: the IMVU's whole stream, what it rests on (tariffs, law, the registrations of every signer), a proof for each
 * entry against one checkpoint, and the files that repeat it for people. @returns what the manifest says of the ledger.
 */
export async function writeLedgerSection(sink: ExportSink, section: LedgerSection): Promise<Manifest["ledger"]> {
  return await withLineFiles(sink, (open) => writeSection(sink, open, section));
}

type OpenFile = (path: string) => LineFile;

async function writeSection(sink: ExportSink, open: OpenFile, section: LedgerSection): Promise<Manifest["ledger"]> {
  const { imvu, ledger } = section;
  await ledger.receipt(section.through);
  const checkpoint = ledger.checkpoint();
  const verifier = parseVerifierKey(ledger.verifierKey);
  const opened = checkpoint !== undefined && verifier.ok ? openCheckpoint(checkpoint, verifier.value) : undefined;
  if (checkpoint === undefined || !opened?.ok) throw new Fault("LEDGER_NO_CHECKPOINT", `no checkpoint covers entry ${section.through}`, { retry: true });
  const { size } = opened.value;

  const events = new GroupFile(open, "events", ledger, size);
  const audits = new Map<string, LineFile>(LINE_PATHS.map((path) => [path, open(path)]));
  const kids = new Set<string>();
  const statements = new Map<string, Statement>();
  const corrections: Correction[] = [];
  const drifts: string[] = [];
  const invoices: { readonly index: number; readonly leaf: string; readonly invoice: Invoice }[] = [];
  let last = -1;
  for await (const { index, body: text, leaf } of ledger.entries({ stream: imvu, to: size })) {
    last = index;
    if (text === null) {
      await events.add({ index, text, leaf: Buffer.from(leaf) });
      continue;
    }
    const entry = parsed(index, text);
    await events.add(entry);
    const record = recordOf(entry);
    for (const kid of record?.signers ?? []) kids.add(kid);
    for (const { path, line } of record ? auditLines(entry, record) : []) await audits.get(path)?.line(line);
    // Who ordered that a payout was made is verified with it.
    if (entry.body.type === "payout.executed" || entry.body.type === "payout.returned") for (const kid of orderSigners(entry)) kids.add(kid);
    if (entry.body.type === "statement.closed") {
      const statement = entry.body.data as unknown as Statement;
      statements.set(statement.period, statement);
    } else if (entry.body.type === "statement.corrected") corrections.push(entry.body.data as unknown as Correction);
    else if (entry.body.type === "drift.found") drifts.push(`${driftLine(entry)}\n`);
    else if (entry.body.type === "invoice.issued") invoices.push({ index, leaf: entry.leaf.toString("base64"), invoice: entry.body.data as unknown as Invoice });
  }
  if (last < 0) throw new Fault("LEDGER_NO_STREAM", `the ledger has no entry of ${imvu}`);
  await Promise.all([events.end(), ...[...audits.values()].map((file) => file.end())]);
  for (const statement of statements.values()) await sink.file(revenuePath(statement.period), revenueCsv(statement));

  if (drifts.length > 0) await sink.file(DRIFT_AUDIT_PATH, drifts.join(""));
  for (const correction of corrections) await sink.file(correctionPath(correction), correctionCsv(correction));

  const { origin, root } = opened.value;
  for (const { index, leaf, invoice } of invoices) {
    await sink.file(invoiceXmlPath(invoice), invoiceXml(invoice));
    await sink.file(invoicePdfPath(invoice), await invoicePdf(invoice, { origin, index, leaf, size, root: Buffer.from(root).toString("base64") }));
  }
  if (invoices.length === 0) sink.omit("ledger/revenue/*-invoice.pdf", "no month of it was invoiced");

  const platform = new GroupFile(open, "platform", ledger, size);
  for await (const { index, body } of ledger.entries({ stream: "platform", to: size })) {
    if (body === null) continue;
    const entry = parsed(index, body);
    if (PLATFORM_TYPES.has(entry.body.type)) await platform.add(entry);
  }
  await platform.end();

  const keys = await writeIdentities(open, ledger, size, await section.identityEntriesOf([...kids]));
  await sink.file(CHECKPOINT_PATH, checkpoint);
  await sink.file(KEYS_PATH, keysFile(ledger.verifierKey, keys));
  await sink.file("ledger/compliance/jurisdiction.json", `${JSON.stringify(section.jurisdiction, null, 2)}\n`);
  return { index: last, checkpoint };
}

async function writeIdentities(open: OpenFile, ledger: LedgerSource, size: number, indexes: readonly number[]): Promise<readonly IdentityKeyLine[]> {
  const file = new GroupFile(open, "identities", ledger, size);
  const registry = new Registry();
  for (const index of [...new Set(indexes)].filter((one) => one < size).sort((a, b) => a - b)) {
    for await (const { body } of ledger.entries({ from: index, to: index + 1 })) {
      if (body === null) throw new Fault("LEDGER_BROKEN", `entry ${index}: its body is gone`, { hint: "nexus ledger fsck" });
      const entry = parsed(index, body);
      const flaw = follow(registry, entry);
      if (flaw) throw new Fault("LEDGER_BROKEN", `entry ${index} (${entry.body.type}): ${flaw}`, { hint: "nexus ledger fsck" });
      await file.add(entry);
    }
  }
  await file.end();
  return registry.keyLines();
}

function follow(registry: Registry, { index, body }: Entry): string | undefined {
  if (body.type === "identity.registered") {
    const { name, publicKey } = (body.data ?? {}) as { name?: unknown; publicKey?: unknown };
    return registry.registered(name, publicKey, index);
  }
  const opened = openCommand((body.data as { jws?: unknown } | null)?.jws);
  return opened.ok ? registry.follow(opened.value, index, Date.parse(body.time)) : opened.message;
}

/** One group of entries with its proofs: two files, line by line. */
class GroupFile {
  private readonly entries: LineFile;
  private readonly proofs: LineFile;
  private readonly ledger: LedgerSource;
  private readonly size: number;

  constructor(open: OpenFile, group: EntryGroup, ledger: LedgerSource, size: number) {
    this.entries = open(entriesPath(group));
    this.proofs = open(proofsPath(group));
    this.ledger = ledger;
    this.size = size;
  }

  async add({ index, text, leaf }: Pick<Entry, "index" | "leaf"> & { readonly text: string | null }): Promise<void> {
    const hashes = await this.ledger.inclusionProof(index, this.size);
    await this.entries.line(text === null ? erasedLine(index, leaf.toString("hex")) : entryLine(index, text));
    await this.proofs.line(proofLine(index, leaf.toString("base64"), hashes.map((hash) => Buffer.from(hash).toString("base64"))));
  }

  async end(): Promise<void> {
    await Promise.all([this.entries.end(), this.proofs.end()]);
  }
}

function parsed(index: number, text: string): Entry {
  const body = parseEntryBody(text);
  if (!body.ok) throw new Fault("LEDGER_BROKEN", `entry ${index}: ${body.message}`, { hint: "nexus ledger fsck" });
  return { index, text, body: body.value, leaf: sha256(text) };
}

/** One that cannot be read leaves with the unit all the same: whoever verifies names it. */
function orderSigners({ body }: Entry): readonly string[] {
  const opened = openCommand((body.data as { order?: unknown } | null)?.order);
  return opened.ok ? opened.value.signatures.map(({ kid }) => kid) : [];
}

function recordOf({ index, body }: Entry): AuditRecord | undefined {
  if (body.type !== "command.accepted" && body.type !== "command.refused") return undefined;
  const { jws, verdicts } = body.data as unknown as { jws: unknown; verdicts: AuditRecord["verdicts"] };
  const opened = openCommand(jws);
  if (!opened.ok) throw new Fault("LEDGER_BROKEN", `entry ${index}: ${opened.message}`, { hint: "nexus ledger fsck" });
  return { op: opened.value.command.op, digest: opened.value.digest, signers: opened.value.signatures.map(({ kid }) => kid), ...repeatedOf(opened.value.command), verdicts };
}
