import type { Command, Evidence, GateNumber, Op, Verdict } from "../../contract/index.ts";
import type { ImvuId, Json } from "../../kernel/index.ts";
import type { Facts } from "./facts.ts";
import type { Reality } from "./reality.ts";

/** What a person is told about one way a gate says no. */
export interface Denial {
  /** Completes "gate N refuses: …". */
  readonly says: string;
  /** The next thing to type. */
  readonly hint: string;
}

/** One of the seventeen. Both halves exist, or it is not a gate. */
export interface Gate {
  readonly number: GateNumber;
  readonly title: string;
  readonly rule: string;
  /** Exhaustive: a new op does not compile until somebody decided for each gate. */
  readonly appliesTo: Readonly<Record<Op, boolean>>;
  /** By full code, e.g. GATE_07_QUOTA_EXCEEDED. */
  readonly denials: ReadonlyMap<string, Denial>;
  /** Pure and total over well-formed facts. Only called when `appliesTo` says so; see judge. */
  decide(command: Command, facts: Facts): Verdict;
  probe(reality: Reality, imvu: ImvuId | undefined): Promise<Evidence>;
}

/** How a gate's decide answers; `deny` takes the end of a code that its `denials` list. */
export interface Answer<C extends string> {
  pass(): Verdict;
  deny(code: C, asked?: Json, allowed?: Json): Verdict;
}

export interface GateText<C extends string> {
  readonly number: GateNumber;
  readonly title: string;
  readonly rule: string;
  readonly appliesTo: Readonly<Record<Op, boolean>>;
  readonly denials: Readonly<Record<C, Denial>>;
  decide(command: Command, facts: Facts, answer: Answer<C>): Verdict;
  probe(reality: Reality, imvu: ImvuId | undefined): Promise<Evidence>;
}

export function defineGate<const C extends string>(text: GateText<C>): Gate {
  const { number, title, rule, appliesTo, decide, probe } = text;
  const answer: Answer<C> = {
    pass: () => ({ gate: number, verdict: "pass" }),
    deny: (code, asked, allowed) => ({
      gate: number,
      verdict: "deny",
      code: codeOf(number, code),
      ...(asked === undefined ? {} : { asked }),
      ...(allowed === undefined ? {} : { allowed }),
    }),
  };
  const denials = new Map(Object.entries<Denial>(text.denials).map(([code, denial]) => [codeOf(number, code), denial]));
  return { number, title, rule, appliesTo, denials, decide: (command, facts) => decide(command, facts, answer), probe };
}

/** The answer to an import: the first thing that this gate has against a part of the bundle. A code it does not know is no reason to pass. */
export function judgeParts<C extends string>(gate: GateNumber, facts: Facts, answer: Answer<C>, codes: readonly C[], otherwise: C): Verdict {
  if (facts.bundle === null) return answer.deny(otherwise);
  const flaw = facts.bundle.flaws.find((one) => one.gate === gate);
  return flaw === undefined ? answer.pass() : answer.deny(codes.find((code) => code === flaw.code) ?? otherwise, flaw.what);
}

export function codeOf(gate: GateNumber, end: string): string {
  return `GATE_${String(gate).padStart(2, "0")}_${end}`;
}
