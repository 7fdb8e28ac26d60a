import assert from "node:assert/strict";
import { test } from "node:test";
import { RESOURCES, type Resource } from "../contract/index.ts";
import { DEFAULT_PRICES_V1, NO_REVENUE } from "../core/handshake/index.ts";
import { imvuIdOf } from "../kernel/index.ts";
import { type AuditFacts, auditReport } from "./audit-report.ts";

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
  const page = auditReport(facts);
  for (const said of ["closed, ledger entry 91", "entries 10 to 90", "6.897", "5.643", "12.54", "rounded up once, by 0.003", "tariff in ledger entry 2", "2026-11-03: 400000 answer", 'href="#2026-11-04"', 'id="2026-11-04"', "entries 50 to 90", "entry 70"]) assert.ok(page.includes(said), said);
  assert.ok(!/<script|https?:|<link|<img|@import|url\(/.test(page), "nothing is fetched or run");
  assert.ok(page.includes("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&quot;"));
  for (const [, target = ""] of page.matchAll(/href="#([^"]+)"/g)) assert.ok(page.includes(`id="${target}"`), target);
  assert.ok(!page.includes(RESOURCES["mail.sent"].title), "what was not used takes no room");
});

test("of an open month without anything it says so", () => {
  const { lines } = facts.statement;
  const page = auditReport({ ...facts, days: [], sales: [], journal: [], statement: { ...facts.statement, closed: false, gross: `0.${"0".repeat(21)}`, lines: lines.map((line) => ({ ...line, quantity: "0.000" })) } });
  assert.match(page, /not over: what it comes to so far/);
  assert.match(page, /Nothing was used/);
  assert.ok(!page.includes("<h2>Journal") && !page.includes("<h2>Sales"));
});
