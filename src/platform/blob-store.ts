import { createHash, randomBytes } from "node:crypto";
import { open, readdir, rename, rm, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { Blobs } from "../contract/index.ts";
import { accept, Fault, type Outcome, parseSha256, refuse, type Refusal, type Sha256 } from "../kernel/index.ts";

export const BLOB_BYTES_MAX = 8 * 1024 ** 3;
/** An upload never takes the room that the ledger and the engines need. */
const DISK_RESERVE_BYTES = 1024 ** 3;
const ROOM_ASKED_EVERY_BYTES = 32 * 1024 ** 2;

/** Private content-addressed files: what a command names by SHA-256 is uploaded here first. */
export class BlobStore implements Blobs {
  protected readonly folder: string;
  private readonly reserveBytes: number;

  constructor(folder: string, reserveBytes = DISK_RESERVE_BYTES) {
    this.folder = folder;
    this.reserveBytes = reserveBytes;
  }

  path(digest: Sha256): string {
    return join(this.folder, digest);
  }

  async has(digest: Sha256): Promise<boolean> {
    return await stat(this.path(digest)).then(
      () => true,
      () => false,
    );
  }

  /** Streams `source` in; kept only when its digest is the announced one. Bounded memory, durable when it resolves. */
  async put(digest: Sha256, source: Readable | readonly Uint8Array[], bytesMax = BLOB_BYTES_MAX): Promise<Outcome<number>> {
    const beside = join(this.folder, `.${randomBytes(8).toString("hex")}.new`);
    const hasher = createHash("sha256");
    const file = await open(beside, "wx", 0o600);
    let bytes = 0;
    let asked = -ROOM_ASKED_EVERY_BYTES;
    try {
      for await (const chunk of source) {
        const part = chunk as Uint8Array;
        bytes += part.length;
        if (bytes > bytesMax) return refuse("usage", "BLOB_TOO_LARGE", `body: more than ${bytesMax} bytes`, "upload less");
        if (bytes - asked >= ROOM_ASKED_EVERY_BYTES) {
          const full = await this.full();
          if (full) return full;
          asked = bytes;
        }
        hasher.update(part);
        await file.write(part);
      }
      const seen = hasher.digest("hex");
      if (seen !== digest) return refuse("usage", "BLOB_DIGEST", `body: its SHA-256 is ${seen}, not ${digest}`, "upload the file again");
      await file.sync();
      await rename(beside, this.path(digest));
      await this.syncFolder();
      return accept(bytes);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOSPC") return noRoom(0);
      throw error;
    } finally {
      await file.close();
      await rm(beside, { force: true });
    }
  }

  /** Takes away uploads that a crash broke off, and files of before `since_ms` that nobody uses. */
  async sweep(used: ReadonlySet<Sha256>, since_ms: number): Promise<readonly Sha256[]> {
    const swept: Sha256[] = [];
    for (const name of await readdir(this.folder)) {
      const path = join(this.folder, name);
      const digest = parseSha256(name);
      const mayGo = digest ? !used.has(digest) : name.endsWith(".new");
      if (!mayGo || ((await stat(path).catch(() => undefined))?.mtimeMs ?? Number.POSITIVE_INFINITY) >= since_ms) continue;
      await rm(path, { force: true });
      if (digest) swept.push(digest);
    }
    return swept;
  }

  private async full(): Promise<Refusal | undefined> {
    const { bavail, bsize } = await statfs(this.folder);
    const free = bavail * bsize - this.reserveBytes;
    return free > 0 ? undefined : noRoom(Math.max(0, free));
  }

  private async syncFolder(): Promise<void> {
    const folder = await open(this.folder, "r").catch((cause: unknown) => {
      throw new Fault("BLOBS_FOLDER", `cannot open ${this.folder}`, { cause });
    });
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }
}

function noRoom(bytes: number): Refusal {
  return refuse("conflict", "NO_ROOM", `body: the platform's disk has ${bytes} bytes left for uploads`, "tell its operator; nothing was kept");
}
