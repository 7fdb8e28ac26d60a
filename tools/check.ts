import { join } from "node:path";
import { messageOf, run } from "../src/kernel/index.ts";

/** Types, style, arrows, dead code: all of it, whatever fails first. */
const ROOT = join(import.meta.dirname, "..");
const BIN = join(ROOT, "node_modules/.bin");
const CHECK_TIMEOUT_MS = 300_000;
/** A cruiser that read nothing would find nothing wrong: it must have seen the house. */
const MODULES_MIN = 150;

interface Check {
  readonly name: string;
  readonly argv: readonly [string, ...string[]];
  readonly judge?: (output: string) => string | undefined;
}

const CHECKS: readonly Check[] = [
  { name: "types", argv: [process.execPath, join(BIN, "tsc"), "--noEmit", "-p", "."] },
  { name: "style", argv: [join(BIN, "biome"), "lint", "--error-on-warnings", "--max-diagnostics=50"] },
  {
    name: "arrows",
    argv: [process.execPath, join(BIN, "depcruise"), "--config", ".dependency-cruiser.cjs", "src"],
    judge: (output) => {
      const seen = Number(/(\d+) modules/.exec(output)?.[1] ?? 0);
      return seen < MODULES_MIN ? `it saw ${seen} modules, expected at least ${MODULES_MIN}` : undefined;
    },
  },
  { name: "dead code", argv: [process.execPath, join(BIN, "knip"), "--no-progress"] },
];

let failed = 0;
for (const { name, argv, judge } of CHECKS) {
  const began = performance.now();
  let why: string | undefined;
  try {
    const ran = await run(argv, { cwd: ROOT, timeout_ms: CHECK_TIMEOUT_MS });
    const output = `${ran.stdout.toString("utf8")}${ran.stderr}`;
    why = ran.code === 0 ? judge?.(output) : output.trim();
  } catch (error) {
    why = messageOf(error);
  }
  process.stdout.write(`${why === undefined ? "✓" : "✗"} ${name} (${((performance.now() - began) / 1_000).toFixed(1)} s)\n`);
  if (why !== undefined) {
    failed += 1;
    process.stdout.write(`${why}\n`);
  }
}
if (failed > 0) {
  process.stdout.write(`\n${failed} of ${CHECKS.length} checks failed\n`);
  process.exitCode = 1;
}
