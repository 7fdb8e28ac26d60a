/**
 * The business rules of EN 16931 that a document like ours can break, once more and without any of the product's code: read from the XML alone, in the syntax of the Cross
 * Industry Invoice. CII-SR and CII-DT are those of the published Schematron about that syntax, BR-FX those of Factur-X's; neither is run here. The official schema of Factur-X is, by xmllint.
 */
interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Element[];
  readonly text: string;
}

const ENTITY: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** Elements, attributes and text, which is all that may be there; anything else throws. */
export function parseXml(xml: string): Element {
  const tokens = xml.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n/, "").match(/<[^>]*>|[^<]+/g) ?? [];
  const plain = (text: string) => {
    if (/[&](?!(amp|lt|gt|quot|apos);)|[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/.test(text)) throw new Error(`not XML: ${text}`);
    return text.replace(/&(\w+);/g, (_, name: string) => ENTITY[name] as string);
  };
  const stack: { name: string; attributes: Record<string, string>; children: Element[]; text: string }[] = [{ name: "", attributes: {}, children: [], text: "" }];
  for (const token of tokens) {
    const top = stack.at(-1) as (typeof stack)[number];
    const open = /^<([\w:]+)((?:\s+[\w:]+="[^"<]*")*)\s*(\/?)>$/.exec(token);
    if (open) {
      const attributes = Object.fromEntries([...(open[2] ?? "").matchAll(/([\w:]+)="([^"]*)"/g)].map(([, name = "", value = ""]) => [name, plain(value)]));
      const element = { name: open[1] as string, attributes, children: [], text: "" };
      top.children.push(element);
      if (open[3] === "") stack.push(element);
    } else if (token.startsWith("</")) {
      if (token !== `</${top.name}>`) throw new Error(`${token} ends ${top.name}`);
      stack.pop();
    } else if (token.startsWith("<")) throw new Error(`neither element nor text: ${token}`);
    else top.text += plain(token);
  }
  const [root] = stack[0]?.children ?? [];
  if (!root || stack.length !== 1 || stack[0]?.children.length !== 1) throw new Error("not one element");
  return root;
}

function all(element: Element, path: string): readonly Element[] {
  return path.split("/").reduce<readonly Element[]>((found, name) => found.flatMap(({ children }) => children.filter((child) => child.name.replace(/^\w+:/, "") === name)), [element]);
}
const one = (element: Element, path: string) => all(element, path)[0];
const said = (element: Element, path: string) => one(element, path)?.text.trim() || undefined;

/** In 10^-9. */
function number(text: string | undefined): bigint {
  const match = /^(-?)(\d+)(?:\.(\d{1,9}))?$/.exec(text ?? "");
  if (!match) throw new Error(`${text} is no number`);
  return BigInt(`${match[1]}${match[2]}${(match[3] ?? "").padEnd(9, "0")}`);
}

function decimalsOf(text: string | undefined): number {
  return (text ?? "").split(".")[1]?.length ?? 0;
}

function everyOf(element: Element): readonly Element[] {
  return [element, ...element.children.flatMap(everyOf)];
}

/** @returns ids of the rules that are broken */
export function brokenRules(xml: string): readonly string[] {
  const invoice = parseXml(xml);
  const broken = new Set<string>();
  const must = (rule: string, holds: boolean | undefined) => {
    if (!holds) broken.add(rule);
  };
  const [document, trade] = [one(invoice, "ExchangedDocument") as Element, one(invoice, "SupplyChainTradeTransaction") as Element];
  const [agreement, settlement] = [one(trade, "ApplicableHeaderTradeAgreement") as Element, one(trade, "ApplicableHeaderTradeSettlement") as Element];
  const [seller, buyer] = [one(agreement, "SellerTradeParty") as Element, one(agreement, "BuyerTradeParty") as Element];
  const lines = all(trade, "IncludedSupplyChainTradeLineItem");
  const taxes = all(settlement, "ApplicableTradeTax");
  const sums = one(settlement, "SpecifiedTradeSettlementHeaderMonetarySummation") as Element;
  const sum = (name: string) => (said(sums, name) === undefined ? undefined : number(said(sums, name)));
  const registered = (party: Element, scheme: string) => all(party, "SpecifiedTaxRegistration/ID").find(({ attributes }) => attributes.schemeID === scheme)?.text;

  must("BR-1", said(invoice, "ExchangedDocumentContext/GuidelineSpecifiedDocumentContextParameter/ID") === "urn:cen.eu:en16931:2017");
  must("BR-2", said(document, "ID") !== undefined);
  must("BR-3", /^\d{8}$/.test(said(document, "IssueDateTime/DateTimeString") ?? ""));
  must("BR-4", ["380", "381"].includes(said(document, "TypeCode") ?? ""));
  must("BR-5", /^[A-Z]{3}$/.test(said(settlement, "InvoiceCurrencyCode") ?? ""));
  must("BR-6", said(seller, "Name") !== undefined);
  must("BR-7", said(buyer, "Name") !== undefined);
  must("BR-9", /^[A-Z]{2}$/.test(said(seller, "PostalTradeAddress/CountryID") ?? ""));
  must("BR-11", /^[A-Z]{2}$/.test(said(buyer, "PostalTradeAddress/CountryID") ?? ""));
  for (const [rule, name] of [["BR-12", "LineTotalAmount"], ["BR-13", "TaxBasisTotalAmount"], ["BR-14", "GrandTotalAmount"], ["BR-15", "DuePayableAmount"]] as const) must(rule, sum(name) !== undefined);
  must("BR-8", one(seller, "PostalTradeAddress") !== undefined);
  must("BR-10", one(buyer, "PostalTradeAddress") !== undefined);
  must("BR-16", lines.length > 0);
  // Of Factur-X beside EN 16931, for sales inside Germany: a period alone is not enough to it, the delivery says something too.
  const delivered = said(trade, "ApplicableHeaderTradeDelivery/ActualDeliverySupplyChainEvent/OccurrenceDateTime/DateTimeString");
  must("BR-FX-EN-04", delivered !== undefined);
  for (const party of [seller, buyer]) for (const address of all(party, "URIUniversalCommunication/URIID")) must(party === seller ? "BR-62" : "BR-63", address.attributes.schemeID !== undefined);
  const [start, end] = ["StartDateTime", "EndDateTime"].map((name) => said(settlement, `BillingSpecifiedPeriod/${name}/DateTimeString`));
  must("BR-CO-19", start !== undefined || end !== undefined);
  must("BR-29", start === undefined || end === undefined || start <= end);
  for (const preceding of all(settlement, "InvoiceReferencedDocument")) must("BR-55", said(preceding, "IssuerAssignedID") !== undefined);
  for (const supporting of all(agreement, "AdditionalReferencedDocument")) {
    must("BR-52", said(supporting, "IssuerAssignedID") !== undefined);
    must("CII-DT-018", ["50", "130", "916"].includes(said(supporting, "TypeCode") ?? ""));
    must("CII-DT-021", said(supporting, "Name") === undefined || said(supporting, "TypeCode") === "916");
  }
  for (const [rule, party] of [["CII-SR-459", seller], ["CII-SR-460", buyer]] as const) must(rule, all(party, "URIUniversalCommunication").length <= 1);
  must("CII-SR-452", all(settlement, "SpecifiedTradePaymentTerms").length <= 1);
  must("CII-SR-453", all(settlement, "SpecifiedTradePaymentTerms/Description").length <= 1);

  for (const line of lines) {
    must("BR-24", said(line, "SpecifiedLineTradeSettlement/SpecifiedTradeSettlementLineMonetarySummation/LineTotalAmount") !== undefined);
    must("BR-26", said(line, "SpecifiedLineTradeAgreement/NetPriceProductTradePrice/ChargeAmount") !== undefined);
    must("CII-SR-454", all(line, "SpecifiedLineTradeSettlement/ApplicableTradeTax").length === 1);
    if (broken.has("BR-24") || broken.has("BR-26") || broken.has("CII-SR-454")) return [...broken];
    const tax = one(line, "SpecifiedLineTradeSettlement/ApplicableTradeTax") as Element;
    const total = number(said(line, "SpecifiedLineTradeSettlement/SpecifiedTradeSettlementLineMonetarySummation/LineTotalAmount"));
    const [quantity, price] = [one(line, "SpecifiedLineTradeDelivery/BilledQuantity"), number(said(line, "SpecifiedLineTradeAgreement/NetPriceProductTradePrice/ChargeAmount"))];
    must("BR-21", said(line, "AssociatedDocumentLineDocument/LineID") !== undefined);
    must("BR-22", quantity !== undefined);
    must("BR-23", quantity?.attributes.unitCode !== undefined);
    must("BR-CL-23", quantity?.attributes.unitCode === "C62");
    must("BR-25", said(line, "SpecifiedTradeProduct/Name") !== undefined);
    must("BR-27", price >= 0n);
    must("PEPPOL-EN16931-R120", number(quantity?.text) * price === total * 10n ** 9n);
    must("BR-CO-4", said(tax, "CategoryCode") !== undefined);
    category(tax, true);
  }
  must("BR-CO-18", taxes.length > 0);
  for (const tax of taxes) {
    const [basis, amount, code, rate] = [number(said(tax, "BasisAmount")), number(said(tax, "CalculatedAmount")), said(tax, "CategoryCode"), said(tax, "RateApplicablePercent")];
    must("BR-47", code !== undefined);
    must("BR-48", rate !== undefined || code === "O");
    // Half up, to the smallest unit that the amount names, exactly: validators allow more. A rate that rounds to no percent at all is none to them.
    const unit = 10n ** BigInt(9 - decimalsOf(said(tax, "CalculatedAmount")));
    must("BR-CO-17", amount === ((2n * basis * number(rate ?? "0")) / (100n * 10n ** 9n) + unit) / (2n * unit) * unit);
    must("BR-CO-17", 2n * number(rate ?? "0") >= 10n ** 9n || 2n * amount < 10n ** 9n);
    const inCategory = lines.filter((line) => said(line, "SpecifiedLineTradeSettlement/ApplicableTradeTax/CategoryCode") === code);
    must(`BR-${code}-8`, basis === inCategory.reduce((all, line) => all + number(said(line, "SpecifiedLineTradeSettlement/SpecifiedTradeSettlementLineMonetarySummation/LineTotalAmount")), 0n));
    must(`BR-${code}-1`, inCategory.length > 0);
    const why = said(tax, "ExemptionReason") !== undefined || said(tax, "ExemptionReasonCode") !== undefined;
    must(`BR-${code}-10`, code === "S" ? !why : why);
    if (code !== "S") must(`BR-${code}-9`, amount === 0n);
    category(tax, false);
  }
  if (taxes.some((tax) => said(tax, "CategoryCode") === "O")) {
    must("BR-O-11", taxes.length === 1);
    must("BR-O-12", lines.every((line) => said(line, "SpecifiedLineTradeSettlement/ApplicableTradeTax/CategoryCode") === "O"));
  }

  function category(tax: Element, isLine: boolean): void {
    const [code, rate] = [said(tax, "CategoryCode"), said(tax, "RateApplicablePercent")];
    const [sellers, buyers] = [registered(seller, "VA"), registered(buyer, "VA")];
    if (code === "S") must("BR-S-5", rate !== undefined && number(rate) > 0n);
    if (code === "E" || code === "AE") must(`BR-${code}-5`, rate !== undefined && number(rate) === 0n);
    if (code === "S" || code === "E") must(`BR-${code}-2`, sellers !== undefined || registered(seller, "FC") !== undefined);
    if (code === "AE") must("BR-AE-2", sellers !== undefined && buyers !== undefined);
    if (code === "O") must("BR-O-2", sellers === undefined && buyers === undefined);
    if (code === "O" && isLine) must("BR-O-5", rate === undefined);
    must("BR-CL-17", ["S", "E", "AE", "O"].includes(code ?? ""));
    must("BR-CL-22", ["VATEX-EU-AE", "VATEX-EU-O", undefined].includes(said(tax, "ExemptionReasonCode")));
    if (code === "AE" && !isLine) must("BR-AE-VATEX", said(tax, "ExemptionReasonCode") === "VATEX-EU-AE");
  }

  const zero = 0n;
  must("BR-CO-10", sum("LineTotalAmount") === lines.reduce((all, line) => all + number(said(line, "SpecifiedLineTradeSettlement/SpecifiedTradeSettlementLineMonetarySummation/LineTotalAmount")), 0n));
  must("BR-CO-13", sum("TaxBasisTotalAmount") === sum("LineTotalAmount"));
  must("BR-CO-14", sum("TaxTotalAmount") === taxes.reduce((all, tax) => all + number(said(tax, "CalculatedAmount")), 0n));
  must("BR-CO-15", sum("GrandTotalAmount") === (sum("TaxBasisTotalAmount") ?? zero) + (sum("TaxTotalAmount") ?? zero));
  must("BR-CO-15", all(sums, "TaxTotalAmount").filter(({ attributes }) => attributes.currencyID === said(settlement, "InvoiceCurrencyCode")).length === 1);
  must("BR-CO-16", sum("DuePayableAmount") === (sum("GrandTotalAmount") ?? zero) - (sum("TotalPrepaidAmount") ?? zero) + (sum("RoundingAmount") ?? zero));
  must("BR-53", all(sums, "TaxTotalAmount").every(({ attributes }) => attributes.currencyID === said(settlement, "InvoiceCurrencyCode")));
  must("BR-CO-25", (sum("DuePayableAmount") ?? zero) <= 0n || said(settlement, "SpecifiedTradePaymentTerms/Description") !== undefined);
  must("BR-CO-26", said(seller, "ID") !== undefined || registered(seller, "VA") !== undefined);
  for (const party of [seller, buyer]) {
    const [country, id] = [said(party, "PostalTradeAddress/CountryID"), registered(party, "VA")];
    must("BR-CO-9", id === undefined || id.startsWith(country === "GR" ? "EL" : (country ?? "?")));
    for (const address of all(party, "URIUniversalCommunication/URIID")) must("BR-CL-25", ["EM", undefined].includes(address.attributes.schemeID));
  }
  for (const { name, text, attributes, children } of everyOf(invoice)) {
    // A price may have more.
    if (/Amount$/.test(name) && !/:ChargeAmount$/.test(name)) must("BR-DEC", decimalsOf(text) <= 2);
    if (/Amount$/.test(name) && !/:TaxTotalAmount$/.test(name)) must("CII-DT-031", attributes.currencyID === undefined);
    must("PEPPOL-EN16931-R008", children.length > 0 || text.trim() !== "");
    if (/:DateTimeString$/.test(name)) must("CII-DT-097", attributes.format === "102" && /^\d{4}(1[0-2]|0[1-9])(3[01]|[12]\d|0[1-9])$/.test(text));
    if (/:ID$/.test(name) && attributes.schemeID !== undefined) must("BR-CL-11", ["VA", "FC"].includes(attributes.schemeID));
  }
  return [...broken];
}
