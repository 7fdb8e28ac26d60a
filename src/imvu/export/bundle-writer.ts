import type { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import type { ExportSink } from "../../contract/index.ts";
import { Fault, type ImvuId, type Sha256, sha256Hex, writeFileAtomic } from "../../kernel/index.ts";
import {
  BUNDLE_BYTES_MAX, BUNDLE_FILES_MAX, BUNDLE_FORMAT, type BundlePath, type Manifest, MANIFEST_PATH, type ManifestFile, manifestNoteText, manifestText,
  parseBundlePath, SIGNATURE_PATH, sectionOf, sectionsOf,
} from "../../verify/index.ts";

/** Signs a text as a C2SP signed note: the platform's log key, and where there are more signers, theirs too. */
export type SignNote = (text: string) => string | Promise<string>;

export interface BundleFacts {
  readonly imvu: ImvuId;
  /** RFC 3339, UTC, milliseconds. */
  readonly createdAt: string;
  readonly toolVersion: string;
  readonly ledger: Manifest["ledger"];
  readonly exit: Manifest["exit"];
  readonly sign: SignNote;
}

export interface FinishedBundle {
  readonly dir: string;
  readonly manifest: Manifest;
  /** SHA-256 of MANIFEST.json: names the whole bundle. */
  readonly manifestSha256: Sha256;
}

/**
 * Writes a bundle beside its place (`DIR.partial`) and renames it when it is whole: DIR exists only complete. Every file is hashed
 * while it streams; memory stays flat. Files may be written concurrently.
 */
export class BundleWriter implements ExportSink {
  readonly dir: string;
  readonly partial: string;
  private readonly taken = new Set<string>();
  private readonly folders = new Set<string>();
  private readonly written: ManifestFile[] = [];
  private readonly omitted: { what: string; why: string }[] = [];
  private bytes = 0;
  private open = 0;

  private constructor(dir: string) {
    this.dir = dir;
    this.partial = `${dir}.partial`;
  }

  /** Begins anew: what a killed export left in `DIR.partial` goes. Throws Fault BUNDLE_EXISTS when DIR is there already. */
  static async create(dir: string): Promise<BundleWriter> {
    const writer = new BundleWriter(dir);
    if (await isThere(dir)) throw new Fault("BUNDLE_EXISTS", `${dir} exists already`, { hint: "choose another folder, or move that one away" });
    await rm(writer.partial, { recursive: true, force: true });
    await mkdir(writer.partial, { recursive: true, mode: 0o700 });
    return writer;
  }

  async file(path: string, source: string | Uint8Array | Readable): Promise<void> {
    const checked = this.claim(path);
    const hasher = createHash("sha256");
    let bytes = 0;
    this.open += 1;
    try {
      const parent = dirname(checked);
      if (!this.folders.has(parent)) await mkdir(join(this.partial, parent), { recursive: true, mode: 0o700 });
      this.folders.add(parent);
      const file = await open(join(this.partial, checked), "wx", 0o600);
      try {
        const chunks: AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string> = source instanceof Readable ? source : [source];
        for await (const chunk of chunks) {
          const piece = typeof chunk === "string" ? new TextEncoder().encode(chunk) : (chunk as Buffer);
          hasher.update(piece);
          bytes += piece.length;
          this.bytes += piece.length;
          if (this.bytes > BUNDLE_BYTES_MAX) throw new Fault("BUNDLE_TOO_BIG", `the bundle would exceed ${BUNDLE_BYTES_MAX} bytes`);
          if (piece.length > 0) await file.writeFile(piece);
        }
      } finally {
        await file.close();
      }
      this.written.push({ path: checked, bytes, sha256: hasher.digest("hex") as Sha256, section: sectionOf(checked) });
    } catch (error) {
      if (source instanceof Readable) source.destroy();
      throw error;
    } finally {
      this.open -= 1;
    }
  }

  omit(what: string, why: string): void {
    this.omitted.push({ what, why });
  }

  /** What was written so far, sorted by path: for the report, which is itself a file of the bundle. */
  contents(): { readonly files: readonly ManifestFile[]; readonly notIncluded: Manifest["notIncluded"] } {
    return { files: [...this.written].sort(byPath), notIncluded: [...this.omitted] };
  }

  /** Writes manifest and signature and puts the bundle in its place. Throws Fault BUNDLE_UNFINISHED when a file failed or is still being written. */
  async finish(facts: BundleFacts): Promise<FinishedBundle> {
    if (this.open > 0 || this.written.length !== this.taken.size) {
      throw new Fault("BUNDLE_UNFINISHED", `${this.taken.size - this.written.length} of ${this.taken.size} files were not written whole`, { hint: "export again" });
    }
    const { files, notIncluded } = this.contents();
    const { imvu, createdAt, toolVersion, ledger, exit } = facts;
    const manifest: Manifest = { format: BUNDLE_FORMAT, imvu, createdAt, toolVersion, ledger, exit, sections: sectionsOf(files), files: [...files], notIncluded: [...notIncluded] };
    const text = new TextEncoder().encode(manifestText(manifest));
    await writeFileAtomic(join(this.partial, MANIFEST_PATH), text, 0o600);
    await writeFileAtomic(join(this.partial, SIGNATURE_PATH), await facts.sign(manifestNoteText(imvu, text)), 0o600);
    await rename(this.partial, this.dir);
    return { dir: this.dir, manifest, manifestSha256: sha256Hex(text) };
  }

  async abandon(): Promise<void> {
    await rm(this.partial, { recursive: true, force: true });
  }

  private claim(path: string): BundlePath {
    const parsed = parseBundlePath(path);
    if (!parsed.ok) throw new Fault("BUNDLE_PATH", parsed.message, { hint: parsed.hint });
    if (parsed.value === MANIFEST_PATH || parsed.value === SIGNATURE_PATH || this.taken.has(parsed.value)) {
      throw new Fault("BUNDLE_PATH_TAKEN", `the bundle has a file ${parsed.value} already`);
    }
    if (this.taken.size >= BUNDLE_FILES_MAX) throw new Fault("BUNDLE_TOO_MANY_FILES", `the bundle would hold more than ${BUNDLE_FILES_MAX} files`);
    this.taken.add(parsed.value);
    return parsed.value;
  }
}

function byPath(a: ManifestFile, b: ManifestFile): number {
  return a.path < b.path ? -1 : 1;
}

async function isThere(path: string): Promise<boolean> {
  return readdir(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== "ENOENT",
  );
}
