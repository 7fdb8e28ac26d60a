import type { Command, Imvu } from "../../contract/index.ts";
import { type Currency, EUR, type TimeZone, UTC } from "../../kernel/index.ts";

/** What is agreed once, when a unit is made or arrives, and never changes: by whose clock its months begin, and in what it is paid. */
export interface Terms {
  readonly timeZone: TimeZone;
  readonly currency: Currency;
}

/** Of units from before there was a choice, and of those that chose nothing. */
export const FIRST_TERMS: Terms = { timeZone: UTC, currency: EUR };

export function termsOf({ timeZone = FIRST_TERMS.timeZone, currency = FIRST_TERMS.currency }: Partial<Pick<Imvu, "timeZone" | "currency">>): Terms {
  return { timeZone, currency };
}

/** As the owner signed them: by the command that a unit's stream begins with. */
export function termsIn(command: Command): Terms | undefined {
  return command.op === "imvu.create" || command.op === "imvu.import" ? termsOf(command.params) : undefined;
}

export function sameTerms(a: Terms, b: Terms): boolean {
  return a.timeZone === b.timeZone && a.currency === b.currency;
}
