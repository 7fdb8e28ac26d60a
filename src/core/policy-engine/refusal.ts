import type { Command, Verdict } from "../../contract/index.ts";
import { refuse, type Refusal } from "../../kernel/index.ts";
import type { Facts } from "./facts.ts";
import { isFacts } from "./facts-schema.ts";
import type { Denial } from "./gate.ts";
import { GATES } from "./gates.ts";
import { hasStanding } from "./standing.ts";

/** Gate 1's refusals of a person rather than of a signature: another gate that refuses as well says more. */
const WHO = new Set(["GATE_01_NOT_A_MEMBER", "GATE_01_ROLE"]);
const UNREADABLE: Denial = { says: "what it must compare could not be read, so the answer is no", hint: "try again; if it stays, 'nexus doctor'" };

/**
 * The one refusal a person gets for a denied command; undefined when nothing denies. A broken signature comes first; otherwise
 * the first gate that refuses the thing asked, before the one that refuses the person. A stranger to the IMVU gets an answer that
 * depends on the op alone: no figures, and the same whether the IMVU exists.
 */
export function refusalOf(command: Command, facts: Facts, verdicts: readonly Verdict[], ledgerIndex?: number): Refusal | undefined {
  const denied = verdicts.filter((verdict) => verdict.verdict === "deny");
  const known = isFacts(facts);
  const stranger = !known || !hasStanding(command, facts);
  const heard = stranger ? denied.filter(({ gate }) => STRANGERS_HEAR.has(gate)) : denied;
  const told = heard.find(({ code }) => !WHO.has(code ?? "")) ?? heard[0] ?? denied[0];
  if (told === undefined) return undefined;
  const denial = GATES[told.gate - 1]?.denials.get(told.code ?? "") ?? UNREADABLE;
  const others = heard.filter((verdict) => verdict !== told).map((verdict) => verdict.gate);
  const also = others.length > 0 ? ` (also refused by gate ${others.join(", ")})` : "";
  return refuse("gate", told.code ?? "GATE_FAULT", `gate ${told.gate} (${GATES[told.gate - 1]?.title}) refuses ${command.op}: ${denial.says}${also}`, denial.hint, {
    gate: told.gate,
    ...(told.asked === undefined ? {} : { asked: told.asked }),
    ...(told.allowed === undefined ? {} : { allowed: told.allowed }),
    ...(ledgerIndex === undefined ? {} : { ledgerIndex }),
  });
}

/** What one more signature over the very command would allow: the owner's, or a second operator's. */
const APPROVABLE: ReadonlySet<string> = new Set(["GATE_01_ROLE", "GATE_14_NOT_THE_OWNERS_WILL", "GATE_15_OWNER_APPROVAL_MISSING", "GATE_01_SECOND_OPERATOR_MISSING"]);

/** Whether an approval, and nothing else, is missing: then the same command can be sent again with it. */
export function wantsApproval(verdicts: readonly Verdict[]): boolean {
  const denied = verdicts.filter(({ verdict }) => verdict === "deny");
  return denied.length > 0 && denied.every(({ code }) => APPROVABLE.has(code ?? ""));
}

/** Gates whose answer to a stranger depends on nothing but the op and his own signature, and holds no figure of the IMVU. */
const STRANGERS_HEAR: ReadonlySet<number> = new Set([1, 11, 14, 15, 16, 17]);
