import type { Imvu } from "../contract/index.ts";
import type { BudgetReached } from "../core/command/index.ts";

type Told = BudgetReached & { readonly index: number };

/** What is written to a unit's owner when thresholds of its budget were reached; the figures are those of the entries. */
export function budgetNotice({ id, name }: Pick<Imvu, "id" | "name">, reached: readonly Told[]): { readonly subject: string; readonly text: string } {
  const last = reached.at(-1) as Told;
  return {
    subject: `${id}: ${last.what === "usage" ? `${last.percent} % of ${last.period}'s budget is used` : `${last.period} may exceed its budget`}`,
    text: [
      `What ${name} (${id}) uses has reached:`,
      "",
      ...reached.map(({ index, what, percent, period, amount, currency, usage }) => `  entry ${index}: ${what === "usage" ? `${currency} ${usage} used in ${period}, ${percent} % of ${amount} or more` : `${currency} ${usage} by the end of ${period} if usage goes on as it did, more than ${amount}`}`),
      "",
      "Nothing is stopped or slowed down by a budget. What it comes to, and how to set another:",
      "",
      `  nexus statement show --imvu-id ${id}`,
      `  nexus budget set --imvu-id ${id} --amount AMOUNT`,
      "",
    ].join("\n"),
  };
}
