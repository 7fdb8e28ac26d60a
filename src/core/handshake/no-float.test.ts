import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { run } from "../../kernel/index.ts";

const ROOT = join(import.meta.dirname, "../../..");
const FLOATS = ["Number(gross)", "Number.parseFloat(text)", "Number.parseInt(text)", "parseFloat(text)", "parseInt(text, 10)", "Math.round(some)", "Math.floor(some)", "Math.ceil(some)", "Math.trunc(some)", "some.toFixed(2)", "some.toPrecision(2)", "+text", "0.45", "45e-2",
  "[text].map(Number)", "[text].map(parseFloat)", "[text].map(Number.parseInt)", "Array.from([text], Number)", "new Number(text)", "((read = Number) => read(text))()", "globalThis.Number(text)", "Math.sqrt(some)", "Math.fround(some)", "[some].map(Math.floor)", "some.toExponential(2)", "2 ** -1",
];
/** Beside the whole room of the handshake: whatever else reads, checks, books or prints an amount. */
const WHERE_MONEY_IS = [
  "src/kernel/money.ts", "src/kernel/currency.ts", "src/contract/tiers.ts", "src/verify/statements.ts", "src/verify/derived-files.ts", "src/verify/payouts.ts", "src/verify/invoices.ts", "src/core/policy-engine/revenue.ts", "src/core/policy-engine/payouts.ts",
  "src/core/command/sales.ts", "src/core/command/payouts.ts", "src/core/command/budgets.ts", "src/core/command/billing.ts", "src/core/command/told-payouts.ts", "src/platform/statements.ts", "src/platform/journal.ts", "src/platform/payouts.ts", "src/platform/payout-book.ts", "src/platform/invoices.ts", "src/platform/budget-notice.ts",
  "src/cli/amount.ts", "src/cli/tariff-prices.ts", "src/cli/payouts/csv.ts", "src/cli/payouts/pain001.ts", "src/cli/payouts/made.ts", "src/cli/verbs/money.ts", "src/cli/verbs/revenue.ts", "src/imvu/export/factur-x.ts",
];
const EXACT = ["(gross * 45n) / 100n", "BigInt(text)", "Math.max(some, 3)", "Number.isSafeInteger(some)", "10n ** 21n"];

test("no float touches money: the style check refuses each way to make one, in every file where money is calculated", async () => {
  const dir = await mkdtemp(join(tmpdir(), "nexus-style-"));
  try {
    for (const kept of ["biome.json", "tools/lint"]) await cp(join(ROOT, kept), join(dir, kept), { recursive: true });
    const sources = new Map<string, string>();
    const source = (expression: string) => `export const share = (gross: bigint, some: number, text: string) => [gross, some, text, ${expression}];\n`;
    for (const [at, float] of FLOATS.entries()) sources.set(`src/core/handshake/poison${at}.ts`, source(float));
    for (const path of WHERE_MONEY_IS) sources.set(path, source("0.45"));
    const poisoned = [...sources.keys()];
    for (const [at, exact] of EXACT.entries()) sources.set(`src/core/handshake/good${at}.ts`, source(exact));
    sources.set("src/mail/elsewhere.ts", source("0.45"));
    for (const [path, text] of sources) {
      await mkdir(dirname(join(dir, path)), { recursive: true });
      await writeFile(join(dir, path), text);
    }
    const said = await run([process.execPath, join(ROOT, "node_modules/.bin/biome"), "lint", "--max-diagnostics=none", "--colors=off", "src"], { cwd: dir });
    const named = new Set([...said.stdout.toString().concat(said.stderr).matchAll(/^(src\/\S+?\.ts):\d+:\d+ plugin/gm)].map(([, path]) => path));
    assert.deepEqual([...named].sort(), poisoned.sort());
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
