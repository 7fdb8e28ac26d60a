import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Fault } from "../kernel/index.ts";
import { BUNDLE_LIMITS, unpackBundle } from "./bundle/unpack.ts";
import { isLogAddress } from "./live/address.ts";
import { type LiveOptions, verifyLiveLog } from "./live/verify-live-log.ts";
import { isLogFolder, verifyLog } from "./log/verify-log.ts";
import { type Verification, type VerifyOptions, verifyBundle } from "./verify-bundle.ts";

export interface VerifyExportOptions extends VerifyOptions {
  /** Where an archive is unpacked to be verified, and removed again; default: the system's folder for temporary files. */
  readonly scratchDir?: string;
  /** For an address only. */
  readonly live?: LiveOptions;
}

/**
 * Verifies a bundle folder, a `.tar` or `.tar.zst` of one, a log's folder, or a log where it is served: only with an http or https address is the
 * network touched. Throws Fault BUNDLE_MISSING when there is nothing at `path`.
 */
export async function verifyExport(path: string, options: VerifyExportOptions = {}): Promise<Verification> {
  const { live = {} } = options;
  if (isLogAddress(path)) return await verifyLiveLog(path, { ...live, ...(options.logKey === undefined ? {} : { logKey: options.logKey }) });
  if (live.since !== undefined || live.keep !== undefined || live.require !== undefined || live.witnesses?.length)
    throw new Fault("LIVE_ONLY", `--since, --keep, --witness and --require are for a log that is served, and ${path} is no http or https address`, { hint: "give the log's address, e.g. https://host/log/" });
  const is = await stat(path).catch(() => undefined);
  if (!is) throw new Fault("BUNDLE_MISSING", `${path}: no such folder or archive`, { hint: "give the folder that 'nexus imvu exit' wrote, or its .tar.zst" });
  if (is.isDirectory()) return (await isLogFolder(path)) ? await verifyLog(path, options.logKey) : await verifyBundle(path, options);
  const scratch = await mkdtemp(join(options.scratchDir ?? tmpdir(), "nexus-verify-"));
  try {
    const unpacked = await unpackBundle(path, scratch, options.limits ?? BUNDLE_LIMITS);
    if (unpacked.ok) return await verifyBundle(scratch, options);
    const none = { entries: 0, commands: 0, verdicts: 0, statements: 0, files: 0 };
    const failure = { what: path, expected: "an archive of a bundle", found: unpacked.message };
    return { ok: false, counts: none, of: none, failures: [failure], failuresTotal: 1, imvu: null, createdAt: null, logKey: null };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
