import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runOk } from "../../src/kernel/index.ts";
import { writeAuditFiles } from "./audit-files.ts";
import { type Figure, median, type Part, round } from "./report.ts";

const ENTRIES = Number(process.env.NEXUS_BENCH_ENTRIES ?? 1_000_000);
const COMMAND_EVERY = 10;
const ROUNDS = 3;
const RUN_TIMEOUT_MS = 600_000;

interface Ran {
  readonly seconds: number;
  readonly entries: number;
  readonly rssBytes: number;
}

export const ledgerAudit: Part = {
  name: "ledger-audit",
  title: "Ledger: audit offline",
  about: `The offline verifier's reading of ${ENTRIES.toLocaleString("en")} entries, every ${COMMAND_EVERY}th a signed command: form and canonical text of each body, its commitment, its place in the signed tree, its link to the one before, and each command's form and signature; in a process of its own. The raw side is the time that SHA-256 of the bodies, every audit path up to the root and the Ed25519 checks take alone, everything parsed before its clock runs. Verdicts, statements and files are not in it. ${ROUNDS} pairs in turn.`,
  async measure() {
    const dir = await mkdtemp(join(tmpdir(), "na-"));
    try {
      await writeFile(join(dir, "audit.json"), JSON.stringify(await writeAuditFiles(dir, ENTRIES, COMMAND_EVERY)));
      const [ours, raw]: [Ran[], Ran[]] = [[], []];
      for (let at = 0; at < ROUNDS; at += 1) {
        ours.push(await runIn("audit", dir));
        raw.push(await runIn("crypto", dir));
      }
      for (const { entries } of [...ours, ...raw]) if (entries !== ENTRIES) throw new TypeError(`${entries} entries`);
      const speed = median(ours.map((one, at) => (raw[at]?.seconds ?? Number.NaN) / one.seconds));
      const rss = Math.max(...ours.map((one) => one.rssBytes));
      const figures: Figure[] = [
        { name: "audit / hashing and signature checks alone (ratio of speeds)", ours: round(median(ours.map((one) => one.seconds)), 1), baseline: round(median(raw.map((one) => one.seconds)), 1), unit: "s", ratio: round(speed), goal: "at least 0.8", met: speed >= 0.8 },
        { name: "its memory at most, RSS", ours: round(rss / 1024 ** 2, 0), baseline: null, unit: "MiB", ratio: null, goal: "under 300", met: rss < 300 * 1024 ** 2 },
      ];
      return figures;
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  },
};

async function runIn(mode: "audit" | "crypto", dir: string): Promise<Ran> {
  return JSON.parse(await runOk([process.execPath, join(import.meta.dirname, "audit-run.ts"), mode, dir], { timeout_ms: RUN_TIMEOUT_MS })) as Ran;
}
