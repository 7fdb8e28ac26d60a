import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Pack, pack } from "tar-stream";
import { type Sha256, writeFileAtomic, zstdCompressed } from "../../kernel/index.ts";
import { MANIFEST_PATH, SIGNATURE_PATH } from "../../verify/index.ts";
import type { FinishedBundle } from "./bundle-writer.ts";

export interface PackedBundle {
  readonly archive: string;
  readonly sha256: Sha256;
  readonly bytes: number;
}

/**
 * Packs a finished bundle as `DIR.tar.zst` (with `encryptTo` as `DIR.tar.zst.age`) beside it, with a `.sha256` that `sha256sum -c` reads.
 * Manifest and signature come first; owner, mode and times are fixed, so the same bundle makes the same archive.
 * @param encryptTo an age recipient (`age1…`); the archive alone is encrypted, the folder is not touched.
 */
export async function packBundle({ dir, manifest }: FinishedBundle, encryptTo?: string): Promise<PackedBundle> {
  const archive = `${dir}.tar.zst${encryptTo === undefined ? "" : ".age"}`;
  const beside = `${archive}.partial`;
  const tar = pack();
  const fed = feed(tar, dir, manifest.createdAt, [MANIFEST_PATH, SIGNATURE_PATH, ...manifest.files.map(({ path }) => path)]);
  fed.catch((error: Error) => tar.destroy(error));
  const hasher = createHash("sha256");
  const hashing = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      hasher.update(chunk);
      done(null, chunk);
    },
  });
  try {
    const compressed = zstdCompressed(tar as unknown as Readable);
    const source = encryptTo === undefined ? compressed : await encrypted(compressed, encryptTo);
    await pipeline(source, hashing, createWriteStream(beside, { mode: 0o600 }));
    await fed;
    await syncFile(beside);
    await rename(beside, archive);
  } catch (error) {
    await fed.catch(() => {});
    await rm(beside, { force: true });
    throw error;
  }
  const sha256 = hasher.digest("hex") as Sha256;
  await writeFileAtomic(`${archive}.sha256`, `${sha256}  ${basename(archive)}\n`, 0o600);
  return { archive, sha256, bytes: (await stat(archive)).size };
}

async function feed(tar: Pack, dir: string, createdAt: string, paths: readonly string[]): Promise<void> {
  const top = basename(dir);
  const fixed = { mode: 0o600, uid: 0, gid: 0, mtime: new Date(createdAt), type: "file" } as const;
  for (const path of paths) {
    const { size } = await stat(join(dir, path));
    const entry = tar.entry({ ...fixed, name: `${top}/${path}`, size });
    await pipeline(createReadStream(join(dir, path)), entry as unknown as NodeJS.WritableStream);
  }
  tar.finalize();
}

async function encrypted(source: Readable, recipient: string): Promise<Readable> {
  const { Encrypter } = await import("age-encryption");
  const encrypter = new Encrypter();
  encrypter.addRecipient(recipient);
  return Readable.fromWeb((await encrypter.encrypt(Readable.toWeb(source) as ReadableStream<Uint8Array>)) as import("node:stream/web").ReadableStream);
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
