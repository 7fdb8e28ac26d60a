import { Fault, MONEY_DECIMALS, type Money, money, parseDecimal } from "../../kernel/index.ts";

/** Money from its decimal text. Throws Fault STATEMENT_MALFORMED for what is none: texts that were made here, or checked before. */
export function exactMoney(text: string): Money {
  const amount = parseDecimal(text, MONEY_DECIMALS);
  if (amount === undefined) throw new Fault("STATEMENT_MALFORMED", `${JSON.stringify(text)} is no amount of money`);
  return money(amount);
}
