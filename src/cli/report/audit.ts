import { RESOURCES, type Resource } from "../../contract/index.ts";
import type { correctionCsv, revenueCsv } from "../../verify/index.ts";
import { flagLines } from "../meter-flags.ts";
import { stateOf } from "../month-state.ts";
import { plainFigure } from "../output.ts";
import type { Block, Cell, Head, Report, Row, Section } from "./report.ts";

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

/** A month of a unit: money, usage, sales, corrections, journal, readings. What there was none of takes no room. */
export function auditReport(facts: AuditFacts): Report {
  const { statement } = facts;
  const state = stateOf(statement, Date.parse(facts.madeAt));
  return {
    title: `Audit report ${statement.imvu} · ${statement.period}`,
    lead: `${state}${correctedLead(statement)} · ${statement.currency} · from ${statement.readings.count} readings (${entries(statement.readings)}) · log ${facts.origin} · made ${facts.madeAt}`,
    sections: [moneyOf(facts), ...usageOf(facts), ...soldIn(facts), ...(statement.corrections ?? []).map(corrected), ...booked(facts), readingsOf(facts), HOW_TO_CHECK],
  };
}

/** A closed statement stays as it was: what the month is by now stands below it. */
function correctedLead({ corrections = [] }: AuditFacts["statement"]): string {
  const last = corrections.at(-1);
  return last === undefined ? "" : `, corrected ${corrections.length === 1 ? "once" : `${corrections.length} times`}: gross is ${plain(last.total.gross)} by now`;
}

const HOW_TO_CHECK: Section = {
  title: "How to check it",
  blocks: [{ kind: "text", text: "Every figure is made of ledger entries. `nexus ledger proof INDEX` proves one of them, `nexus verify revenue` makes the whole month again on the running platform, and a bundle of the unit (`nexus imvu exit`) is checked by its own `verify.mjs` with no network. With a spreadsheet: amount = quantity × unit price, gross = usage + sold − paid back, creator = 55 % of gross, platform = 45 %; and each quantity from the rows of `nexus audit readings`." }],
};

/** Where figures of money lead. */
const [USAGE, SALES, JOURNAL] = ["usage", "sales", "journal"] as const;

function moneyOf({ statement, sales, journal }: AuditFacts): Section {
  const { usage, revenue, gross, creator, platform, payout } = statement;
  const row = (what: string, amount: string, to: string | undefined, note = ""): Row => ({ cells: [to === undefined ? cell(what) : { lines: [what], to }, cell(plain(amount)), cell(note)] });
  const [toSales, toJournal] = [sales.length > 0 ? SALES : undefined, journal.length > 0 ? JOURNAL : undefined];
  const rows = [
    ...(usage === undefined ? [] : [row("usage", usage, USAGE, "the sum of the lines below")]),
    ...(revenue ? [row(`sold (${revenue.sales})`, revenue.recorded, toSales), row(`paid back (${revenue.reversals})`, isNothing(revenue.reversed) ? revenue.reversed : `-${revenue.reversed}`, toSales)] : []),
    row("gross", gross, USAGE, "nothing is taken off before it is divided"),
    row("creator 55 %", creator, toJournal),
    row("platform 45 %", platform, toJournal),
    ...(payout ? [row("payout to creator", payout.creator, toJournal, `rounded up once, by ${plain(payout.difference)}`)] : []),
  ];
  const parts: Block = { kind: "parts", says: "55 percent creator, 45 percent platform", parts: [{ label: `creator ${cents(creator)}`, share: 0.55 }, { label: `platform ${cents(platform)}`, share: 0.45 }] };
  return { title: "Money", blocks: [...(gross.startsWith("-") || isNothing(gross) ? [] : [parts]), { kind: "table", heads: heads(["", statement.currency, ""], [1]), rows }] };
}

function usageOf({ statement, days }: AuditFacts): readonly Section[] {
  const used = statement.lines.filter(({ quantity }) => !isNothing(quantity));
  if (used.length === 0) return [{ title: "Usage", anchor: USAGE, blocks: [{ kind: "text", text: "Nothing was used." }] }];
  const rows = used.map(({ resource, above, quantity, unit, unitPrice, amount }): Row => ({
    cells: [{ lines: [above === undefined ? titleOf(resource) : `${titleOf(resource)} above ${plainFigure(above)}`], to: resource }, cell(plain(quantity)), cell(unit), cell(plain(unitPrice)), cell(plain(amount))],
  }));
  const flagged = flagLines(statement);
  const charts = used.filter(({ above }) => above === undefined).map(({ resource, unit }): Section => ({
    title: `${titleOf(resource)}, ${unitsOf(unit)} a day`,
    anchor: resource,
    minor: true,
    blocks: [{ kind: "days", says: `${titleOf(resource)} by day`, unit: unitsOf(unit), days: days.map(({ day, quantities }) => ({ day, quantity: plain(quantities[resource]) })) }],
  }));
  const table: Block = { kind: "table", heads: heads(["", "quantity", "unit", "unit price", "amount"], [1, 3, 4]), rows };
  const flags: readonly Section[] = flagged.length === 0 ? [] : [{ title: "Flagged", minor: true, blocks: [{ kind: "list", lines: flagged }] }];
  return [{ title: "Usage", anchor: USAGE, blocks: [{ kind: "text", text: `Prices: tariff in ledger entry ${statement.tariffIndex}.`, small: true }, table] }, ...flags, ...charts];
}

function soldIn({ sales, statement }: AuditFacts): readonly Section[] {
  if (sales.length === 0) return [];
  const rows = sales.map(({ index, at, sourceId, reverses, amount, currency }): Row => ({ cells: [`entry ${index}`, at, sourceId, reverses === null ? "sold" : `paid back of ${reverses}`, `${reverses === null ? "" : "-"}${amount}`, currency].map(cell) }));
  return [{ title: `Sales of ${statement.period}`, anchor: SALES, blocks: [{ kind: "table", heads: heads(["", "when", "source id", "", "amount", ""], [4]), rows }] }];
}

function corrected({ number, index, corrects, revenue, gross, creator, platform, payout, total }: Correction): Section {
  const rows = [["gross", gross, total.gross], ["creator 55 %", creator, total.creator], ["platform 45 %", platform, total.platform], ["payout to creator", payout.creator, total.payout]];
  return {
    title: `Correction ${number}`,
    blocks: [
      { kind: "text", text: `ledger entry ${index}, corrects entry ${corrects}: ${revenue.sales} sold and ${revenue.reversals} paid back after the month had closed`, small: true },
      { kind: "table", heads: heads(["", "adds", "the month is"], [1, 2]), rows: rows.map(([what = "", adds = "", whole = ""]) => ({ cells: [cell(what), cell(plain(adds)), cell(plain(whole))] })) },
    ],
  };
}

function booked({ journal }: AuditFacts): readonly Section[] {
  if (journal.length === 0) return [];
  const rows = journal.map(({ index, account, amount }): Row => ({ cells: [`entry ${index}`, account, amount.startsWith("-") ? "" : plain(amount), amount.startsWith("-") ? plain(amount.slice(1)) : ""].map(cell) }));
  return [{ title: "Journal", anchor: JOURNAL, blocks: [{ kind: "table", heads: heads(["", "account", "debit", "credit"], [2, 3]), rows }] }];
}

function readingsOf({ days, statement }: AuditFacts): Section {
  const used = [...new Set(statement.lines.filter(({ quantity }) => !isNothing(quantity)).map(({ resource }) => resource))];
  const rows = days.map(({ day, readings, quantities }): Row => ({ anchor: day, cells: [cell(day), cell(entries(readings)), cell(String(readings.count)), { lines: used.filter((resource) => !isNothing(quantities[resource])).map((resource) => `${titleOf(resource)} ${plain(quantities[resource])} ${unitsOf(RESOURCES[resource].unit)}`) }] }));
  const text = `Days by the clock of ${statement.timeZone ?? "UTC"}. Each rests on the readings from the first to the last entry named: \`nexus ledger entries --imvu-id ${statement.imvu} --from INDEX\` prints them, \`nexus audit readings --imvu-id ${statement.imvu} --month ${statement.period}\` writes them as rows to calculate with.`;
  return { title: "Readings by day", blocks: [{ kind: "text", text, small: true }, { kind: "table", heads: heads(["day", "entries", "readings", "used"], [2]), rows }] };
}

function titleOf(resource: Resource): string {
  const { title } = RESOURCES[resource];
  return title.slice(0, 1).toUpperCase() + title.slice(1);
}

/** Of more than one, as most figures are. */
function unitsOf(unit: string): string {
  return unit === "GB" ? unit : `${unit}s`;
}

function heads(texts: readonly string[], numbers: readonly number[]): readonly Head[] {
  return texts.map((text, at) => (numbers.includes(at) ? { text, number: true } : { text }));
}

function cell(text: string): Cell {
  return { lines: [text] };
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
