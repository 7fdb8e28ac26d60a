import { RESOURCES, type Resource } from "../contract/index.ts";
import type { correctionCsv, revenueCsv } from "../verify/index.ts";
import { flagLines } from "./meter-flags.ts";
import { plainFigure } from "./output.ts";

type Statement = Parameters<typeof revenueCsv>[0];
type Correction = Parameters<typeof correctionCsv>[0] & { readonly index: number };

/** What a month's audit report is made of, as the API answers it. */
export interface AuditFacts {
  readonly statement: Statement & { readonly index?: number; readonly corrections?: readonly Correction[] };
  readonly days: readonly { readonly day: string; readonly quantities: Readonly<Record<Resource, string>>; readonly readings: { readonly first: number | null; readonly last: number | null; readonly count: number } }[];
  readonly sales: readonly { readonly index: number; readonly at: string; readonly sourceId: string; readonly reverses: string | null; readonly amount: string; readonly currency: string }[];
  readonly journal: readonly { readonly index: number; readonly account: string; readonly amount: string }[];
  /** The log that it stands in. */
  readonly origin: string;
  readonly madeAt: string;
}

const CHART = { width: 620, height: 90, gap: 2 };
const STYLE = `body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#1c1c1e;background:#fff}h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2.2rem;border-bottom:1px solid #ddd}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}td,th{padding:.2rem .6rem .2rem 0;text-align:left;vertical-align:top}td.n,th.n{text-align:right;font-family:ui-monospace,monospace;font-size:.86em;overflow-wrap:anywhere}
tr:target{background:#fff3c4}.note{color:#5c5c66}.bar{fill:#2f6f9f}.creator{fill:#2f6f9f}.platform{fill:#b7c9d6}svg text{font-size:11px;fill:#5c5c66}code{font-size:.88em}a{color:#1d5a88}@media print{body{margin:0;max-width:none}h2{break-after:avoid}tr{break-inside:avoid}}`;

/** One self-contained page: no script, no font, nothing fetched. Each day's figure leads to the readings it rests on. */
export function auditReport(facts: AuditFacts): string {
  const { statement } = facts;
  const title = `${statement.imvu} · ${statement.period}`;
  const state = statement.closed ? `closed, ledger entry ${statement.index}` : "not over: what it comes to so far";
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Audit report ${escaped(title)}</title><style>${STYLE}</style></head><body>
<h1>Audit report ${escaped(title)}</h1>
<p class="note">${escaped(state)} · ${escaped(statement.currency)} · from ${statement.readings.count} readings (${entries(statement.readings)}) · log ${escaped(facts.origin)} · made ${escaped(facts.madeAt)}</p>
${moneyOf(facts)}
${usedIn(facts)}
${soldIn(facts)}
${(statement.corrections ?? []).map(corrected).join("\n")}
${booked(facts)}
${readingsOf(facts)}
<h2>How to check it</h2>
<p>Every figure is made of ledger entries. <code>nexus ledger proof INDEX</code> proves one of them, <code>nexus verify revenue</code> makes the whole month again on the running platform, and a bundle of the unit
(<code>nexus imvu exit</code>) is checked by its own <code>verify.mjs</code> with no network. With a spreadsheet: amount = quantity × unit price, gross = usage + sold − paid back, creator = 55 % of gross, platform = 45 %.</p>
</body></html>
`;
}

function moneyOf({ statement }: AuditFacts): string {
  const { usage, revenue, gross, creator, platform, payout } = statement;
  const rows = [
    ...(usage === undefined ? [] : [["usage", usage, "the sum of the lines below"]]),
    ...(revenue ? [[`sold (${revenue.sales})`, revenue.recorded, ""], [`paid back (${revenue.reversals})`, isNothing(revenue.reversed) ? revenue.reversed : `-${revenue.reversed}`, ""]] : []),
    ["gross", gross, "nothing is taken off before it is divided"],
    ["creator 55 %", creator, ""],
    ["platform 45 %", platform, ""],
    ...(payout ? [["payout to creator", payout.creator, `rounded up once, by ${plain(payout.difference)}`]] : []),
  ];
  const split = gross.startsWith("-") || isNothing(gross) ? "" : `<svg viewBox="0 0 ${CHART.width} 34" role="img" aria-label="55 percent creator, 45 percent platform"><rect class="creator" width="${CHART.width * 0.55}" height="16"/><rect class="platform" x="${CHART.width * 0.55}" width="${CHART.width * 0.45}" height="16"/><text y="30">creator ${escaped(cents(creator))}</text><text x="${CHART.width * 0.55}" y="30">platform ${escaped(cents(platform))}</text></svg>`;
  return `<h2>Money</h2>\n${split}\n${table(["", statement.currency, ""], rows.map(([what = "", amount = "", note = ""]) => [what, figure(plain(amount)), { html: `<span class="note">${escaped(note)}</span>` }]), 1)}`;
}

function usedIn({ statement, days }: AuditFacts): string {
  const used = statement.lines.filter(({ quantity }) => !isNothing(quantity));
  if (used.length === 0) return "<h2>Usage</h2><p>Nothing was used.</p>";
  const rows = used.map(({ resource, above, quantity, unit, unitPrice, amount }) => [{ html: `<a href="#${resource}">${escaped(RESOURCES[resource].title)}</a>${above === undefined ? "" : ` above ${escaped(plainFigure(above))}`}` }, figure(plain(quantity)), unit, figure(plain(unitPrice)), figure(plain(amount))]);
  const charts = used.filter(({ above }) => above === undefined).map(({ resource, unit }) => `<h3 id="${resource}">${escaped(RESOURCES[resource].title)}, ${escaped(unit)} a day</h3>\n${chart(days.map(({ day, quantities }) => ({ day, quantity: quantities[resource] })), unit)}`);
  return `<h2>Usage</h2>\n<p class="note">Prices: tariff in ledger entry ${statement.tariffIndex}.</p>\n${table(["", "quantity", "unit", "unit price", "amount"], rows, 1)}\n${flagged(statement)}\n${charts.join("\n")}`;
}

function flagged(statement: Statement): string {
  const lines = flagLines(statement);
  return lines.length === 0 ? "" : `<h3>Flagged</h3>\n<ul>${lines.map((line) => `<li>${escaped(line)}</li>`).join("")}</ul>`;
}

/** A bar for each day of the month, with its figure as a title and a way to its readings. */
function chart(days: readonly { readonly day: string; readonly quantity: string }[], unit: string): string {
  const most = Math.max(...days.map(({ quantity }) => Number(quantity)), Number.MIN_VALUE);
  const step = CHART.width / 31;
  const bars = days.map(({ day, quantity }) => {
    const height = (Number(quantity) / most) * CHART.height;
    const x = (Number(day.slice(8)) - 1) * step;
    return `<a href="#${day}"><rect class="bar" x="${x.toFixed(1)}" y="${(CHART.height - height).toFixed(1)}" width="${(step - CHART.gap).toFixed(1)}" height="${Math.max(height, 0.5).toFixed(1)}"><title>${escaped(`${day}: ${plain(quantity)} ${unit}`)}</title></rect></a>`;
  });
  const ticks = [1, 10, 20, 30].map((day) => `<text x="${((day - 1) * step).toFixed(1)}" y="${CHART.height + 13}">${day}</text>`);
  return `<svg viewBox="0 0 ${CHART.width} ${CHART.height + 16}" role="img" aria-label="by day">${bars.join("")}${ticks.join("")}</svg>`;
}

function soldIn({ sales, statement }: AuditFacts): string {
  if (sales.length === 0) return "";
  const rows = sales.map(({ index, at, sourceId, reverses, amount, currency }) => [`entry ${index}`, at, sourceId, reverses === null ? "sold" : `paid back of ${reverses}`, figure(`${reverses === null ? "" : "-"}${amount}`), currency]);
  return `<h2>Sales of ${escaped(statement.period)}</h2>\n${table(["", "when", "source id", "", "amount", ""], rows)}`;
}

function corrected({ number, index, corrects, revenue, gross, creator, platform, payout, total }: Correction): string {
  const rows = [["gross", gross, total.gross], ["creator 55 %", creator, total.creator], ["platform 45 %", platform, total.platform], ["payout to creator", payout.creator, total.payout]];
  return `<h2>Correction ${number}</h2>\n<p class="note">ledger entry ${index}, corrects entry ${corrects}: ${revenue.sales} sold and ${revenue.reversals} paid back after the month had closed</p>\n${table(["", "adds", "the month is"], rows.map(([what = "", adds = "", whole = ""]) => [what, figure(plain(adds)), figure(plain(whole))]), 1)}`;
}

function booked({ journal }: AuditFacts): string {
  if (journal.length === 0) return "";
  const rows = journal.map(({ index, account, amount }) => [`entry ${index}`, account, figure(amount.startsWith("-") ? "" : plain(amount)), figure(amount.startsWith("-") ? plain(amount.slice(1)) : "")]);
  return `<h2>Journal</h2>\n${table(["", "account", "debit", "credit"], rows, 2)}`;
}

function readingsOf({ days, statement }: AuditFacts): string {
  const used = [...new Set(statement.lines.filter(({ quantity }) => !isNothing(quantity)).map(({ resource }) => resource))];
  const rows = days.map(({ day, readings, quantities }) => `<tr id="${day}"><td>${day}</td><td>${entries(readings)}</td><td class="n">${readings.count}</td><td class="n">${used.map((resource) => `${escaped(RESOURCES[resource].title)} ${escaped(plain(quantities[resource]))}`).join("<br>")}</td></tr>`);
  return `<h2>Readings by day</h2>\n<p class="note">Days in UTC. Each rests on the readings from the first to the last entry named: <code>nexus ledger entries --imvu-id ${escaped(statement.imvu)} --from INDEX</code> prints them.</p>\n<table><tr><th>day</th><th>entries</th><th class="n">sets</th><th class="n">used</th></tr>${rows.join("\n")}</table>`;
}

/** Text, a number in its column, or what was made of escaped text here. */
type Cell = string | { readonly number: string } | { readonly html: string };

/** @param numbersFrom column from which the heads stand above numbers */
function table(heads: readonly string[], rows: readonly (readonly Cell[])[], numbersFrom = heads.length): string {
  const head = heads.map((one, at) => `<th${at >= numbersFrom && one !== "unit" ? ' class="n"' : ""}>${escaped(one)}</th>`).join("");
  return `<table><tr>${head}</tr>${rows.map((row) => `<tr>${row.map(cell).join("")}</tr>`).join("\n")}</table>`;
}

function cell(one: Cell): string {
  if (typeof one === "string") return `<td>${escaped(one)}</td>`;
  return "html" in one ? `<td>${one.html}</td>` : `<td class="n">${escaped(one.number)}</td>`;
}

function figure(text: string): Cell {
  return { number: text };
}

function entries({ first, last }: { readonly first: number | null; readonly last: number | null }): string {
  return first === null || last === null ? "none" : first === last ? `entry ${first}` : `entries ${first} to ${last}`;
}

/** Without the zeros that say nothing; two decimals stay. */
function plain(text: string): string {
  return text.replace(/(\.\d\d\d*?)0+$/, "$1");
}

/** Cut, not rounded: the figure stands in full beside it. */
function cents(text: string): string {
  return text.replace(/(\.\d\d)\d*$/, "$1");
}

function isNothing(text: string): boolean {
  return /^[-0.]*$/.test(text);
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;").replaceAll("'", "&#39;");
}
