import { mkdir } from "node:fs/promises";
import { isBuiltin } from "node:module";
import { dirname, join } from "node:path";
import { build, type Plugin } from "esbuild";
import { writeFileAtomic } from "../src/kernel/index.ts";

const ROOT = join(import.meta.dirname, "..");
export const VERIFIER_OUT = join(ROOT, "dist/verify.mjs");

/** Node's own modules stay outside; one that nothing uses leaves no import, so the file shows honestly what it touches. */
const builtins: Plugin = {
  name: "builtins",
  setup(building) {
    building.onResolve({ filter: /.*/ }, ({ path }) => (isBuiltin(path) ? { path: path.startsWith("node:") ? path : `node:${path}`, external: true, sideEffects: false } : undefined));
  },
};

/** Forty languages of zod's own messages: nobody is told them here, and a file that people shall read is better without. */
const englishOnly: Plugin = {
  name: "english-only",
  setup(building) {
    building.onLoad({ filter: /zod\/v4\/locales\/index\.js$/ }, () => ({ contents: 'export { default as en } from "./en.js";', loader: "js" }));
  },
};

/** CommonJS libraries inside (tar-stream) call require for Node's modules. */
const BANNER = `#!/usr/bin/env node
// Nexus COS offline verifier: one file, Node 20.12 or newer, no network unless it is given a log's address. Source: src/verify, built by tools/build-verifier.ts.
import { createRequire as nodeRequire } from "node:module";
const require = nodeRequire(import.meta.url);`;

/** Bundles src/verify/main.ts into one readable file; the same sources make the same bytes. */
export async function buildVerifier(out = VERIFIER_OUT): Promise<{ readonly path: string; readonly bytes: number }> {
  const built = await build({
    entryPoints: [join(ROOT, "src/verify/main.ts")],
    absWorkingDir: ROOT,
    bundle: true,
    write: false,
    platform: "node",
    format: "esm",
    target: "node20.12",
    minify: false,
    charset: "utf8",
    legalComments: "inline",
    banner: { js: BANNER },
    plugins: [builtins, englishOnly],
  });
  const [file] = built.outputFiles;
  if (!file || built.outputFiles.length !== 1) throw new TypeError(`expected one file, esbuild made ${built.outputFiles.length}`);
  await mkdir(dirname(out), { recursive: true });
  await writeFileAtomic(out, file.contents, 0o644);
  return { path: out, bytes: file.contents.length };
}

if (import.meta.main) {
  const { path, bytes } = await buildVerifier();
  process.stdout.write(`${path}: ${bytes} bytes\n`);
}
