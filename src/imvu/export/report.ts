import type { Imvu } from "../../contract/index.ts";
import { type Manifest, type ManifestFile, sectionsOf } from "../../verify/index.ts";
import { recipesFor } from "./recipes.ts";

export const REPORT_PATH = "REPORT.md";

export interface ReportFacts {
  readonly imvu: Pick<Imvu, "id" | "name" | "owner" | "zone" | "jurisdiction">;
  readonly createdAt: string;
  readonly ledger: Manifest["ledger"];
  readonly logKey: string;
  /** From BundleWriter.contents(): everything but the report itself, the manifest and its signature. */
  readonly files: readonly ManifestFile[];
  readonly notIncluded: Manifest["notIncluded"];
  /** The rehearsal's comparison, when it was made: what was imported into a scratch instance and compared. */
  readonly rehearsal?: { readonly compared: number; readonly equal: number; readonly different: readonly string[] };
}

const TITLES: Readonly<Record<string, string>> = {
  bundle: "at the top",
  identity: "who owns it",
  domains: "zones and keys",
  mail: "mailboxes and mail keys",
  compute: "services, images, volumes",
  network: "routes",
  ledger: "history, statements, proofs",
};

/** For a person who has the bundle and nothing else: what is in it, how to check it, how to run each part elsewhere. */
export function renderReport(facts: ReportFacts): string {
  const { imvu, createdAt, ledger, files, notIncluded, rehearsal } = facts;
  const parts = [
    `# ${imvu.id} · ${imvu.name}`,
    `Everything of ${imvu.id} (${imvu.zone}, ${imvu.jurisdiction}), owned by ${imvu.owner}, as it was at ${createdAt}, up to ledger entry ${ledger.index}.\nNothing here needs the platform it comes from.`,
    "## What is here",
    table(files),
    "MANIFEST.json lists every file with its size and SHA-256; MANIFEST.sig is the platform's signature over it.",
  ];
  if (notIncluded.length > 0) parts.push("## What is not here", notIncluded.map(({ what, why }) => `- ${what}: ${why}`).join("\n"));
  parts.push("## Is it true?", `Node 20.12 or newer, no network:\n\n${shell(["node verify.mjs"])}\n\nThe log's key is in ledger/keys.txt. If you kept it from elsewhere, say so, and only that log is believed:\n\n${shell([`node verify.mjs --log-key '${facts.logKey}'`])}`);
  if (rehearsal) {
    parts.push("## Rehearsal", `Before this export was called complete it was imported into a scratch instance and compared: ${rehearsal.equal} of ${rehearsal.compared} resources equal.`);
    if (rehearsal.different.length > 0) parts.push(rehearsal.different.map((one) => `- different: ${one}`).join("\n"));
  }
  const recipes = recipesFor(files.map(({ path }) => path));
  if (recipes.length > 0) parts.push("## Running it elsewhere", "Run from this folder.");
  for (const { title, says, commands } of recipes) parts.push(`### ${title}`, says, shell(commands));
  return `${parts.join("\n\n")}\n`;
}

function table(files: readonly ManifestFile[]): string {
  const rows = Object.entries(sectionsOf(files)).map(([name, { files: count, bytes }]) => `| ${name} | ${TITLES[name] ?? ""} | ${count} | ${bytes} |`);
  return ["| section | | files | bytes |", "|---|---|---:|---:|", ...rows].join("\n");
}

function shell(commands: readonly string[]): string {
  return ["```", ...commands, "```"].join("\n");
}
