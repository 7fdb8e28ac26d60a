import { mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Imvu } from "../contract/index.ts";
import type { BlobFact } from "../core/policy-engine/index.ts";
import { type IdentityName, type Outcome, parseSha256, refuse, type Sha256 } from "../kernel/index.ts";
import type { Readable } from "node:stream";
import { BLOB_BYTES_MAX, BlobStore } from "./blob-store.ts";

/** Of uploads that no unit uses: whoever uploads is about to name them in a command. */
export const WAITING_FILES_MAX = 1_000;
export const WAITING_BYTES_MAX = 16 * 1024 ** 3;
/** After that an upload that no unit uses is taken away. */
export const WAITING_MS_MAX = 24 * 3_600_000;

/** Who uploaded what: a digest alone is no right to use somebody else's file. */
export class BlobShelf extends BlobStore {
  private readonly uploads: string;

  constructor(folder: string, reserveBytes?: number) {
    super(folder, reserveBytes);
    this.uploads = join(folder, "by");
  }

  /** @param used digests that some unit uses, or the platform itself: they do not count */
  async putBy(identity: IdentityName, digest: Sha256, body: Readable, used: ReadonlySet<Sha256> = new Set()): Promise<Outcome<number>> {
    const shelf = join(this.uploads, identity);
    await mkdir(shelf, { recursive: true, mode: 0o700 });
    const waiting = await this.waiting(shelf, used);
    if (waiting.files >= WAITING_FILES_MAX || waiting.bytes >= WAITING_BYTES_MAX)
      return refuse("conflict", "UPLOADS_WAIT", `${identity} has ${waiting.files} uploads of ${waiting.bytes} bytes that no unit uses; at most ${WAITING_FILES_MAX} of ${WAITING_BYTES_MAX} bytes may wait`, "use them, or wait: after a day they are taken away");
    const stored = await this.put(digest, body, Math.min(BLOB_BYTES_MAX, WAITING_BYTES_MAX - waiting.bytes));
    if (stored.ok) await writeFile(join(shelf, digest), "", { mode: 0o600 });
    return stored;
  }

  override async sweep(used: ReadonlySet<Sha256>, since_ms: number): Promise<readonly Sha256[]> {
    const swept = await super.sweep(used, since_ms);
    for (const identity of await readdir(this.uploads).catch(() => [] as string[])) for (const digest of swept) await rm(join(this.uploads, identity, digest), { force: true });
    return swept;
  }

  private async waiting(shelf: string, used: ReadonlySet<Sha256>): Promise<{ readonly files: number; readonly bytes: number }> {
    let [files, bytes] = [0, 0];
    for (const name of await readdir(shelf)) {
      if (used.has(name as Sha256)) continue;
      const size = (await stat(this.path(name as Sha256)).catch(() => undefined))?.size;
      if (size === undefined) continue;
      files += 1;
      bytes += size;
    }
    return { files, bytes };
  }

  /** A blob is readable to whoever uploaded it and to the unit that uses it already. */
  async fact(digest: Sha256, actor: string | null, imvu: Imvu | undefined): Promise<BlobFact> {
    const info = await stat(this.path(digest)).catch(() => undefined);
    const uploaded = actor !== null && (await stat(join(this.uploads, actor, digest)).catch(() => undefined)) !== undefined;
    return { digest, readable: info !== undefined && (uploaded || (imvu !== undefined && blobsOf(imvu).has(digest))), bytes: info?.size ?? 0 };
  }
}

/** Every blob an IMVU's document names. */
export function blobsOf(imvu: Imvu): ReadonlySet<Sha256> {
  const digests = new Set<Sha256>();
  for (const service of imvu.services) {
    if (service.source.kind === "runtime") digests.add(service.source.content);
    if (service.source.kind === "oci") digests.add(service.source.archive);
  }
  for (const mailbox of imvu.mailboxes) digests.add(mailbox.passwordHash);
  for (const digest of digests) if (!parseSha256(digest)) digests.delete(digest);
  return digests;
}
