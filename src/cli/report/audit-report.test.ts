import assert from "node:assert/strict";
import { test } from "node:test";
import { extractText, getDocumentProxy } from "unpdf";
import { RESOURCES, type Resource } from "../../contract/index.ts";
import { DEFAULT_PRICES_V1, NO_REVENUE } from "../../core/handshake/index.ts";
import { imvuIdOf } from "../../kernel/index.ts";
import { type AuditFacts, auditReport } from "./audit.ts";
import { htmlOf } from "./html.ts";
import { pdfOf } from "./pdf.ts";

const zeros = Object.fromEntries(Object.keys(RESOURCES).map((resource) => [resource, "0"])) as Record<Resource, string>;
const facts: AuditFacts = {
  statement: {
    v: 2, imvu: imvuIdOf(1), period: "2026-11", currency: "EUR", tariffIndex: 2, usage: "0.200000000000000000000", revenue: { ...NO_REVENUE, recorded: "12.340000000000000000000", sales: 1 }, gross: "12.540000000000000000000",
    creator: "6.897000000000000000000", platform: "5.643000000000000000000", payout: { creator: "6.90", difference: "0.003000000000000000000" }, readings: { first: 10, last: 90, count: 9 }, flags: [], streamHead: null, closed: true, index: 91,
    lines: (Object.keys(RESOURCES) as Resource[]).map((resource) => ({ resource, quantity: resource === "dns.answers" ? "1000000" : "0", unit: RESOURCES[resource].unit, unitPrice: DEFAULT_PRICES_V1[resource], amount: resource === "dns.answers" ? "0.200000000000000000000" : "0.000000000000000000000" })),
  },
  days: [{ day: "2026-11-03", quantities: { ...zeros, "dns.answers": "400000" }, readings: { first: 10, last: 50, count: 5 } }, { day: "2026-11-04", quantities: { ...zeros, "dns.answers": "600000" }, readings: { first: 50, last: 90, count: 5 } }],
  sales: [{ index: 70, at: "2026-11-04T00:00:00.000Z", sourceId: "<script>alert('x')</script>&\"", reverses: null, amount: "12.34", currency: "EUR" }],
  journal: [{ index: 91, account: "sales", amount: "12.340000000000000000000" }, { index: 91, account: "platform", amount: "-5.643000000000000000000" }],
  origin: "world/nexus/a", madeAt: "2026-12-01T00:00:00.000Z",
};

test("an audit report: every figure stands there, each day leads to its readings, and nothing is fetched or run", () => {
  const page = htmlOf(auditReport(facts));
  for (const said of ["closed, ledger entry 91", "entries 10 to 90", "6.897", "5.643", "12.54", "rounded up once, by 0.003", "tariff in ledger entry 2", "2026-11-03: 400000 answer", 'href="#2026-11-04"', 'id="2026-11-04"', "entries 50 to 90", "entry 70"]) assert.ok(page.includes(said), said);
  assert.ok(!/<script|https?:|<link|<img|@import|url\(/.test(page), "nothing is fetched or run");
  assert.ok(page.includes("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&quot;"));
  for (const [, target = ""] of page.matchAll(/href="#([^"]+)"/g)) assert.ok(page.includes(`id="${target}"`), target);
  assert.ok(!page.toLowerCase().includes(RESOURCES["mail.sent"].title), "what was not used takes no room");
});

test("every figure of money leads to what it is made of, points stand below each other, and a month that was corrected says so first", () => {
  const correction = { v: 2, imvu: facts.statement.imvu, period: "2026-11", currency: "EUR", corrects: 91, number: 1, index: 95, streamHead: { streamSeq: 9, sha256: "" }, revenue: NO_REVENUE, gross: "-2.000000000000000000000", creator: "-1.100000000000000000000", platform: "-0.900000000000000000000", payout: { creator: "-1.10", difference: "0.003000000000000000000" }, total: { gross: "10.540000000000000000000", creator: "5.797000000000000000000", platform: "4.743000000000000000000", payout: "5.80" } } as const;
  const page = htmlOf(auditReport({ ...facts, statement: { ...facts.statement, corrections: [correction] } }));
  for (const [what, to] of [["usage", "usage"], ["sold \\(1\\)", "sales"], ["gross", "usage"], ["creator 55 %", "journal"], ["platform 45 %", "journal"], ["payout to creator", "journal"]]) assert.match(page, new RegExp(`<td><a href="#${to}">${what}</a></td>`));
  for (const anchor of ["usage", "sales", "journal"]) assert.ok(page.includes(`<h2 id="${anchor}">`), anchor);
  const money = [...page.matchAll(/<td class="n">([-\d.]+)(\u00a0*)<\/td>/g)].slice(0, 7).map(([, figure = "", blanks = ""]) => [figure, (figure.split(".")[1] ?? "").length + blanks.length]);
  assert.deepEqual(money, [["0.20", 3], ["12.34", 3], ["0.00", 3], ["12.54", 3], ["6.897", 3], ["5.643", 3], ["6.90", 3]]);
  assert.match(page, /closed, ledger entry 91, corrected once: gross is 10\.54 by now/);
  assert.ok(page.includes("<td>DNS answers 400000 answers</td>"), "of a day what was used, and nothing else");
});

/** What a reader that is not ours finds in a PDF. */
async function readPdf(bytes: Buffer) {
  const pdf = await getDocumentProxy(new Uint8Array(bytes));
  const { totalPages, text } = await extractText(pdf, { mergePages: false });
  const pages = await Promise.all(Array.from({ length: totalPages }, async (_, at) => await pdf.getPage(at + 1)));
  const links = (await Promise.all(pages.map((page) => page.getAnnotations()))).flat() as { readonly subtype: string; readonly dest?: string; readonly url?: string }[];
  return { text: text.map((page) => page.replaceAll(/\s+/g, " ")), links, targets: Object.keys(await pdf.getDestinations()), scripts: await pdf.getJSActions(), info: (await pdf.getMetadata()).info as { readonly Title?: string; readonly Language?: string } };
}

test("the same as PDF: every figure stands there, links lead inside, and the same month makes the same bytes", async () => {
  const bytes = await pdfOf(auditReport(facts), Date.parse(facts.madeAt));
  const { text, links, targets, scripts, info } = await readPdf(bytes);
  const whole = text.join(" ");
  for (const said of ["closed, ledger entry 91", "entries 10 to 90", "6.897", "5.643", "12.54", "rounded up once, by 0.003", "tariff in ledger entry 2", "entries 50 to 90", "entry 70", "highest: 600000 answer", "<script>alert('x')</script>&\"", `page 1 of ${text.length}`]) assert.ok(whole.includes(said), said);
  assert.ok(!whole.toLowerCase().includes(RESOURCES["mail.sent"].title), "what was not used takes no room");
  assert.ok(links.length >= 3);
  for (const { subtype, dest, url } of links) assert.ok(subtype === "Link" && url === undefined && targets.includes(String(dest)), String(dest));
  assert.equal(scripts, null);
  assert.equal(info.Title, "Audit report IMVU-001 · 2026-11");
  assert.equal(info.Language, "en");
  assert.ok(bytes.equals(await pdfOf(auditReport(facts), Date.parse(facts.madeAt))));
});

test("a PDF of a month with everything: rows keep their head over pages, long words are broken, letters it has no shape for are named", async () => {
  const days = Array.from({ length: 30 }, (_, at) => ({ day: `2026-11-${String(at + 1).padStart(2, "0")}`, quantities: Object.fromEntries(Object.keys(RESOURCES).map((resource) => [resource, `${at * 1_000}.123456789`])) as Record<Resource, string>, readings: { first: at * 10, last: at * 10 + 10, count: 11 } }));
  const sales = Array.from({ length: 300 }, (_, at) => ({ index: 1_000 + at, at: "2026-11-04T00:00:00.000Z", sourceId: at === 7 ? "x".repeat(128) : `order-${at}`, reverses: at === 8 ? "\u65e5" : null, amount: "999999999999.99", currency: "EUR" }));
  const lines = facts.statement.lines.map((line) => ({ ...line, quantity: `${"9".repeat(30)}.${"9".repeat(12)}`, amount: `${"9".repeat(30)}.${"9".repeat(21)}` }));
  const { text } = await readPdf(await pdfOf(auditReport({ ...facts, days, sales, statement: { ...facts.statement, lines } }), 0));
  assert.ok(text.length > 6, `${text.length} pages`);
  const whole = text.join(" ");
  for (let at = 0; at < 300; at += 1) assert.ok(whole.includes(`entry ${1_000 + at} `), `sale ${at}`);
  assert.ok(whole.replaceAll(" ", "").includes("x".repeat(128)));
  assert.ok(whole.includes("paid back of U+65E5"));
  assert.ok(whole.replaceAll(" ", "").includes(`${"9".repeat(30)}.${"9".repeat(21)}`), "no digit is lost");
  for (const page of text.filter((one) => / entry 1[01]\d\d /.test(one))) assert.match(page, /when source id/);
});

test("of an open month without anything it says so", () => {
  const { lines } = facts.statement;
  const page = htmlOf(auditReport({ ...facts, days: [], sales: [], journal: [], statement: { ...facts.statement, closed: false, gross: `0.${"0".repeat(21)}`, lines: lines.map((line) => ({ ...line, quantity: "0.000" })) } }));
  assert.match(page, /not over: what it comes to so far/);
  assert.match(page, /Nothing was used/);
  assert.ok(!page.includes("<h2>Journal") && !page.includes("<h2>Sales"));
});
