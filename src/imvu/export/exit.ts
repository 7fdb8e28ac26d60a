import { createReadStream } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import type { Blobs, BundleReader, ExportSink, Imvu } from "../../contract/index.ts";
import { Fault, type Json, type Sha256 } from "../../kernel/index.ts";
import { BundleWriter, type FinishedBundle, type SignNote } from "./bundle-writer.ts";
import { FolderReader } from "./folder-reader.ts";
import { type LedgerSource, writeLedgerSection } from "./ledger-section.ts";
import { type PackedBundle, packBundle } from "./pack.ts";
import { type KnownKey, writeIdentitySection } from "./identity-section.ts";
import { renderReport, REPORT_PATH } from "./report.ts";
import { writeVerifier } from "./verifier-file.ts";

/** Dovecot's passwd-file format, so that stock servers read it: address, colon, crypt(3) hash. */
export const PASSWD_PATH = "mail/metadata/passwd";

export function contentPath(digest: Sha256): string {
  return `compute/content/${digest}.tar`;
}

export interface Rehearsal {
  readonly compared: number;
  readonly equal: number;
  readonly different: readonly { readonly what: string; readonly expected: string; readonly found: string }[];
}

export interface ExitDeps {
  readonly blobs: Blobs;
  readonly ledger: LedgerSource;
  readonly sign: SignNote;
  readonly toolVersion: string;
  /** The four fabrics' own exports. */
  readonly exports: readonly ((sink: ExportSink) => Promise<void>)[];
  /** Imports what was written so far into a scratch instance and compares it with the ledger's list. */
  rehearse(reader: BundleReader, imvu: Imvu): Promise<Rehearsal>;
  identityEntriesOf(kids: readonly string[]): Promise<readonly number[]>;
  /** Keys of the IMVU's members, with the entries that registered them. */
  readonly keys: readonly KnownKey[];
}

export interface BundleOrder {
  readonly imvu: Imvu;
  readonly dir: string;
  readonly at: string;
  /** The owner's exit that it answers; null: it was made to see whether one could be. */
  readonly command: { readonly command: Sha256; readonly index: number } | null;
  /** Newest entry that must be in the bundle. */
  readonly through: number;
}

export interface ExitOrder extends BundleOrder {
  readonly encryptTo: string | null;
}

export interface Written {
  readonly bundle: FinishedBundle;
  readonly rehearsal: Rehearsal;
}

export interface Exported extends Written {
  readonly packed: PackedBundle;
}

/** Writes the bundle and packs it. */
export async function exportImvu(deps: ExitDeps, order: ExitOrder): Promise<Exported> {
  const written = await writeBundle(deps, order);
  try {
    return { ...written, packed: await packBundle(written.bundle, order.encryptTo ?? undefined) };
  } catch (error) {
    await rm(written.bundle.dir, { recursive: true, force: true });
    throw error;
  }
}

/**
 * Writes everything an IMVU is into `dir` and rehearses its import. It is called complete only when the rehearsal found
 * every resource of the ledger's list again; otherwise this throws and nothing named like a bundle stays.
 */
export async function writeBundle(deps: ExitDeps, order: BundleOrder): Promise<Written> {
  const { imvu, dir } = order;
  const writer = await BundleWriter.create(dir);
  try {
    await writeIdentitySection(writer, imvu, deps.keys);
    for (const exportFabric of deps.exports) await exportFabric(writer);
    await writeBlobs(writer, deps.blobs, imvu);
    await writer.file("domains/ownership.json", `${JSON.stringify(ownershipOf(imvu, order.at), null, 2)}\n`);
    omissions(writer, imvu);
    const ledger = await writeLedgerSection(writer, {
      imvu: imvu.id,
      ledger: deps.ledger,
      through: order.through,
      identityEntriesOf: (kids) => deps.identityEntriesOf(kids),
      jurisdiction: { imvu: imvu.id, declared: imvu.jurisdiction, resources: resourcesOf(imvu) } as Json,
    });
    const rehearsal = await deps.rehearse(new FolderReader(writer.partial, writer.contents().files.map((file) => file.path)), imvu);
    if (rehearsal.compared === 0 || rehearsal.different.length > 0) {
      const first = rehearsal.different[0];
      throw new Fault("EXIT_REHEARSAL", `the rehearsed import differs: ${first ? `${first.what}: expected ${first.expected}, found ${first.found}` : "nothing was compared"}`, { hint: "run it again; if it stays, 'nexus doctor'" });
    }
    await writeVerifier(writer);
    const logKey = deps.ledger.verifierKey;
    await writer.file(REPORT_PATH, renderReport({ imvu, createdAt: order.at, ledger, logKey, ...writer.contents(), rehearsal: { ...rehearsal, different: [] } }));
    const bundle = await writer.finish({ imvu: imvu.id, createdAt: order.at, toolVersion: deps.toolVersion, ledger, exit: order.command, sign: deps.sign });
    return { bundle, rehearsal };
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}

/** What the owner uploaded, exactly as it came, and the mailboxes' hashes. */
async function writeBlobs(sink: ExportSink, blobs: Blobs, imvu: Imvu): Promise<void> {
  const contents = new Set<Sha256>();
  for (const { source } of imvu.services) {
    if (source.kind === "runtime") contents.add(source.content);
    if (source.kind === "oci") contents.add(source.archive);
  }
  for (const digest of contents) await sink.file(contentPath(digest), createReadStream(blobs.path(digest)));
  const lines: string[] = [];
  for (const mailbox of imvu.mailboxes) lines.push(`${mailbox.address}:${(await readFile(blobs.path(mailbox.passwordHash), "utf8")).trim()}\n`);
  await sink.file(PASSWD_PATH, lines.join(""));
}

function ownershipOf(imvu: Imvu, at: string): Json {
  return { zone: imvu.zone, imvu: imvu.id, owner: imvu.owner, at };
}

function resourcesOf(imvu: Imvu): Json {
  const { id, zone } = imvu;
  return [
    ...imvu.services.map((service) => `service ${service.name}`),
    `volume ${id}`,
    `zone ${zone}`,
    ...imvu.mailboxes.map((mailbox) => `mailbox ${mailbox.address}`),
    ...imvu.routes.map((route) => `route ${route.host}${route.path}`),
  ];
}

/** Said in the manifest, so that nobody looks for it in vain. */
function omissions(sink: ExportSink, imvu: Imvu): void {
  sink.omit("domains/transfer-codes.txt", `${imvu.zone} lies under the platform's suffix: there is no registrar to give a code`);
}
