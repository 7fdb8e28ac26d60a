import type { Buffer } from "node:buffer";
import { createReadStream } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import * as zlib from "node:zlib";
import { extract, type Header } from "tar-stream";
import { accept, Fault, messageOf, type Outcome, quoteForPeople, type Refusal, refuse } from "../../kernel/index.ts";
import { BUNDLE_BYTES_MAX, BUNDLE_FILES_MAX } from "./manifest.ts";
import { BUNDLE_PATH_DEPTH_MAX, parseBundlePath } from "./path.ts";

export interface BundleLimits {
  readonly files_max: number;
  /** Sum of all files' bytes, unpacked. */
  readonly bytes_max: number;
}

export const BUNDLE_LIMITS: BundleLimits = { files_max: BUNDLE_FILES_MAX, bytes_max: BUNDLE_BYTES_MAX };

/** tar's own bytes for one entry: header, padding, and two extended headers for a long name. */
const TAR_ENTRY_BYTES_MAX = 8 * 512;
const ZSTD_MAGIC = "28b52ffd";

/**
 * Unpacks the hostile archive at `archive` (.tar or .tar.zst) into the empty folder `into`. Only regular files and folders under
 * one top folder are accepted; each header is judged before a byte of its entry is written, and the sum of what comes out of
 * the decompressor is bounded, so a bomb ends at the bound. On a refusal the caller removes `into`.
 */
export async function unpackBundle(archive: string, into: string, limits: BundleLimits = BUNDLE_LIMITS): Promise<Outcome<{ readonly files: number; readonly bytes: number }>> {
  const tar = extract();
  const streams: NodeJS.ReadWriteStream[] = [boundedBytes(limits.bytes_max + (limits.files_max + 1) * TAR_ENTRY_BYTES_MAX)];
  if (await isZstd(archive)) streams.unshift(zstdDecompress());
  const fed = pipeline([createReadStream(archive), ...streams, tar as unknown as NodeJS.WritableStream]);
  fed.catch(() => {});
  const unpacked = new Unpacking(into, limits);
  try {
    for await (const entry of tar as AsyncIterable<Readable & { header: Header }>) await unpacked.take(entry.header, entry);
    await fed;
    return accept({ files: unpacked.files, bytes: unpacked.bytes });
  } catch (error) {
    tar.destroy();
    await fed.catch(() => {});
    if (error instanceof Refused) return error.refusal;
    if (isDamage(error)) return refused(`the archive cannot be read: ${messageOf(error)}`).refusal;
    throw error;
  }
}

class Unpacking {
  readonly into: string;
  readonly limits: BundleLimits;
  files = 0;
  bytes = 0;
  entries = 0;
  top: string | undefined;
  readonly folders = new Set<string>();

  constructor(into: string, limits: BundleLimits) {
    this.into = into;
    this.limits = limits;
  }

  async take(header: Header, body: Readable): Promise<void> {
    this.entries += 1;
    if (this.entries > this.limits.files_max * 2) throw refused(`it has more than ${this.limits.files_max} files and as many folders`);
    const shown = quoteForPeople(header.name);
    if (header.type !== "file" && header.type !== "directory") throw refused(`${shown} is a ${header.type ?? "thing of unknown type"}; a bundle holds files and folders only`);
    const inside = this.insideTop(header.name.replace(/^\.\//, "").replace(/\/$/, ""), shown, header.type);
    if (header.type === "directory") {
      if (header.size) throw refused(`${shown} is a folder with content`);
      body.resume();
      if (inside !== undefined) await this.folder(inside);
      return;
    }
    const parsed = parseBundlePath(inside);
    if (!parsed.ok) throw new Refused(parsed);
    this.files += 1;
    if (this.files > this.limits.files_max) throw refused(`it has more than ${this.limits.files_max} files`);
    if (!Number.isSafeInteger(header.size) || this.bytes + (header.size ?? 0) > this.limits.bytes_max) throw refused(`it unpacks to more than ${this.limits.bytes_max} bytes`);
    const parent = dirname(parsed.value);
    if (parent !== ".") await this.folder(parent);
    await this.write(parsed.value, body, shown);
  }

  /** Archives hold one top folder, so that unpacking by hand makes one; it is not part of the bundle's paths. */
  private insideTop(name: string, shown: string, type: string): string | undefined {
    const slash = name.indexOf("/");
    const top = slash < 0 ? name : name.slice(0, slash);
    if (slash < 0 && type !== "directory") throw refused(`${shown} lies outside the bundle's one top folder`);
    const parsed = parseBundlePath(top);
    if (!parsed.ok) throw new Refused(parsed);
    this.top ??= top;
    if (top !== this.top) throw refused(`${shown} lies outside the bundle's top folder ${quoteForPeople(this.top)}`);
    return slash < 0 ? undefined : name.slice(slash + 1);
  }

  private async folder(path: string): Promise<void> {
    if (this.folders.has(path)) return;
    const parsed = parseBundlePath(path);
    if (!parsed.ok) throw new Refused(parsed);
    if (this.folders.size >= this.limits.files_max * BUNDLE_PATH_DEPTH_MAX) throw refused("it has too many folders");
    try {
      await mkdir(join(this.into, path), { recursive: true, mode: 0o700 });
    } catch (error) {
      if (isClash(error)) throw refused(`${quoteForPeople(path)} is a file and a folder`);
      throw error;
    }
    this.folders.add(path);
  }

  private async write(path: string, body: Readable, shown: string): Promise<void> {
    const file = await open(join(this.into, path), "wx", 0o600).catch((error: unknown) => {
      if (isClash(error)) throw refused(`${shown} comes twice`);
      throw error;
    });
    try {
      for await (const chunk of body as AsyncIterable<Buffer>) {
        this.bytes += chunk.length;
        if (this.bytes > this.limits.bytes_max) throw refused(`it unpacks to more than ${this.limits.bytes_max} bytes`);
        await file.writeFile(chunk);
      }
    } finally {
      await file.close();
    }
  }
}

class Refused extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

function refused(why: string): Refused {
  return new Refused(refuse("usage", "BUNDLE_ARCHIVE", `bundle archive: ${why}`, "give an archive that 'nexus imvu exit' wrote, unchanged"));
}

function boundedBytes(bytes_max: number): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > bytes_max) done(refused("it unpacks to more than its bound: a bomb"));
      else done(null, chunk);
    },
  });
}

async function isZstd(path: string): Promise<boolean> {
  const file = await open(path, "r");
  try {
    const { buffer, bytesRead } = await file.read({ buffer: new Uint8Array(4), length: 4, position: 0 });
    return bytesRead === 4 && buffer.reduce((hex, byte) => hex + byte.toString(16).padStart(2, "0"), "") === ZSTD_MAGIC;
  } finally {
    await file.close();
  }
}

function zstdDecompress(): NodeJS.ReadWriteStream {
  if (typeof zlib.createZstdDecompress !== "function") {
    throw new Fault("ZSTD_MISSING", "this Node cannot read zstd (22.15 or newer can)", { hint: "unpack it first: tar --zstd -xf BUNDLE.tar.zst" });
  }
  return zlib.createZstdDecompress();
}

/** What the archive's bytes can cause, as opposed to a full disk or a missing right. */
function isDamage(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException)?.code;
  if (error instanceof TypeError || error instanceof Fault) return false;
  return code === undefined || code.startsWith("ZSTD_") || code === "ERR_STREAM_PREMATURE_CLOSE" || code.startsWith("Z_") || code.startsWith("ERR_ZLIB");
}

function isClash(error: unknown): boolean {
  return ["EEXIST", "ENOTDIR", "EISDIR"].includes((error as NodeJS.ErrnoException)?.code ?? "");
}
