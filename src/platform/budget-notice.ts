import type { Imvu } from "../contract/index.ts";
import type { BudgetReached } from "../core/command/index.ts";

type Told = BudgetReached & { readonly index: number };

/** No letter is read for its zeros: every other digit is the entry's. */
function short(usage: string): string {
  return usage.replace(/(\.\d\d\d*?)0+$/, "$1");
}

/** What is written to a unit's owner when thresholds of its budget were reached; the figures are those of the entries. */
export function budgetNotice({ id, name }: Pick<Imvu, "id" | "name">, reached: readonly Told[]): { readonly subject: string; readonly text: string } {
  const last = reached.at(-1) as Told;
  return {
    subject: `${id}: ${last.what === "usage" ? `${last.percent} % of ${last.period}'s budget is used` : `${last.period} may come to its whole budget`}`,
    text: [
      `What ${name} (${id}) uses has reached:`,
      "",
      ...reached.map(({ index, what, percent, period, amount, currency, usage }) => `  entry ${index}: ${what === "usage" ? `${currency} ${short(usage)} used in ${period}, ${percent} % of ${amount} or more` : `${currency} ${short(usage)} by the end of ${period} if usage goes on as it did, which is ${amount} or more`}`),
      "",
      "Nothing is stopped or slowed down by a budget. What it comes to, and how to set another:",
      "",
      `  nexus statement show --imvu-id ${id}`,
      `  nexus budget set --imvu-id ${id} --amount AMOUNT`,
      "",
    ].join("\n"),
  };
}
