import { likeOf, RESOURCES, type Resource } from "../../contract/index.ts";
import { decimalText, Fault, MONEY_DECIMALS, type Money, money, PRICE_DECIMALS, parseDecimal } from "../../kernel/index.ts";
import { stepsOf, type Tariff } from "./tariff.ts";

/** What was used of one resource at one price. */
export interface StatementLine {
  readonly resource: Resource;
  /** The step of the tariff: used above this much of the month's. The first step has none. */
  readonly above?: string;
  /** Decimal text with all of RESOURCES[resource].decimals. */
  readonly quantity: string;
  readonly unit: string;
  /** Nine decimals, as the tariff says it. */
  readonly unitPrice: string;
  /** quantity × unitPrice, exact, 21 decimals. */
  readonly amount: string;
}

/**
 * A month's usage at its prices: of every resource, in the order of RESOURCES, a line for its first step, used or not (of one that was told apart later: where
 * it was used), and one for each further step that was reached. What is used up to a step costs what it costs below it, also when more is used.
 */
export function usageLines(quantities: Readonly<Record<Resource, bigint>>, tariff: Pick<Tariff, "prices" | "tiers">): { readonly lines: readonly StatementLine[]; readonly usage: Money } {
  let usage = 0n;
  const lines = (Object.keys(RESOURCES) as Resource[]).flatMap((resource) => {
    const { unit, decimals } = RESOURCES[resource];
    const used = quantities[resource];
    if (used === 0n && likeOf(resource) !== undefined) return [];
    const { price: first, tiers } = stepsOf(tariff, resource);
    const steps = [{ from: 0n, price: first }, ...tiers.map(({ above, price }) => ({ above, from: exactQuantity(above, decimals), price }))];
    return steps.flatMap((step, at): StatementLine[] => {
      const next = steps[at + 1]?.from ?? used;
      const quantity = (used < next ? used : next) - step.from;
      if (at > 0 && quantity <= 0n) return [];
      const amount = amountOf(quantity, decimals, step.price);
      usage += amount;
      return [{ resource, ...("above" in step ? { above: step.above } : {}), quantity: decimalText(quantity, decimals), unit, unitPrice: step.price, amount: decimalText(amount, MONEY_DECIMALS) }];
    });
  });
  return { lines, usage: money(usage) };
}

/** Exact: no resource has more than 12 decimals and a price has 9, so the product fits money's 21. */
export function amountOf(quantity: bigint, decimals: number, unitPrice: string): Money {
  const price = parseDecimal(unitPrice, PRICE_DECIMALS);
  if (price === undefined) throw new Fault("TARIFF_MALFORMED", `unit price ${JSON.stringify(unitPrice)} is no decimal with nine places`);
  return money(quantity * price * 10n ** BigInt(MONEY_DECIMALS - PRICE_DECIMALS - decimals));
}

function exactQuantity(text: string, decimals: number): bigint {
  const quantity = parseDecimal(text, decimals);
  if (quantity === undefined) throw new Fault("TARIFF_MALFORMED", `a step at ${JSON.stringify(text)} is no decimal with ${decimals} places`);
  return quantity;
}
