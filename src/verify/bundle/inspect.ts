import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { quoteForPeople, type Sha256 } from "../../kernel/index.ts";
import type { Failures, Tally } from "../failures.ts";
import { KEYS_BYTES_MAX, KEYS_PATH, logKeyOf } from "../keys-file.ts";
import { manifestNoteText, MANIFEST_BYTES_MAX, type Manifest, parseManifest, SIGNATURE_BYTES_MAX } from "./manifest.ts";
import { readManifestNote } from "./note.ts";
import { MANIFEST_PATH, SIGNATURE_PATH } from "./path.ts";
import type { BundleLimits } from "./unpack.ts";
import { walk } from "./walk.ts";

const READ_CHUNK_BYTES = 1024 * 1024;

export interface Inspection {
  /** Absent when it could not be read at all. */
  readonly manifest: Manifest | undefined;
  /** Verifier key of the log that signed the manifest. */
  readonly logKey: string | undefined;
  readonly files: Tally;
}

/**
 * Holds every file of an unpacked bundle against the manifest, and the manifest against its signature. Names the first thing
 * wrong first: a key file that was altered is named itself, not the signature it can no longer check.
 * @param trustedLogKey the log's verifier key, when the reader has it from elsewhere; otherwise the one in the bundle is taken.
 */
export async function inspectBundle(dir: string, limits: BundleLimits, trustedLogKey: string | undefined, failures: Failures): Promise<Inspection> {
  const none = { manifest: undefined, logKey: undefined, files: { good: 0, of: 0 } };
  const bytes = await readBounded(dir, MANIFEST_PATH, MANIFEST_BYTES_MAX, failures);
  const signature = await readBounded(dir, SIGNATURE_PATH, SIGNATURE_BYTES_MAX, failures);
  if (!bytes || !signature) return none;
  const parsed = parseManifest(bytes);
  if (!parsed.ok) {
    failures.add(MANIFEST_PATH, "a manifest as it was written", parsed.message);
    return none;
  }
  const manifest = parsed.value;
  const keys = await readBounded(dir, KEYS_PATH, KEYS_BYTES_MAX, failures);
  const logKey = trustedLogKey ?? (keys && logKeyOf(keys.toString("utf8")));
  const note = logKey === undefined ? undefined : readManifestNote(signature.toString("utf8"), logKey);
  const signed = note?.ok === true && note.value === manifestNoteText(manifest.imvu, bytes);
  if (note?.ok && !signed) failures.add(MANIFEST_PATH, "the manifest that the platform signed", "another one");
  const files = await inspectFiles(dir, manifest, limits, failures);
  if (note?.ok === false) failures.add(SIGNATURE_PATH, `a signature by ${logKey}`, note.message);
  if (!note) failures.add(KEYS_PATH, "the log's verifier key", "none");
  return { manifest, logKey: signed ? logKey : undefined, files };
}

async function inspectFiles(dir: string, manifest: Manifest, limits: BundleLimits, failures: Failures): Promise<Tally> {
  const of = manifest.files.length;
  const sum = manifest.files.reduce((total, { bytes }) => total + bytes, 0);
  if (of > limits.files_max || sum > limits.bytes_max) {
    failures.add(MANIFEST_PATH, `at most ${limits.files_max} files and ${limits.bytes_max} bytes`, `${of} files and ${sum} bytes`);
    return { good: 0, of };
  }
  const found = await walk(dir, limits.files_max * 4);
  if (found.more) failures.add(dir, `at most ${limits.files_max} files`, "more");
  for (const { path, what } of found.strange) failures.add(shown(path), "a file of the bundle", what);
  const listed = new Set<string>([MANIFEST_PATH, SIGNATURE_PATH, ...manifest.files.map(({ path }) => path)]);
  for (const path of found.files) if (!listed.has(path)) failures.add(shown(path), "no such file: the manifest does not list it", "a file");
  let good = 0;
  for (const { path, bytes, sha256 } of manifest.files) {
    const is = found.files.has(path) ? await digestOf(dir, path, bytes) : "missing";
    if (is === sha256) good += 1;
    else failures.add(path, `${bytes} bytes, SHA-256 ${sha256}`, is);
  }
  return { good, of };
}

/** The file's digest, or in words why there is none; never reads more than `bytes` + one chunk. */
async function digestOf(dir: string, path: string, bytes: number): Promise<Sha256 | string> {
  const file = await openPlain(dir, path);
  if (!file) return "not a readable file";
  try {
    const { size } = await file.stat();
    if (size !== bytes) return `${size} bytes`;
    const hasher = createHash("sha256");
    let seen = 0;
    const buffer = new Uint8Array(Math.min(READ_CHUNK_BYTES, bytes + 1));
    for (let { bytesRead } = await file.read(buffer); bytesRead > 0; { bytesRead } = await file.read(buffer)) {
      seen += bytesRead;
      if (seen > bytes) return "a file that grows";
      hasher.update(buffer.subarray(0, bytesRead));
    }
    return hasher.digest("hex") as Sha256;
  } finally {
    await file.close();
  }
}

async function readBounded(dir: string, path: string, bytes_max: number, failures: Failures) {
  const file = await openPlain(dir, path);
  if (!file) {
    failures.add(path, "a file", "missing");
    return undefined;
  }
  try {
    const { size } = await file.stat();
    if (size <= bytes_max) return await file.readFile();
    failures.add(path, `at most ${bytes_max} bytes`, `${size} bytes`);
    return undefined;
  } finally {
    await file.close();
  }
}

/** Opens without following a link and without hanging on a pipe; undefined when it is no regular file. */
export async function openPlain(dir: string, path: string): Promise<FileHandle | undefined> {
  const file = await open(join(dir, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(() => undefined);
  if (file && !(await file.stat()).isFile()) {
    await file.close();
    return undefined;
  }
  return file;
}

function shown(path: string): string {
  return quoteForPeople(path).slice(1, -1);
}
