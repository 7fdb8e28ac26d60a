import { createReadStream } from "node:fs";
import { access } from "node:fs/promises";
import { join } from "node:path";
import type { ExportSink } from "../../contract/index.ts";
import { Fault } from "../../kernel/index.ts";

export const VERIFIER_PATH = "verify.mjs";

/** The one-file verifier as `npm run build` left it in this checkout. */
const BUILT_VERIFIER = join(import.meta.dirname, "../../../dist", VERIFIER_PATH);

export async function writeVerifier(sink: ExportSink, built = BUILT_VERIFIER): Promise<void> {
  await access(built).catch(() => {
    throw new Fault("VERIFIER_MISSING", `${built} is missing: a bundle must carry its verifier`, { hint: "npm run build" });
  });
  await sink.file(VERIFIER_PATH, createReadStream(built));
}
