import { COMMAND_PARAMS, type Op, type Verdict } from "../../src/contract/index.ts";
import { createIdentityKey, kidOf, type OpenedCommand } from "../../src/core/identity/index.ts";
import { naiveJudge } from "./naive.ts";
import { Dice, draw, type Drawn, type Keys } from "./random.ts";

export const OPS = Object.keys(COMMAND_PARAMS) as Op[];

export type Judge = (opened: Pick<OpenedCommand, "command" | "signatures">, facts: Drawn["facts"]) => readonly Verdict[];

export interface Compared {
  readonly cases: number;
  /** How often each code was seen, and each command. */
  readonly codes: ReadonlyMap<string, number>;
  readonly ops: ReadonlyMap<string, number>;
  readonly allowed: number;
  readonly disagreements: readonly string[];
}

const DISAGREEMENTS_TOLD_MAX = 3;

/** Both evaluators over the same random cases. */
export function compare(seed: number, cases: number, judge: Judge): Compared {
  const keys = freshKeys();
  const dice = new Dice(seed);
  const [codes, ops] = [new Map<string, number>(), new Map<string, number>()];
  const disagreements: string[] = [];
  let allowed = 0;
  for (let at = 0; at < cases; at += 1) {
    const one = draw(dice, OPS, keys);
    const naive = naiveJudge({ ...one, kidOf });
    const verdicts = judge({ command: one.command, signatures: one.signatures as OpenedCommand["signatures"] }, one.facts);
    const product = verdicts.map(({ verdict, code }) => code ?? verdict);
    for (const code of product) if (code.startsWith("GATE_")) codes.set(code, (codes.get(code) ?? 0) + 1);
    ops.set(one.command.op, (ops.get(one.command.op) ?? 0) + 1);
    if (!product.some((code) => code.startsWith("GATE_"))) allowed += 1;
    const gate = product.findIndex((answer, place) => answer !== naive[place]);
    if ((gate >= 0 || product.length !== naive.length) && disagreements.length < DISAGREEMENTS_TOLD_MAX)
      disagreements.push(`case ${at} of seed ${seed}, gate ${gate + 1}: the product says ${product[gate]}, the law read plainly says ${naive[gate]}\n${JSON.stringify(one)}`);
    else if (gate >= 0) disagreements.push(`case ${at}`);
  }
  return { cases, codes, ops, allowed, disagreements };
}

function freshKeys(): Keys {
  const people = ["owner", "maintainer", "viewer", "billing", "operator", "newcomer", "recovery", "waiting", "fresh"].map((name) => [name, createIdentityKey()] as const);
  return { kids: Object.fromEntries(people.map(([name, key]) => [name, key.kid])), publicKeys: Object.fromEntries(people.map(([name, key]) => [name, key.publicKey.text])) };
}
