import type { Command, Verdict } from "../../contract/index.ts";
import type { Facts } from "./facts.ts";
import type { Answer, Denial } from "./gate.ts";
import { isPayoutOrder } from "./payouts.ts";
import { actorOf } from "./standing.ts";

/** Gate 1's rules for operators: identities with a role on the platform itself, and on no IMVU. */
export type OperatorCode = "NOT_AN_OPERATOR" | "SECOND_OPERATOR_MISSING" | "NO_SUCH_IDENTITY" | "OPERATOR_ALREADY" | "NO_SUCH_OPERATOR" | "LAST_OPERATOR";

export const OPERATOR_DENIALS: Readonly<Record<OperatorCode, Denial>> = {
  NOT_AN_OPERATOR: { says: "the signer is no operator of this platform", hint: "'nexus operator list' names them" },
  SECOND_OPERATOR_MISSING: { says: "where there are two operators or more, two of them sign", hint: "ask another operator to approve it" },
  NO_SUCH_IDENTITY: { says: "nobody is registered under that name", hint: "ask for the exact name; who has none runs 'nexus identity create NAME' and 'nexus identity register NAME'" },
  OPERATOR_ALREADY: { says: "the identity is an operator already", hint: "'nexus operator list' names them" },
  NO_SUCH_OPERATOR: { says: "the identity is no operator", hint: "'nexus operator list' names them" },
  LAST_OPERATOR: { says: "a platform without any operator could never have one again", hint: "add another one first: 'nexus operator add NAME'" },
};

export type OperatorCommand = Extract<Command, { op: `platform.${string}` }>;

export function isOperatorCommand(command: Command): command is OperatorCommand {
  return command.op === "platform.operator.add" || command.op === "platform.operator.remove" || command.op === "platform.erase" || command.op === "platform.tariff.publish" || isPayoutOrder(command) || command.op === "platform.billing.set";
}

export function operates(command: OperatorCommand, facts: Facts, answer: Answer<OperatorCode>): Verdict {
  const operators = facts.operators ?? null;
  const actor = actorOf(facts);
  if (operators === null || actor === null || !operators.signers.includes(actor)) return answer.deny("NOT_AN_OPERATOR", actor);
  if (command.op === "platform.operator.add") {
    if (!operators.registered) return answer.deny("NO_SUCH_IDENTITY", command.params.identity);
    if (operators.operator) return answer.deny("OPERATOR_ALREADY", command.params.identity);
  } else if (command.op === "platform.operator.remove") {
    if (!operators.operator) return answer.deny("NO_SUCH_OPERATOR", command.params.identity);
    if (operators.count <= 1) return answer.deny("LAST_OPERATOR", command.params.identity);
  }
  return operators.count >= 2 && operators.signers.length < 2 ? answer.deny("SECOND_OPERATOR_MISSING", { signed: operators.signers.length }, { signed: 2 }) : answer.pass();
}
