import { readFile } from "node:fs/promises";
import { arch, cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { writeFileAtomic } from "../src/kernel/index.ts";
import { commands } from "./bench/commands.ts";
import { handshakeAge } from "./bench/handshake-age.ts";
import { handshakeClose } from "./bench/handshake-close.ts";
import { handshakeMetering } from "./bench/handshake-metering.ts";
import { ledgerAppend } from "./bench/ledger-append.ts";
import { ledgerAudit } from "./bench/ledger-audit.ts";
import { ledgerProof } from "./bench/ledger-proof.ts";
import { ledgerVerdicts } from "./bench/ledger-verdicts.ts";
import { platform } from "./bench/platform.ts";
import { type Part, section, withSection } from "./bench/report.ts";

/**
 * Our figures as ratios against a raw baseline, in one run on one machine; each part rewrites its own section of docs/benchmarks.md.
 * `./nexus bench` runs all, `./nexus bench ledger` the ledger's, `./nexus bench ledger-proof` one; `--json` prints JSON instead of text.
 */
const DOCUMENT = join(import.meta.dirname, "../docs/benchmarks.md");
const PARTS: readonly Part[] = [platform, commands, ledgerAppend, ledgerProof, ledgerAudit, ledgerVerdicts, handshakeClose, handshakeAge, handshakeMetering];

const words = process.argv.slice(2).filter((word) => !word.startsWith("-"));
const chosen = PARTS.filter(({ name }) => words.length === 0 || words.some((word) => name === word || name.startsWith(`${word}-`)));
if (chosen.length === 0) {
  process.stderr.write(`no part is called ${words.join(" ")}: ${PARTS.map(({ name }) => name).join(", ")}\n`);
  process.exitCode = 2;
}
const machine = `Linux ${release()} ${arch()}, ${cpus().length} cores, ${Math.round(totalmem() / 1024 ** 3)} GiB, Node ${process.version}`;
for (const part of chosen) {
  const figures = await part.measure();
  const text = section(part, machine, figures);
  const document = await readFile(DOCUMENT, "utf8").catch(() => "");
  await writeFileAtomic(DOCUMENT, withSection(document, part.title, text), 0o644);
  process.stdout.write(process.argv.includes("--json") ? `${JSON.stringify({ part: part.name, machine, figures })}\n` : `${text}\n`);
}
