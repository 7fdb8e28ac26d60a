import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Sha256, sha256Hex } from "../../kernel/index.ts";

const HERE = import.meta.dirname;
const NOT_LAW = /\.(test|fixture|document)\.ts$/;

/**
 * SHA-256 over this room's sources (names and digests, sorted; tests and documentation left out): which law a platform ran is in its ledger.
 * Reads the checkout: call it once at start. A bundled verifier has no sources beside it and does not call it.
 */
export function lawDigest(folder = HERE): Sha256 {
  const files = [...sourcesIn(folder, ""), ...sourcesIn(join(folder, "gates"), "gates/")];
  return sha256Hex(files.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, digest]) => `${digest}  ${name}\n`).join(""));
}

function sourcesIn(folder: string, prefix: string): [name: string, digest: Sha256][] {
  const names = readdirSync(folder).filter((name) => name.endsWith(".ts") && !NOT_LAW.test(name));
  return names.map((name) => [prefix + name, sha256Hex(readFileSync(join(folder, name)))]);
}
