import type { Command, Params, Verdict } from "../../contract/index.ts";
import { EUR, UTC } from "../../kernel/index.ts";
import type { Facts } from "./facts.ts";
import type { Answer, Denial } from "./gate.ts";

/** Gate 6's rules for what is agreed once with a unit: there are prices in its currency, and its owner signs again where it arrives, as it was. */
export type TermsCode = "BUDGET_CURRENCY" | "CURRENCY_WITHOUT_TARIFF" | "TERMS_DIFFER";

export const TERMS_DENIALS: Readonly<Record<TermsCode, Denial>> = {
  BUDGET_CURRENCY: { says: "a budget is in the unit's own currency", hint: "'nexus imvu show ID' names it" },
  CURRENCY_WITHOUT_TARIFF: { says: "nothing has a price in this currency here", hint: "'nexus tariff show' lists the currencies that have one; operators add one with 'nexus tariff publish --currency CODE'" },
  TERMS_DIFFER: { says: "a unit's time zone and currency are agreed when it is made, and go with it", hint: "'nexus imvu import BUNDLE' signs for what the bundle says" },
};

export type FoundingCommand = Extract<Command, { op: "imvu.create" | "imvu.import" }>;

export function isFounding(command: Command): command is FoundingCommand {
  return command.op === "imvu.create" || command.op === "imvu.import";
}

export function mayBudget({ currency }: Params<"imvu.budget.set">, { imvu }: Facts, answer: Answer<TermsCode>): Verdict {
  const agreed = imvu?.currency ?? EUR;
  return currency === agreed ? answer.pass() : answer.deny("BUDGET_CURRENCY", { currency }, { currency: agreed });
}

/** Commands from before there was a choice carry no fact about tariffs. A bundle that could not be read is other gates' business. */
export function mayFound(command: FoundingCommand, { tariffs, bundle }: Facts, answer: Answer<TermsCode>): Verdict {
  const { timeZone = UTC, currency = EUR } = command.params;
  if (tariffs !== undefined && tariffs?.published !== true) return answer.deny("CURRENCY_WITHOUT_TARIFF", { currency });
  if (command.op === "imvu.create" || bundle === null) return answer.pass();
  const brought = { timeZone: bundle.timeZone ?? UTC, currency: bundle.currency ?? EUR };
  return brought.timeZone === timeZone && brought.currency === currency ? answer.pass() : answer.deny("TERMS_DIFFER", { timeZone, currency }, brought);
}
