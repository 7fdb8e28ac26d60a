import { CLOCK_SKEW_MS_MAX, type Command, type Verdict } from "../../contract/index.ts";
import { EUR, MONEY_DECIMALS, parseDecimal } from "../../kernel/index.ts";
import type { Facts } from "./facts.ts";
import type { Answer, Denial } from "./gate.ts";

/** Gate 6's rules for what is sold inside a unit: each sale once, while the unit is there, and never more paid back than was sold. */
export type RevenueCode = "REVENUE_UNKNOWN" | "REVENUE_CURRENCY" | "REVENUE_RECORDED" | "REVENUE_AHEAD" | "REVENUE_BEFORE_UNIT" | "REVERSES_NOTHING" | "REVERSES_TOO_MUCH";

export const REVENUE_DENIALS: Readonly<Record<RevenueCode, Denial>> = {
  REVENUE_UNKNOWN: { says: "what was recorded before could not be read", hint: "'nexus doctor' names the engine that does not answer; try again when it does" },
  REVENUE_CURRENCY: { says: "the unit's money is another currency, and amounts of two are never added", hint: "'nexus imvu show ID' names it: say the sale in it, or sell in a unit of its own" },
  REVENUE_RECORDED: { says: "something stands under this source id already", hint: "'nexus revenue list --imvu-id ID' shows it; where it is the same sale there is nothing to do, another one has a source id of its own" },
  REVENUE_AHEAD: { says: "a sale is recorded when it was made, not before", hint: "check --at and this machine's clock" },
  REVENUE_BEFORE_UNIT: { says: "the sale was made before the unit was metered here", hint: "check --at; what was sold elsewhere is another platform's to share" },
  REVERSES_NOTHING: { says: "no sale stands under the source id to reverse", hint: "'nexus revenue list --imvu-id ID' shows the sales" },
  REVERSES_TOO_MUCH: { says: "more would be paid back than is left of the sale", hint: "'nexus revenue list --imvu-id ID' shows what was paid back before" },
};

export type RevenueCommand = Extract<Command, { op: "revenue.record" | "revenue.reverse" }>;

export function isRevenue(command: Command): command is RevenueCommand {
  return command.op === "revenue.record" || command.op === "revenue.reverse";
}

export function mayBook(command: RevenueCommand, { imvu, revenue = null, now_ms }: Facts, answer: Answer<RevenueCode>): Verdict {
  if (revenue === null) return answer.deny("REVENUE_UNKNOWN");
  const agreed = imvu?.currency ?? EUR;
  if (command.params.currency !== agreed) return answer.deny("REVENUE_CURRENCY", { currency: command.params.currency }, { currency: agreed });
  const { known, left, since_ms } = revenue;
  const { sourceId, amount, at } = command.params;
  if (known !== null) return answer.deny("REVENUE_RECORDED", { sourceId }, known);
  const at_ms = Date.parse(at);
  if (at_ms > now_ms + CLOCK_SKEW_MS_MAX) return answer.deny("REVENUE_AHEAD", { at }, { at_ms: now_ms + CLOCK_SKEW_MS_MAX });
  if (since_ms === null || at_ms < since_ms) return answer.deny("REVENUE_BEFORE_UNIT", { at }, { since_ms });
  if (command.op === "revenue.record") return answer.pass();
  if (left === null) return answer.deny("REVERSES_NOTHING", { reverses: command.params.reverses });
  return exact(amount) <= exact(left) ? answer.pass() : answer.deny("REVERSES_TOO_MUCH", { amount }, { amount: left });
}

function exact(amount: string): bigint {
  const units = parseDecimal(amount, MONEY_DECIMALS);
  if (units === undefined) throw new TypeError(`${amount} is no amount`);
  return units;
}
