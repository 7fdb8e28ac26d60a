import type { Command, Verdict } from "../../contract/index.ts";
import type { OpenedCommand } from "../identity/index.ts";
import type { Facts } from "./facts.ts";
import { isFacts } from "./facts-schema.ts";
import { codeOf, type Gate } from "./gate.ts";
import { GATES } from "./gates.ts";

/**
 * Seventeen verdicts, in order, always. Facts that cannot be read, or that speak of other signatures than the command's,
 * deny at every gate; a gate that throws denies. `facts` may come from anywhere, a ledger body included.
 */
export function judge(opened: Pick<OpenedCommand, "command" | "signatures">, facts: Facts): readonly Verdict[] {
  if (!isFacts(facts) || !speaksOf(facts, opened)) return GATES.map(({ number }) => ({ gate: number, verdict: "deny", code: codeOf(number, "FACTS") }));
  return GATES.map((gate) => verdictOf(gate, opened.command, facts));
}

export function isAllowed(verdicts: readonly Verdict[]): boolean {
  return verdicts.length === GATES.length && verdicts.every(({ gate, verdict }, at) => gate === at + 1 && (verdict === "pass" || verdict === "not-applicable"));
}

/** Apart, so that a test can put a gate that throws where the law is. */
export function verdictOf(gate: Gate, command: Command, facts: Facts): Verdict {
  try {
    return gate.appliesTo[command.op] ? gate.decide(command, facts) : { gate: gate.number, verdict: "not-applicable" };
  } catch {
    return { gate: gate.number, verdict: "deny", code: codeOf(gate.number, "FAULT") };
  }
}

function speaksOf(facts: Facts, opened: Pick<OpenedCommand, "signatures">): boolean {
  return facts.signatures.length === opened.signatures.length && facts.signatures.every(({ kid }, at) => kid === opened.signatures[at]?.kid);
}
