import { spec } from "node:test/reporters";
import { run as runTests } from "node:test";
import { glob } from "node:fs/promises";
import { join } from "node:path";

/**
 * Every test: units side by side, then everything with engines one file at a time, because they measure and attack a machine they share.
 * `./nexus test unit`, `./nexus test contract/mail`, `./nexus test journey` choose.
 */
const ROOT = join(import.meta.dirname, "..");
const FILE_TIMEOUT_MS = 900_000;
const SUITES: readonly { readonly name: string; readonly pattern: string; readonly sideBySide: number }[] = [
  { name: "unit", pattern: "src/**/*.test.ts", sideBySide: 2 },
  { name: "vectors", pattern: "tests/vectors/**/*.test.ts", sideBySide: 2 },
  { name: "contract", pattern: "tests/contract/**/*.test.ts", sideBySide: 1 },
  { name: "hostile-admin", pattern: "tests/hostile-admin/**/*.test.ts", sideBySide: 1 },
  { name: "isolation", pattern: "tests/isolation/**/*.test.ts", sideBySide: 1 },
  { name: "journey", pattern: "tests/journey/**/*.test.ts", sideBySide: 1 },
];

const wanted = process.argv.slice(2).filter((word) => !word.startsWith("-"));
let passed = 0;
let failed = 0;
let skipped = 0;
const times: string[] = [];
for (const suite of SUITES) {
  const files: string[] = [];
  for await (const file of glob(suite.pattern, { cwd: ROOT })) if (wanted.length === 0 || wanted.some((word) => suite.name === word || file.includes(`${word}`))) files.push(join(ROOT, file));
  if (files.length === 0) continue;
  process.stdout.write(`\n── ${suite.name}: ${files.length} ${files.length === 1 ? "file" : "files"}\n`);
  const began = performance.now();
  const stream = runTests({ files: files.sort(), concurrency: suite.sideBySide, timeout: FILE_TIMEOUT_MS });
  stream.on("test:pass", (event) => {
    if (event.skip !== undefined || event.todo !== undefined) skipped += 1;
    else passed += 1;
  });
  stream.on("test:fail", () => {
    failed += 1;
  });
  for await (const text of stream.compose(spec)) process.stdout.write(text as string);
  times.push(`${suite.name} ${((performance.now() - began) / 1_000).toFixed(1)} s`);
}
process.stdout.write(`\n${times.join(" · ")}\n${passed} passed, ${failed} failed, ${skipped} skipped\n`);
if (failed > 0 || passed === 0) process.exitCode = 1;
if (passed === 0) process.stdout.write(`no test matches ${wanted.join(" ")}\n`);
