import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Fault, messageOf } from "../kernel/index.ts";
import { printable, progressLine, verificationText } from "./print.ts";
import { verifyExport } from "./verify-export.ts";

/** `node verify.mjs [PATH|URL] [--log-key KEY] [--json]`: the whole of this repository that a bundle, or a log, needs to be believed. */

const USAGE = `usage: node verify.mjs [PATH] [--log-key KEY] [--json]
       node verify.mjs URL [--log-key KEY] [--since FILE] [--keep FILE] [--witness KEY]… [--require K] [--json]
  PATH           bundle folder, .tar or .tar.zst, or the folder of 'nexus ledger export'; default: the folder this file lies in
  URL            a log where it is served: its public prefix, e.g. https://host/log/. Only then is the network touched
  --log-key KEY  the log's verifier key (<name>+<id>+<base64>) as you know it from elsewhere; default: the one kept, else the one in the
                 bundle or at the log
  --since FILE   an older checkpoint of this log, which must be its beginning
  --keep FILE    the same, and the new checkpoint is kept there when everything holds; made at the first time
  --witness KEY  a witness's verifier key; give it once for each
  --require K    so many of these witnesses must have cosigned; default: all
  --json         one JSON document instead of text
exit codes: 0 everything holds, 1 something does not, 2 it could not be checked
`;

const OPTIONS = {
  "log-key": { type: "string" },
  since: { type: "string" },
  keep: { type: "string" },
  witness: { type: "string", multiple: true },
  require: { type: "string" },
  json: { type: "boolean" },
  help: { type: "boolean" },
} as const;

const parseWords = () => parseArgs({ allowPositionals: true, options: OPTIONS });

async function main(): Promise<number> {
  let parsed: ReturnType<typeof parseWords>;
  try {
    parsed = parseWords();
    if (parsed.positionals.length > 1) throw new TypeError("more than one PATH");
    if (parsed.values.require !== undefined && !/^\d{1,3}$/.test(parsed.values.require)) throw new TypeError("--require is no number");
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
  const { "log-key": logKey, since, keep, witness: witnesses = [], require: required, json } = values;
  // A line that is written over belongs on a terminal only.
  const line = process.stderr.isTTY && !json ? process.stderr : undefined;
  const live = {
    witnesses,
    ...(since === undefined ? {} : { since }),
    ...(keep === undefined ? {} : { keep }),
    ...(required === undefined ? {} : { require: Number(required) }),
    progress: (entries: number, size: number) => void line?.write(`\r${progressLine(entries, size)}${entries === size ? "\n" : ""}`),
  };
  try {
    const verification = await verifyExport(path, logKey === undefined ? { live } : { logKey, live });
    process.stdout.write(json ? `${JSON.stringify(verification)}\n` : verificationText(verification));
    return verification.ok ? 0 : 1;
  } catch (error) {
    process.stderr.write(`${printable(`${messageOf(error)}${error instanceof Fault ? ` – ${error.hint}` : ""}`)}\n`);
    return 2;
  }
}

process.exitCode = await main();
