import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import test from "node:test";
import { judge } from "../../src/core/policy-engine/index.ts";
import { GATES } from "../../src/core/policy-engine/gates.ts";
import type { Verdict } from "../../src/contract/index.ts";
import { compare, type Judge, OPS } from "./run.ts";

const CASES = 300_000;
const CASES_OF_A_MUTANT = 4_000;
/** A code must be met this often to say that its boundary was tried. */
const SEEN_MIN = 20;
/** Answers to facts that nobody could read and to a gate that throws: the random facts are well-formed, and unit tests have those. */
const NOT_DRAWN = /_(FACTS|FAULT)$/;

test(`the product and a plain reading of the law agree on ${CASES} random commands`, (t) => {
  const seed = randomInt(2 ** 32);
  const seen = compare(seed, CASES, judge);
  t.diagnostic(`seed ${seed}: ${seen.allowed} allowed, ${seen.codes.size} codes`);
  assert.deepEqual(seen.disagreements.slice(0, 3), []);
  assert.equal(seen.disagreements.length, 0);
  assert.ok(seen.allowed > CASES / 100, `only ${seen.allowed} were allowed: the cases are too bad to tell much`);
  for (const op of OPS) assert.ok((seen.ops.get(op) ?? 0) > CASES / OPS.length / 2, `${op} was hardly drawn`);
  for (const gate of GATES) for (const code of gate.denials.keys()) if (!NOT_DRAWN.test(code)) assert.ok((seen.codes.get(code) ?? 0) >= SEEN_MIN, `${code} was met ${seen.codes.get(code) ?? 0} times`);
});

for (const { number, title } of GATES) {
  test(`without gate ${number}, ${title}, the two disagree`, () => {
    const without: Judge = (opened, facts) => judge(opened, facts).map((verdict): Verdict => (verdict.gate === number && verdict.verdict === "deny" ? { gate: verdict.gate, verdict: "pass" } : verdict));
    const { disagreements } = compare(number, CASES_OF_A_MUTANT, without);
    assert.ok(disagreements.length > 0);
    assert.match(disagreements[0] ?? "", new RegExp(`gate ${number}: the product says pass`));
  });
}

test("a gate that denies one command too many is noticed as well", () => {
  const strict: Judge = (opened, facts) => judge(opened, facts).map((verdict): Verdict => (verdict.gate === 13 && opened.command.op === "imvu.exit" ? { gate: 13, verdict: "deny", code: "GATE_13_EXITED" } : verdict));
  assert.ok(compare(7, CASES_OF_A_MUTANT, strict).disagreements.length > 0);
});
