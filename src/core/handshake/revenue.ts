import type { Command, Params } from "../../contract/index.ts";
import { decimalText, Fault, MONEY_DECIMALS, type Money, money, parseDecimal } from "../../kernel/index.ts";
import { exactMoney } from "./exact.ts";

/** A sale inside a unit, or what was paid back of one, as its people's command says it. */
export interface Sale extends Params<"revenue.record"> {
  /** Source id of the sale that it reverses; null: it is one. */
  readonly reverses: string | null;
}

export function saleOf(command: Command): Sale | undefined {
  if (command.op === "revenue.record") return { ...command.params, reverses: null };
  return command.op === "revenue.reverse" ? command.params : undefined;
}

/** What was sold and paid back, in a statement or a correction. Amounts have 21 decimals and no sign. */
export interface Revenue {
  readonly recorded: string;
  readonly reversed: string;
  readonly sales: number;
  readonly reversals: number;
}

export const NO_REVENUE: Revenue = revenueOf([]);

/** 10^-21 of a currency unit, without a sign. */
export function amountOfSale({ amount }: Pick<Sale, "amount">): Money {
  const units = parseDecimal(amount, MONEY_DECIMALS);
  if (units === undefined || units <= 0n) throw new Fault("SALE_MALFORMED", `${JSON.stringify(amount)} is no amount`);
  return money(units);
}

export function revenueOf(sales: readonly Pick<Sale, "amount" | "reverses">[]): Revenue {
  const [sold, back] = [sales.filter(({ reverses }) => reverses === null), sales.filter(({ reverses }) => reverses !== null)];
  const sum = (some: readonly Pick<Sale, "amount">[]) => decimalText(some.reduce((all, one) => all + amountOfSale(one), 0n), MONEY_DECIMALS);
  return { recorded: sum(sold), reversed: sum(back), sales: sold.length, reversals: back.length };
}

/** What the sales add to a month's gross; negative where more was paid back than sold. */
export function netOf({ recorded, reversed }: Revenue): Money {
  return money(exactMoney(recorded) - exactMoney(reversed));
}
