import { daysOf, type Invoice } from "./invoice.ts";
import { PLATFORM_SHARE_PERCENT } from "./split.ts";

/** Words that both documents of an invoice say. */
export function itemOf({ imvu, period, correction }: Pick<Invoice, "imvu" | "period" | "correction">): string {
  return `Hosting of ${imvu}, ${period}: ${PLATFORM_SHARE_PERCENT} % of ${correction === 0 ? "gross" : `what correction ${correction} adds to gross`}`;
}

export function grossOf({ currency, gross, share, annex }: Pick<Invoice, "currency" | "gross" | "share" | "annex">): string {
  const parts = [["usage", annex.usage], ["sold", annex.recorded], ["paid back", annex.reversed]].filter(([, amount]) => /[1-9]/.test(amount ?? "")).map(([what, amount]) => `${what} ${plain(amount ?? "")}`);
  return `Gross ${currency} ${plain(gross)} (${parts.join(", ")}); ${PLATFORM_SHARE_PERCENT} % of it: ${plain(share)}`;
}

/** Notes of an invoice, in the order in which they stand on it. */
export function notesOf(invoice: Invoice): readonly string[] {
  const { kind, statement, origin, vat, period, correction, preceding } = invoice;
  const { first, last } = daysOf(period);
  return [
    `Supplied from ${first} to ${last}.${vat.category === "S" ? " VAT is contained in the platform's share." : ""} No fee stands beside the split.`,
    ...(correction === 0 ? [] : [`Correction ${correction} of ${period}: sales and refunds that were recorded after the month had closed${preceding === null ? "" : `, after ${preceding.number} of ${preceding.issued}`}.`]),
    ...(vat.reason === null ? [] : [vat.reason.endsWith(".") ? vat.reason : `${vat.reason}.`]),
    `Made of ledger entry ${statement} of ${origin}.`,
    termsOf(kind),
  ];
}

export function termsOf(kind: Invoice["kind"]): string {
  return kind === "invoice" ? "Kept from the month's gross: nothing is to be paid." : "Returned with the creator's payout: nothing is to be paid.";
}

/** The same figure without the zeros at its end, but for two decimals. */
export function plain(figure: string): string {
  return figure.replace(/(\.\d\d\d*?)0+$/, "$1");
}
