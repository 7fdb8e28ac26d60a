import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Imvu } from "../contract/index.ts";
import type { BlobFact } from "../core/policy-engine/index.ts";
import { type IdentityName, type Outcome, parseSha256, type Sha256 } from "../kernel/index.ts";
import type { Readable } from "node:stream";
import { BlobStore } from "./blob-store.ts";

const BLOBS_PER_IDENTITY_MAX = 10_000;

/** Who uploaded what: a digest alone is no right to use somebody else's file. */
export class BlobShelf extends BlobStore {
  private readonly uploads: string;

  constructor(folder: string) {
    super(folder);
    this.uploads = join(folder, "by");
  }

  async putBy(identity: IdentityName, digest: Sha256, body: Readable): Promise<Outcome<number>> {
    const shelf = join(this.uploads, identity);
    await mkdir(shelf, { recursive: true, mode: 0o700 });
    if ((await readdir(shelf)).length >= BLOBS_PER_IDENTITY_MAX)
      return { ok: false, kind: "conflict", code: "BLOBS_MANY", message: `${identity} has uploaded ${BLOBS_PER_IDENTITY_MAX} files already`, hint: "remove services that are not used any more" };
    const stored = await this.put(digest, body);
    if (stored.ok) await writeFile(join(shelf, digest), "", { mode: 0o600 });
    return stored;
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
