import { z } from "zod";
import { type Currency, minorDecimals } from "../kernel/index.ts";
import { zBic, zCurrency, zIban, zImvuId } from "./branded.ts";
import { type FirstResource, type LaterResource, likeOf, RESOURCES, type Resource } from "./meter.ts";
import { flawOfTiers } from "./tiers.ts";

/** What commands say of money: prices, sales, accounts, payouts and budgets. Text of one spelling each, never a number. */

/** Nine decimals, always: what is signed has one spelling. */
const zPrice = z.string().regex(/^(0|[1-9]\d{0,8})\.\d{9}$/, "must be a price with nine decimals, like 0.000002000");
function ofEachResource<T>(make: () => T): Record<Resource, T> {
  return Object.fromEntries(Object.keys(RESOURCES).map((resource) => [resource, make()])) as Record<Resource, T>;
}
/** Commands from before a resource was told apart name no price of it. */
export const zPrices = z.strictObject(Object.fromEntries((Object.keys(RESOURCES) as Resource[]).map((resource) => [resource, likeOf(resource) === undefined ? zPrice : zPrice.optional()])) as Record<FirstResource, typeof zPrice> & Record<LaterResource, z.ZodOptional<typeof zPrice>>);
export const zTiers = z
  .strictObject(ofEachResource(() => z.array(z.strictObject({ above: z.string().regex(/^(0|[1-9]\d{0,17})(\.\d{1,12})?$/, "must be a quantity with all decimals of its resource"), price: zPrice })).optional()))
  .superRefine((tiers, context) => {
    const flaw = flawOfTiers(tiers);
    if (flaw !== undefined) context.addIssue({ code: "custom", message: flaw });
  });
/** Prices never change inside a month. */
export const zMonthBegin = z.string().regex(/^20\d\d-(0[1-9]|1[0-2])-01T00:00:00\.000Z$/, "must be a month's first instant in UTC, like 2027-01-01T00:00:00.000Z");

/** What the system that took the money calls a sale, or a refund: the same name is booked once. */
export const zSourceId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:@+-]{0,127}$/, "1 to 128 letters, digits, '.', '_', ':', '@', '+' and '-', beginning with a letter or digit");
/** With the minor unit's decimals, always: what is signed has one spelling. */
const zAmount = z.string().regex(/^(0|[1-9]\d{0,11})(\.\d{1,4})?$/, "must be an amount with the decimals of its currency, like 12.34").refine((amount) => /[1-9]/.test(amount), "must be more than nothing");
export const zInstant = z.string().refine((at) => /^\d{4}-/.test(at) && new Date(at).getTime() >= 0 && new Date(at).toISOString() === at, "must be an RFC 3339 instant in UTC with milliseconds, like 2026-11-23T12:00:00.000Z");
export const zSale = z.strictObject({
  sourceId: zSourceId,
  amount: zAmount,
  currency: zCurrency,
  /** When it was sold, or paid back: the month it belongs to. */
  at: zInstant,
});

export function hasDecimals({ amount, currency }: { readonly amount: string; readonly currency: Currency }, context: z.RefinementCtx): void {
  const decimals = minorDecimals(currency);
  if ((amount.split(".")[1]?.length ?? 0) !== decimals) context.addIssue({ code: "custom", path: ["amount"], message: `must have ${decimals} decimals: ${currency} has as many` });
}

/** Where a creator's money goes. A name as a bank knows it: one line, at most as long as a SEPA name. */
export const zPayoutAccount = z.strictObject({
  holder: z.string().regex(/^[^\s\p{C}](?:[^\p{C}\p{Zl}\p{Zp}]{0,68}[^\s\p{C}])?$/u, "1 to 70 characters on one line, without white space at its ends"),
  /** Some ways to pay must know. */
  kind: z.enum(["person", "company"]),
  iban: zIban,
  bic: zBic.optional(),
});
export const zPayoutRef = { imvu: zImvuId, /** Its end-to-end id. */ payout: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,34}$/, "1 to 35 letters, digits and hyphens, like IMVU-001-1") };
/** What a bank or provider calls a payment. */
export const zReference = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:@+-]{0,127}$/, "1 to 128 letters, digits, '.', '_', ':', '@', '+' and '-', beginning with a letter or digit");
export const zReason = z.string().regex(/^[A-Za-z0-9](?:[A-Za-z0-9 .,-]{0,138}[A-Za-z0-9.])?$/, "1 to 140 letters, digits, spaces, '.', ',' and '-', like AC04 account closed");

/** Percents of a budget at which its owner is told. */
export const THRESHOLDS_MAX = 5;
export const THRESHOLD_PERCENT_MAX = 200;
export const zBudget = z
  .strictObject({
    /** What a month's usage may come to before somebody is told; null: no budget any more. */
    amount: zAmount.nullable(),
    currency: zCurrency,
    thresholds: z.array(z.int().min(1).max(THRESHOLD_PERCENT_MAX)).max(THRESHOLDS_MAX),
  })
  .superRefine(({ amount, currency, thresholds }, context) => {
    const refuse = (message: string) => context.addIssue({ code: "custom", path: ["thresholds"], message });
    if (amount !== null) hasDecimals({ amount, currency }, context);
    if ((amount === null) !== (thresholds.length === 0)) refuse(`1 to ${THRESHOLDS_MAX} percents of an amount, and none where there is no budget`);
    if (thresholds.some((percent, at) => at > 0 && percent <= (thresholds[at - 1] as number))) refuse("each must be more than the one before");
  });
