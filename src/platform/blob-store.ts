import { createHash, randomBytes } from "node:crypto";
import { open, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { Blobs } from "../contract/index.ts";
import { accept, type Outcome, refuse, type Sha256 } from "../kernel/index.ts";

export const BLOB_BYTES_MAX = 8 * 1024 ** 3;

/** Private content-addressed files: what a command names by SHA-256 is uploaded here first. */
export class BlobStore implements Blobs {
  private readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
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
    try {
      for await (const chunk of source) {
        const part = chunk as Uint8Array;
        bytes += part.length;
        if (bytes > bytesMax) return refuse("usage", "BLOB_TOO_LARGE", `body: more than ${bytesMax} bytes`, "upload less");
        hasher.update(part);
        await file.write(part);
      }
      const seen = hasher.digest("hex");
      if (seen !== digest) return refuse("usage", "BLOB_DIGEST", `body: its SHA-256 is ${seen}, not ${digest}`, "upload the file again");
      await file.sync();
      await rename(beside, this.path(digest));
      return accept(bytes);
    } finally {
      await file.close();
      await rm(beside, { force: true });
    }
  }
}
