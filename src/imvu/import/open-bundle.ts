import { createHash } from "node:crypto";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Readable, Transform } from "node:stream";
import type { BundleReader } from "../../contract/index.ts";
import { accept, Fault, messageOf, type Outcome, refuse, type Sha256, sha256File, sha256Hex } from "../../kernel/index.ts";
import { BUNDLE_LIMITS, type BundleLimits, Failures, inspectBundle, type Manifest, MANIFEST_PATH, type ManifestFile, openPlain, unpackBundle } from "../../verify/index.ts";

export interface OpenBundleOptions {
  /** An archive is unpacked in a new folder below it; removed by close, or at once when the bundle is refused. */
  readonly scratchDir: string;
  readonly limits?: BundleLimits;
  /** Believe this log only (verifier key); without it the bundle's own key proves that nothing changed since it was signed. */
  readonly logKey?: string;
}

/** A bundle whose every file was held against a signed manifest. What is read is held against it once more while it is read. */
export interface OpenedBundle extends BundleReader {
  readonly manifest: Manifest;
  /** SHA-256 of MANIFEST.json. */
  readonly manifestSha256: Sha256;
  readonly logKey: string;
  readonly dir: string;
  close(): Promise<void>;
}

/** `read` answers whole files; what is larger must be streamed. */
export const READ_BYTES_MAX = 64 * 1024 ** 2;

/** Opens a hostile bundle: folder, `.tar` or `.tar.zst`. Nothing of it is handed out before all of it was checked. */
export async function openBundle(path: string, options: OpenBundleOptions): Promise<Outcome<OpenedBundle>> {
  const limits = options.limits ?? BUNDLE_LIMITS;
  const is = await stat(path).catch(() => undefined);
  if (!is) return refuse("not-found", "BUNDLE_MISSING", `bundle ${path}: there is none`, "give the folder or archive that 'nexus imvu exit' wrote");
  if (is.isDirectory()) return await inspected(path, limits, options.logKey, async () => {});
  const scratch = await mkdtemp(join(options.scratchDir, "bundle-"));
  const close = () => rm(scratch, { recursive: true, force: true });
  try {
    const unpacked = await unpackBundle(path, scratch, limits);
    const opened = unpacked.ok ? await inspected(scratch, limits, options.logKey, close) : unpacked;
    if (!opened.ok) await close();
    return opened;
  } catch (error) {
    await close();
    throw error;
  }
}

async function inspected(dir: string, limits: BundleLimits, trusted: string | undefined, close: () => Promise<void>): Promise<Outcome<OpenedBundle>> {
  const failures = new Failures();
  const { manifest, logKey } = await inspectBundle(dir, limits, trusted, failures);
  const [first] = failures.list;
  if (first || !manifest || logKey === undefined) {
    const what = first ? `${first.what}: expected ${first.expected}, found ${first.found}` : "it cannot be read";
    return refuse("usage", "BUNDLE_ALTERED", `bundle: ${what}`, "ask for the bundle again: this one is not as it was signed");
  }
  return accept({ ...(await reader(dir, manifest)), manifest, logKey, dir, close });
}

async function reader(dir: string, manifest: Manifest): Promise<BundleReader & { manifestSha256: Sha256 }> {
  const files = new Map<string, ManifestFile>(manifest.files.map((file) => [file.path, file]));
  const listed = (path: string) => {
    const file = files.get(path);
    if (!file) throw new Fault("BUNDLE_NO_FILE", `the bundle has no file ${path}`);
    return file;
  };
  return {
    manifestSha256: await sha256File(join(dir, MANIFEST_PATH)),
    list: (prefix) => [...files.keys()].filter((path) => path.startsWith(prefix)).sort(),
    async read(path) {
      const { bytes, sha256 } = listed(path);
      if (bytes > READ_BYTES_MAX) throw new Fault("BUNDLE_FILE_LARGE", `${path} has ${bytes} bytes; read at most ${READ_BYTES_MAX}, stream the rest`);
      const file = await openPlain(dir, path);
      try {
        const content = await file?.readFile();
        if (!content || sha256Hex(content) !== sha256) throw changed(path);
        return content;
      } finally {
        await file?.close();
      }
    },
    stream(path) {
      const { bytes, sha256 } = listed(path);
      return checkedStream(dir, path, bytes, sha256);
    },
  };
}

/** Ends in an error when what passed is not what was signed, so a reader never takes a changed file for a whole one. */
function checkedStream(dir: string, path: string, bytes: number, sha256: Sha256): Readable {
  const hasher = createHash("sha256");
  let seen = 0;
  const check = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      seen += chunk.length;
      hasher.update(chunk);
      if (seen > bytes) done(changed(path));
      else done(null, chunk);
    },
    flush(done) {
      done(hasher.digest("hex") === sha256 ? null : changed(path));
    },
  });
  openPlain(dir, path).then(
    (file) => {
      if (!file) check.destroy(changed(path));
      else if (check.destroyed) void file.close();
      else {
        const source = file.createReadStream();
        source.on("error", (error) => check.destroy(error));
        check.on("close", () => source.destroy());
        source.pipe(check);
      }
    },
    (error) => check.destroy(new Fault("BUNDLE_READ", messageOf(error), { cause: error })),
  );
  return check;
}

function changed(path: string): Fault {
  return new Fault("BUNDLE_CHANGED", `${path} changed after the bundle was checked`);
}
