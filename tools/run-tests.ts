import { spec } from "node:test/reporters";
import { run as runTests } from "node:test";
import { glob } from "node:fs/promises";
import { basename, join, relative } from "node:path";

/**
 * Every test: units side by side, journeys in pairs, everything else with engines one file at a time, because it measures and attacks a machine
 * that is shared. Two platforms side by side are what the product promises; a journey that looks at the whole machine goes alone.
 * `./nexus test unit`, `./nexus test contract/mail`, `./nexus test journey` choose. A skipped test and a file in which no test ran are
 * failures: a missing engine fails, it never skips.
 */
const ROOT = join(import.meta.dirname, "..");
const FILE_TIMEOUT_MS = 900_000;
/** The soak in its long form: `NEXUS_SOAK_KILLS=300 ./nexus test soak`. */
const SOAK_TIMEOUT_MS = 10_800_000;
const WHY_LINES_MAX = 24;
interface Suite {
  readonly name: string;
  readonly pattern: string;
  readonly sideBySide: number;
  /** Files of it that compare the machine before and after, or press against its limits. */
  readonly alone?: readonly string[];
}
const SUITES: readonly Suite[] = [
  { name: "unit", pattern: "src/**/*.test.ts", sideBySide: 2 },
  { name: "vectors", pattern: "tests/vectors/**/*.test.ts", sideBySide: 2 },
  { name: "law", pattern: "tests/law/**/*.test.ts", sideBySide: 2 },
  { name: "nodes", pattern: "tests/nodes/**/*.test.ts", sideBySide: 1 },
  { name: "contract", pattern: "tests/contract/**/*.test.ts", sideBySide: 1 },
  { name: "hostile-admin", pattern: "tests/hostile-admin/**/*.test.ts", sideBySide: 1 },
  { name: "isolation", pattern: "tests/isolation/**/*.test.ts", sideBySide: 1 },
  { name: "soak", pattern: "tests/soak/**/*.test.ts", sideBySide: 1 },
  { name: "journey", pattern: "tests/journey/**/*.test.ts", sideBySide: 2, alone: ["crash", "life", "two-homes"] },
];

const wanted = process.argv.slice(2).filter((word) => !word.startsWith("-"));
let passed = 0;
let failed = 0;
let skipped = 0;
const times: string[] = [];
const wrong: string[] = [];
for (const suite of SUITES) {
  const files: string[] = [];
  const all = new Set<string>();
  for await (const file of glob(suite.pattern, { cwd: ROOT })) {
    all.add(basename(file, ".test.ts"));
    if (wanted.length === 0 || wanted.some((word) => suite.name === word || file.includes(`${word}`))) files.push(join(ROOT, file));
  }
  for (const name of suite.alone ?? []) if (!all.has(name)) wrong.push(`${suite.name} has no ${name} that could go alone`);
  if (files.length === 0) continue;
  process.stdout.write(`\n── ${suite.name}: ${files.length} ${files.length === 1 ? "file" : "files"}\n`);
  const began = performance.now();
  const testsIn = new Map(files.map((file) => [file, 0]));
  for (const { together, sideBySide } of groupsOf(suite, files.sort())) {
    const stream = runTests({ files: [...together], concurrency: sideBySide, timeout: suite.name === "soak" ? SOAK_TIMEOUT_MS : FILE_TIMEOUT_MS });
    stream.on("test:pass", (event) => {
      if (event.skip !== undefined || event.todo !== undefined) {
        skipped += 1;
        wrong.push(`skipped: ${relative(ROOT, event.file ?? "")}: ${event.name}`);
      } else passed += 1;
    });
    stream.on("test:fail", (event) => {
      failed += 1;
      const { failureType, cause } = event.details.error as { failureType?: string; cause?: unknown };
      // The test around a failed one would only be named as well.
      if (failureType !== "subtestsFailed") wrong.push(`failed: ${relative(ROOT, event.file ?? "")}: ${event.name}\n${whyOf(cause ?? event.details.error)}`);
    });
    stream.on("test:summary", ({ file, counts }) => {
      if (file !== undefined) testsIn.set(file, counts.tests);
    });
    for await (const text of stream.compose(spec)) process.stdout.write(text as string);
  }
  for (const [file, tests] of testsIn) if (tests === 0) wrong.push(`no test ran: ${relative(ROOT, file)}`);
  times.push(`${suite.name} ${((performance.now() - began) / 1_000).toFixed(1)} s`);
}

function groupsOf({ sideBySide, alone = [] }: Suite, files: readonly string[]): readonly { readonly together: readonly string[]; readonly sideBySide: number }[] {
  const isAlone = (file: string) => alone.includes(basename(file, ".test.ts"));
  const groups = [{ together: files.filter((file) => !isAlone(file)), sideBySide }, { together: files.filter(isAlone), sideBySide: 1 }];
  return groups.filter(({ together }) => together.length > 0);
}

/** What it said and where: for whoever sees only the end of a long log. */
function whyOf(cause: unknown): string {
  const said = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
  const lines = said.split("\n");
  return [...lines.slice(0, WHY_LINES_MAX), ...(lines.length > WHY_LINES_MAX ? ["…"] : [])].map((line) => `    ${line}`).join("\n");
}

process.stdout.write(`\n${times.join(" · ")}\n${passed} passed, ${failed} failed, ${skipped} skipped\n`);
for (const line of wrong) process.stdout.write(`✗ ${line}\n`);
if (passed === 0) process.stdout.write(`no test matches ${wanted.join(" ")}: name a suite (${SUITES.map((suite) => suite.name).join(", ")}) or a part of a file's path\n`);
if (wrong.length > 0 || failed > 0 || passed === 0) process.exitCode = 1;
