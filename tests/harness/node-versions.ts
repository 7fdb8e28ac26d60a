import { access, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { run, runOk } from "../../src/kernel/index.ts";

const INSTALL_TIMEOUT_MS = 300_000;

/**
 * The program of a Node release line, brought from the npm registry as the launcher brings ours (npm's package `node`), once: it stays in the
 * cache beside what other tests fetched. 100 MB each.
 */
export async function nodeOf(major: number, cacheDir: string): Promise<{ readonly path: string; readonly version: string }> {
  const path = join(cacheDir, "nodes", String(major), "node");
  if (!(await access(path).then(() => true, () => false))) await bring(major, path);
  const version = (await runOk([path, "--version"])).trim();
  if (!version.startsWith(`v${major}.`)) throw new TypeError(`${path} is ${version}, not Node ${major}`);
  return { path, version };
}

async function bring(major: number, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const beside = await mkdtemp(`${dirname(path)}.new-`);
  try {
    await writeFile(join(beside, "package.json"), '{"private":true,"allowScripts":{"node":true}}\n');
    const argv = ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", "--ignore-scripts=false", `node@${major}`] as const;
    const ran = await run(argv, { cwd: beside, env: environment(), timeout_ms: INSTALL_TIMEOUT_MS });
    if (ran.code !== 0) throw new TypeError(`npm could not bring node@${major}: ${ran.stderr.trim().slice(-2_000)}`);
    await rename(join(beside, "node_modules/node/bin/node"), path);
  } finally {
    await rm(beside, { recursive: true, force: true });
  }
}

/** npm with the node it came with: its configuration (registry, certificates) lies beside that one, not beside ours. */
function environment(): Record<string, string> {
  const own = dirname(process.execPath);
  const rest = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== own);
  return { ...(process.env as Record<string, string>), PATH: rest.join(delimiter) };
}
