import { mkdtemp, rm, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { IMVU_DOCUMENT_PATH, packBundle } from "../imvu/export/index.ts";
import { openBundle } from "../imvu/import/index.ts";
import { type Currency, type DisplayName, type Fqdn, type ImvuId, type Jurisdiction, parseCurrency, parseDisplayName, parseFqdn, parseImvuId, parseJurisdiction, parseTimeZone, type Sha256, type TimeZone } from "../kernel/index.ts";
import { must } from "./context.ts";

export interface UploadableBundle {
  readonly archive: string;
  /** SHA-256 of MANIFEST.json: what the signed command commits to. */
  readonly manifest: Sha256;
  readonly imvu: { readonly id: ImvuId; readonly name: DisplayName; readonly jurisdiction: Jurisdiction; readonly zone: Fqdn; readonly timeZone?: TimeZone; readonly currency?: Currency };
  close(): Promise<void>;
}

/** Opens a bundle as hostile input, reads whose it is, and has it as one archive; a folder is packed in a scratch place. */
export async function packForUpload(path: string): Promise<UploadableBundle> {
  const scratch = await mkdtemp(join(tmpdir(), "nexus-import-"));
  const close = () => rm(scratch, { recursive: true, force: true });
  try {
    const opened = must(await openBundle(path, { scratchDir: scratch }));
    const document = JSON.parse(Buffer.from(await opened.read(IMVU_DOCUMENT_PATH)).toString("utf8")) as Record<string, unknown>;
    const imvu = {
      id: must(parseImvuId(document.id)),
      name: must(parseDisplayName(document.name)),
      jurisdiction: must(parseJurisdiction(document.jurisdiction)),
      zone: must(parseFqdn(document.zone)),
      ...(document.timeZone === undefined ? {} : { timeZone: must(parseTimeZone(document.timeZone)) }),
      ...(document.currency === undefined ? {} : { currency: must(parseCurrency(document.currency)) }),
    };
    const { manifest, manifestSha256 } = opened;
    if (!(await stat(path)).isDirectory()) return { archive: path, manifest: manifestSha256, imvu, close };
    // Packed under its own name, beside a link to it: nothing is written next to the person's bundle.
    const dir = join(scratch, basename(path));
    await symlink(path, dir);
    const { archive } = await packBundle({ dir, manifest, manifestSha256 });
    return { archive, manifest: manifestSha256, imvu, close };
  } catch (error) {
    await close();
    throw error;
  }
}
