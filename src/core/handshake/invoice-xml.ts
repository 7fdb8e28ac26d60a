import type { Buyer, Seller } from "../../contract/index.ts";
import { daysOf, type Invoice } from "./invoice.ts";
import { grossOf, itemOf, notesOf, termsOf } from "./invoice-text.ts";

/** A name, what stands in it, and its attributes: an element; nothing where there is nothing to say. */
type Node = string | undefined;
type Attributes = Readonly<Record<string, string>>;

const SPACES: Attributes = {
  "xmlns:rsm": "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
  "xmlns:ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
  "xmlns:qdt": "urn:un:unece:uncefact:data:standard:QualifiedDataType:100",
  "xmlns:udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
};
const CODES = { invoice: "380", "credit-note": "381" } as const;

/** EN 16931 in the syntax of UN/CEFACT's Cross Industry Invoice, which Factur-X and ZUGFeRD put into a PDF. The same invoice makes the same bytes. */
export function invoiceXml(invoice: Invoice): string {
  const { number, kind, issued } = invoice;
  const document = element("rsm:CrossIndustryInvoice", [
    element("rsm:ExchangedDocumentContext", [element("ram:GuidelineSpecifiedDocumentContextParameter", [text("ram:ID", "urn:cen.eu:en16931:2017")])]),
    element("rsm:ExchangedDocument", [
      text("ram:ID", number),
      text("ram:TypeCode", CODES[kind]),
      element("ram:IssueDateTime", [day("udt", issued)]),
      ...notesOf(invoice).map((note) => element("ram:IncludedNote", [text("ram:Content", note)])),
    ]),
    element("rsm:SupplyChainTradeTransaction", [line(invoice), agreement(invoice), delivery(invoice), settlement(invoice)]),
  ], SPACES);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${document}\n`;
}

function line(invoice: Invoice): Node {
  const { amounts: { net }, vat: { category, rate } } = invoice;
  return element("ram:IncludedSupplyChainTradeLineItem", [
    element("ram:AssociatedDocumentLineDocument", [text("ram:LineID", "1")]),
    element("ram:SpecifiedTradeProduct", [text("ram:Name", itemOf(invoice)), text("ram:Description", grossOf(invoice))]),
    element("ram:SpecifiedLineTradeAgreement", [element("ram:NetPriceProductTradePrice", [text("ram:ChargeAmount", net)])]),
    // C62: one of it.
    element("ram:SpecifiedLineTradeDelivery", [text("ram:BilledQuantity", "1", { unitCode: "C62" })]),
    element("ram:SpecifiedLineTradeSettlement", [
      element("ram:ApplicableTradeTax", [text("ram:TypeCode", "VAT"), text("ram:CategoryCode", category), rate === null ? undefined : text("ram:RateApplicablePercent", rate)]),
      element("ram:SpecifiedTradeSettlementLineMonetarySummation", [text("ram:LineTotalAmount", net)]),
    ]),
  ]);
}

function agreement({ seller, buyer, origin, statement, vat: { category } }: Invoice): Node {
  // What is not subject to VAT names nobody's VAT id (BR-O-2).
  const named = category !== "O";
  return element("ram:ApplicableHeaderTradeAgreement", [
    buyer.profile.reference === undefined ? undefined : text("ram:BuyerReference", buyer.profile.reference),
    party("ram:SellerTradeParty", seller.profile, { id: origin, named, taxNumber: seller.profile.taxNumber }),
    party("ram:BuyerTradeParty", buyer.profile, { named }),
    // 916: a document that supports it.
    element("ram:AdditionalReferencedDocument", [text("ram:IssuerAssignedID", `${origin} ${statement}`), text("ram:TypeCode", "916"), text("ram:Name", "ledger entry of the statement")]),
  ]);
}

function party(name: string, { name: who, street, postalCode, city, country, vatId, email }: Seller | Buyer, { id, named, taxNumber }: { readonly id?: string; readonly named: boolean; readonly taxNumber?: string | undefined }): Node {
  return element(name, [
    id === undefined ? undefined : text("ram:ID", id),
    text("ram:Name", who),
    element("ram:PostalTradeAddress", [text("ram:PostcodeCode", postalCode), text("ram:LineOne", street), text("ram:CityName", city), text("ram:CountryID", country)]),
    element("ram:URIUniversalCommunication", [text("ram:URIID", email, { schemeID: "EM" })]),
    named && vatId !== undefined ? element("ram:SpecifiedTaxRegistration", [text("ram:ID", vatId, { schemeID: "VA" })]) : undefined,
    taxNumber === undefined ? undefined : element("ram:SpecifiedTaxRegistration", [text("ram:ID", taxNumber, { schemeID: "FC" })]),
  ]);
}

/** BT-72: a month's service is rendered when the month is over. */
function delivery({ v, period }: Invoice): Node {
  if (v === 1) return "<ram:ApplicableHeaderTradeDelivery/>";
  return element("ram:ApplicableHeaderTradeDelivery", [element("ram:ActualDeliverySupplyChainEvent", [element("ram:OccurrenceDateTime", [day("udt", daysOf(period).last)])])]);
}

function settlement({ currency, period, kind, vat: { category, rate, code, reason }, amounts: { net, vat, total, rounding, paid, due }, preceding }: Invoice): Node {
  const { first, last } = daysOf(period);
  return element("ram:ApplicableHeaderTradeSettlement", [
    text("ram:InvoiceCurrencyCode", currency),
    element("ram:ApplicableTradeTax", [
      text("ram:CalculatedAmount", vat),
      text("ram:TypeCode", "VAT"),
      reason === null ? undefined : text("ram:ExemptionReason", reason),
      text("ram:BasisAmount", net),
      text("ram:CategoryCode", category),
      code === null ? undefined : text("ram:ExemptionReasonCode", code),
      rate === null ? undefined : text("ram:RateApplicablePercent", rate),
    ]),
    element("ram:BillingSpecifiedPeriod", [element("ram:StartDateTime", [day("udt", first)]), element("ram:EndDateTime", [day("udt", last)])]),
    element("ram:SpecifiedTradePaymentTerms", [text("ram:Description", termsOf(kind))]),
    element("ram:SpecifiedTradeSettlementHeaderMonetarySummation", [
      text("ram:LineTotalAmount", net),
      text("ram:TaxBasisTotalAmount", net),
      text("ram:TaxTotalAmount", vat, { currencyID: currency }),
      /[1-9]/.test(rounding) ? text("ram:RoundingAmount", rounding) : undefined,
      text("ram:GrandTotalAmount", total),
      text("ram:TotalPrepaidAmount", paid),
      text("ram:DuePayableAmount", due),
    ]),
    preceding === null ? undefined : element("ram:InvoiceReferencedDocument", [text("ram:IssuerAssignedID", preceding.number), element("ram:FormattedIssueDateTime", [day("qdt", preceding.issued)])]),
  ]);
}

/** 102: year, month and day without anything between. */
function day(space: "udt" | "qdt", date: string): Node {
  return text(`${space}:DateTimeString`, date.replaceAll("-", ""), { format: "102" });
}

function element(name: string, within: readonly Node[], attributes: Attributes = {}): Node {
  const inner = within.filter((one) => one !== undefined).map((one) => `\n${one}`.replaceAll("\n", "\n  ")).join("");
  return `<${name}${written(attributes)}>${inner}\n</${name}>`;
}

function text(name: string, value: string, attributes: Attributes = {}): Node {
  return `<${name}${written(attributes)}>${escaped(value)}</${name}>`;
}

function written(attributes: Attributes): string {
  return Object.entries(attributes).map(([name, value]) => ` ${name}="${escaped(value)}"`).join("");
}

const ENTITIES: Attributes = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;" };

function escaped(value: string): string {
  return value.replace(/[&<>"']/g, (mark) => ENTITIES[mark] as string);
}
