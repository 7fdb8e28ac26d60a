import { resolve } from "node:path";
import type { Command } from "commander";
import type { Json } from "../../kernel/index.ts";
import { Context } from "../context.ts";
import { EXIT } from "../failure.ts";
import { print, say } from "../output.ts";
import { whole } from "../units.ts";

const WITNESSES_MAX = 32;
/** A line of progress stands for so many entries, where it is no terminal that one line is written over on. */
const PROGRESS_ENTRIES = 25_600;

interface Flags {
  readonly logKey?: string;
  readonly since?: string;
  readonly keep?: string;
  readonly witness: readonly string[];
  readonly require?: string;
}

/** The same code as verify.mjs: a bundle, an exported log, or a log where it is served. */
export function verifyExportVerb(program: Command): void {
  program
    .command("verify-export <path>")
    .description("verify a bundle (folder or .tar.zst) or an exported log offline, or a log where it is served (https://host/log/)")
    .option("--log-key <key>", "believe only this log (its verifier key)")
    .option("--since <file>", "address only: an older checkpoint of this log, which must be its beginning")
    .option("--keep <file>", "address only: the same, and the new checkpoint is kept there when everything holds")
    .option("--witness <key>", "address only: a witness's verifier key; once for each", (key: string, keys: readonly string[]) => [...keys, key], [] as readonly string[])
    .option("--require <k>", "address only: so many of these witnesses must have cosigned; default: all")
    .action(async (path: string, { logKey, since, keep, witness: witnesses, require: required }: Flags, command: Command) => {
      const { isLogAddress, progressLine, verificationText, verifyExport } = await import("../../verify/index.ts");
      const { output } = await Context.of(command);
      const line = process.stderr.isTTY && !output.json && !output.quiet ? process.stderr : undefined;
      let said = 0;
      const live = {
        witnesses,
        ...(since === undefined ? {} : { since }),
        ...(keep === undefined ? {} : { keep }),
        ...(required === undefined ? {} : { require: whole("require", required, 1, WITNESSES_MAX) }),
        progress: (entries: number, size: number) => {
          if (line) line.write(`\r${progressLine(entries, size)}${entries === size ? "\n" : ""}`);
          else if (entries - said >= PROGRESS_ENTRIES) {
            said = entries;
            say(output, progressLine(entries, size));
          }
        },
      };
      const verification = await verifyExport(isLogAddress(path) ? path : resolve(path), logKey === undefined ? { live } : { logKey, live });
      print(output, verification as unknown as Json, () => [verificationText(verification).trimEnd()]);
      if (!verification.ok) process.exitCode = EXIT.notSo;
    });
}
