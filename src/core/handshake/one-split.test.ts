import assert from "node:assert/strict";
import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import ts from "typescript";

const SRC = join(import.meta.dirname, "../..");

/** Every shipped source file, parsed; comments and texts are not code. */
async function sources(pattern: string): Promise<ReadonlyMap<string, ts.SourceFile>> {
  const found = new Map<string, ts.SourceFile>();
  for await (const path of glob(pattern, { cwd: SRC })) if (!path.endsWith(".test.ts")) found.set(path, parsed(path, await readFile(join(SRC, path), "utf8")));
  assert.ok(found.size > 5, pattern);
  return found;
}

function parsed(path: string, text: string): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
}

function nodesOf(file: ts.SourceFile, wanted: (node: ts.Node) => boolean): readonly string[] {
  const found: string[] = [];
  const walk = (node: ts.Node): void => {
    if (wanted(node)) found.push(node.getText());
    ts.forEachChild(node, walk);
  };
  walk(file);
  return found;
}

/** A figure that a ratio of 55 to 45 could be written with, in any scale. */
function isShare(node: ts.Node): boolean {
  return (ts.isNumericLiteral(node) || ts.isBigIntLiteral(node)) && /^0?\.?(45|55)0{0,2}n?$/.test(node.getText().replaceAll("_", ""));
}
const divides = (node: ts.Node) => ts.isBinaryExpression(node) && [ts.SyntaxKind.SlashToken, ts.SyntaxKind.SlashEqualsToken].includes(node.operatorToken.kind);
const asksOutside = (node: ts.Node) => (ts.isPropertyAccessExpression(node) && node.getText() === "process.env") || (ts.isImportDeclaration(node) && !/^"(\.\/[a-z-]+\.ts|\.\.\/\.\.\/(kernel|contract)\/index\.ts)"$/.test(node.moduleSpecifier.getText()));

test("nothing but two constants of the code says how gross is divided", async () => {
  const where = [...(await sources("**/*.ts"))].flatMap(([path, file]) => nodesOf(file, isShare).map((text) => `${path}: ${text}`));
  assert.deepEqual(where.sort(), [
    // The demonstration divides by itself, to see that the platform did so.
    "cli/demo/living.ts: 45n",
    // Widths of a bar that is drawn.
    "cli/report/audit.ts: 0.45", "cli/report/audit.ts: 0.55",
    "core/handshake/split.ts: 45n", "core/handshake/split.ts: 55n",
    // What an SMTP server answers.
    "mail/observe.ts: 550",
  ]);
});

test("and two constraints of the database", async () => {
  const found: string[] = [];
  for await (const path of glob("**/*.sql", { cwd: SRC })) {
    const statements = (await readFile(join(SRC, path), "utf8")).replace(/--.*/g, "");
    for (const [constraint] of statements.matchAll(/(CONSTRAINT \w+ )?.*\b(45|55|0?\.45|0?\.55)\b.*/g)) found.push(constraint.trim());
  }
  const holds = "CHECK (platform * 100 <= gross * 45 AND gross * 45 < (platform + 1) * 100)";
  assert.deepEqual(found.sort(), [`CONSTRAINT correction_split_55_45 ${holds}`, `CONSTRAINT statement_split_55_45 ${holds}`]);
});

test("the law of money asks neither environment nor file nor table, and divides where it must: the split, the minor unit, the forecast, the VAT that is contained, a budget's percent", async () => {
  const files = await sources("core/handshake/*.ts");
  assert.deepEqual([...files].flatMap(([path, file]) => nodesOf(file, asksOutside).map((text) => `${path}: ${text}`)), []);
  const dividing = [...files].filter(([, file]) => nodesOf(file, divides).length > 0).map(([path]) => path);
  assert.deepEqual(dividing.sort(), ["core/handshake/budget.ts", "core/handshake/forecast.ts", "core/handshake/payout.ts", "core/handshake/split.ts", "core/handshake/vat.ts"]);
});

test("each of these would be seen", () => {
  const seen = (text: string) => {
    const file = parsed("x.ts", text);
    return [isShare, divides, asksOutside].map((wanted) => nodesOf(file, wanted).length);
  };
  for (const figure of ["45", "55n", "0.45", ".55", "4_5", "450", "4500n", "0.550"]) assert.deepEqual(seen(`const a = gross * ${figure};`), [1, 0, 0], figure);
  assert.deepEqual(seen('const a = "45 %"; // 55'), [0, 0, 0]);
  assert.deepEqual(seen("const a = process.env.SHARE; const b = gross / a; c /= a;"), [0, 2, 1]);
  assert.deepEqual(seen('import { readFile } from "node:fs"; import { a } from "./split.ts"; import { b } from "../../kernel/index.ts"; import { c } from "../store/index.ts";'), [0, 0, 2]);
});

/** Names of the environment that the code asks for, and whether it asks for some that it does not name. */
function askedOfEnvironment(file: ts.SourceFile): readonly string[] {
  return nodesOf(file, (node) => ts.isPropertyAccessExpression(node) && node.getText() === "process.env" && !ts.isPropertyAccessExpression(node.parent)).map(() => "something it does not name")
    .concat(nodesOf(file, (node) => ts.isPropertyAccessExpression(node) && node.expression.getText() === "process.env").map((text) => text.slice("process.env.".length)));
}

test("nothing of the environment that the product asks for is about money", async () => {
  const asked = new Set([...(await sources("**/*.ts"))].flatMap(([path, file]) => askedOfEnvironment(file).map((name) => (name.startsWith("something") ? `${path}: ${name}` : name))));
  assert.deepEqual([...asked].sort(), [
    "HOME", "NEXUS_CACHE", "NEXUS_HOME", "NEXUS_IDENTITY", "NEXUS_PASSPHRASE_FILE", "NEXUS_PLATFORM", "NEXUS_RECOVERY_KEY_FILE", "NODE_COMPILE_CACHE", "NO_COLOR",
    // Those of the list above that the demonstration hands on.
    "cli/demo/driver.ts: something it does not name",
  ]);
  assert.deepEqual(askedOfEnvironment(parsed("x.ts", 'const a = process.env.SHARE; const b = process.env["SHARE"]; const { c } = process.env;')), ["something it does not name", "something it does not name", "SHARE"]);
});

/** By its name and from its file or the room's door. */
function dividesGross(file: ts.SourceFile): boolean {
  return nodesOf(file, (node) => ts.isImportDeclaration(node) && /\bsplit\b/.test(node.importClause?.getText() ?? "") && /handshake|\.\/split\.ts/.test(node.moduleSpecifier.getText())).length > 0;
}

test("a gross is divided in one function, and that is called where a statement, a correction and a forecast are made", async () => {
  const callers = [...(await sources("**/*.ts"))].filter(([, file]) => dividesGross(file)).map(([path]) => path);
  assert.deepEqual(callers.sort(), ["core/handshake/account.ts", "core/handshake/forecast.ts", "core/handshake/statement.ts"]);
  assert.deepEqual(['import { split } from "../core/handshake/index.ts";', 'import { split as share } from "./split.ts";', 'import { split } from "./text.ts";'].map((text) => dividesGross(parsed("x.ts", text))), [true, true, false]);
});
