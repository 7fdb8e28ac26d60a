import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Fault, messageOf } from "../kernel/index.ts";
import { verificationText } from "./print.ts";
import { verifyExport } from "./verify-export.ts";

/** `node verify.mjs [PATH] [--log-key KEY] [--json]`: the whole of this repository that a bundle needs to be believed. */

const USAGE = `usage: node verify.mjs [PATH] [--log-key KEY] [--json]
  PATH           bundle folder, .tar or .tar.zst, or the folder of 'nexus ledger export'; default: the folder this file lies in
  --log-key KEY  the log's verifier key (<name>+<id>+<base64>) as you know it from elsewhere; default: the one in the bundle
  --json         one JSON document instead of text
exit codes: 0 everything holds, 1 something does not, 2 it could not be checked
`;

async function main(): Promise<number> {
  let parsed: { values: { "log-key"?: string; json?: boolean; help?: boolean }; positionals: string[] };
  try {
    parsed = parseArgs({ allowPositionals: true, options: { "log-key": { type: "string" }, json: { type: "boolean" }, help: { type: "boolean" } } });
    if (parsed.positionals.length > 1) throw new TypeError("more than one PATH");
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n${USAGE}`);
    return 2;
  }
  const { values, positionals } = parsed;
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const own = dirname(fileURLToPath(import.meta.url));
  const path = positionals[0] ?? (existsSync(join(own, "MANIFEST.json")) ? own : ".");
  try {
    const verification = await verifyExport(path, values["log-key"] === undefined ? {} : { logKey: values["log-key"] });
    process.stdout.write(values.json ? `${JSON.stringify(verification)}\n` : verificationText(verification));
    return verification.ok ? 0 : 1;
  } catch (error) {
    process.stderr.write(`${messageOf(error)}${error instanceof Fault ? ` – ${error.hint}` : ""}\n`);
    return 2;
  }
}

process.exitCode = await main();
