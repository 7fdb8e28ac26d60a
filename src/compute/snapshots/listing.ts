import { createHash, type Hash } from "node:crypto";
import { type BigIntStats, constants } from "node:fs";
import { lstat, open, readdir, readlink } from "node:fs/promises";
import { canonicalJson, Fault, type Json, type Sha256 } from "../../kernel/index.ts";

/** What a listing says besides the tree. */
export interface ListingOptions {
  /** SHA-256 of the unit's document. */
  readonly document: Sha256;
  /** Subtracted from owners: ids as the services see them. */
  readonly uidBase: number;
  /** Files say at most this much together: one that is mostly holes can say more than any disk has. */
  readonly bytesMax: number;
  readonly signal?: AbortSignal;
}

export interface Listed {
  readonly digest: Sha256;
  /** Sum of the files' sizes. */
  readonly bytes: number;
  readonly files: number;
}

const LISTING_FORM = "nexus-snapshot/v1";
const ENTRIES_MAX = 10_000_000;
const CHUNK_BYTES = 256 * 1024;
/** Of the folder that stands in a snapshot for a subvolume inside, which is not in it (BTRFS_EMPTY_SUBVOL_DIR_OBJECTID). */
const PLACEHOLDER_INODE = 2n;
const SLASH = Buffer.from("/");

/**
 * SHA-256 over a text that names everything in a folder, whatever file system it lies on: the line `nexus-snapshot/v1`, the line
 * `document <SHA-256>`, then a line of canonical JSON for each entry, parents before what they hold, names in the order of their bytes:
 *
 *     ["web/a.txt","file",MODE,UID,GID,MTIME_S,SIZE,"<SHA-256 of the content>"]
 *     ["web","directory",MODE,UID,GID,MTIME_S]      ["web/to","link",MODE,UID,GID,MTIME_S,"a.txt"]
 *
 * Names and targets are percent-encoded as RFC 3986 §2.1 does, all but its unreserved characters and the slash, so that any bytes have one
 * spelling. Pipes, sockets and devices are named by their kind. Hard links count as files of their own; extended attributes and access
 * control lists are not listed. Reads in one pass; remembers the names of the folders it stands in.
 */
export async function listTree(root: string, { document, uidBase, bytesMax, signal }: ListingOptions): Promise<Listed> {
  const hasher = createHash("sha256").update(`${LISTING_FORM}\ndocument ${document}\n`);
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  const seen = { entries: 0, files: 0, bytes: 0n };

  const add = async (full: Buffer, path: string): Promise<void> => {
    signal?.throwIfAborted();
    seen.entries += 1;
    if (seen.entries > ENTRIES_MAX) throw new Fault("SNAPSHOT_TOO_LARGE", `there are more than ${ENTRIES_MAX} names`, { hint: "pack some of them into archives" });
    const stats = await lstat(full, { bigint: true });
    const line = [path, kindOf(stats), Number(stats.mode & 0o7777n), Number(stats.uid) - uidBase, Number(stats.gid) - uidBase, secondsOf(stats.mtimeNs)];
    if (stats.isFile()) {
      seen.files += 1;
      seen.bytes += stats.size;
      if (seen.bytes > BigInt(bytesMax)) throw new Fault("SNAPSHOT_TOO_LARGE", `its files say that they are more than ${bytesMax} bytes together`, { hint: "files of holes count as large as they say: make them smaller" });
      entry(hasher, [...line, Number(stats.size), await contentOf(full, chunk, signal)]);
    } else if (stats.isSymbolicLink()) entry(hasher, [...line, encoded(await readlink(full, { encoding: "buffer" }))]);
    else entry(hasher, line);
    if (!stats.isDirectory()) return;
    if (stats.ino === PLACEHOLDER_INODE)
      throw new Fault("SNAPSHOT_NESTED", `${path} is a subvolume that a service made, and what is in it is in no snapshot of /data`, { hint: "let the service use a plain folder there" });
    await children(full, `${path}/`);
  };
  const children = async (folder: Buffer, prefix: string): Promise<void> => {
    const names = await readdir(folder, { encoding: "buffer" });
    for (const name of names.sort(Buffer.compare)) await add(Buffer.concat([folder, SLASH, name]), `${prefix}${encoded(name)}`);
  };

  await children(Buffer.from(root), "");
  return { digest: hasher.digest("hex") as Sha256, bytes: Number(seen.bytes), files: seen.files };
}

function entry(hasher: Hash, line: readonly Json[]): void {
  hasher.update(`${canonicalJson(line)}\n`);
}

async function contentOf(path: Buffer, chunk: Buffer, signal: AbortSignal | undefined): Promise<string> {
  const hasher = createHash("sha256");
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    for (;;) {
      signal?.throwIfAborted();
      const { bytesRead } = await file.read(chunk, 0, chunk.length, null);
      if (bytesRead === 0) return hasher.digest("hex");
      hasher.update(chunk.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}

function kindOf(stats: BigIntStats): string {
  if (stats.isDirectory()) return "directory";
  if (stats.isFile()) return "file";
  if (stats.isSymbolicLink()) return "link";
  if (stats.isFIFO()) return "pipe";
  return stats.isSocket() ? "socket" : "device";
}

/** Towards the past, before 1970 too. */
function secondsOf(ns: bigint): number {
  const second = 1_000_000_000n;
  return Number((ns - (((ns % second) + second) % second)) / second);
}

function encoded(bytes: Buffer): string {
  let text = "";
  for (const byte of bytes) {
    const character = String.fromCharCode(byte);
    text += /[A-Za-z0-9._~/-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return text;
}
