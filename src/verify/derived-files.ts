import type { Buyer, Command, Params } from "../contract/index.ts";
import { type Correction, type PayoutAccount, type Invoice, type Sale, type Statement, saleOf, type Terms, termsIn } from "../core/handshake/index.ts";
import type { Json } from "../kernel/index.ts";
import type { Entry } from "./ledger-files.ts";

/**
 * Files of a bundle that say again, for people and spreadsheets, what the entries say. Writer and verifier make them by the same
 * functions, so one that says something else than the ledger is found.
 */
export const COMMANDS_AUDIT_PATH = "ledger/audit/commands.jsonl";
export const REFUSALS_AUDIT_PATH = "ledger/audit/refusals.jsonl";
/** There only where something was found. */
export const DRIFT_AUDIT_PATH = "ledger/audit/drift.jsonl";
export const CONSENT_LOG_PATH = "ledger/compliance/consent-log.jsonl";
export const SALES_PATH = "ledger/revenue/sales.jsonl";
export const LINE_PATHS = [COMMANDS_AUDIT_PATH, REFUSALS_AUDIT_PATH, CONSENT_LOG_PATH, SALES_PATH];

export function revenuePath(period: string): string {
  return `ledger/revenue/${period}-ledger.csv`;
}

export function correctionPath({ period, number }: Pick<Correction, "period" | "number">): string {
  return `ledger/revenue/${period}-correction-${number}.csv`;
}

/** `2026-11-invoice`, and `2026-11-invoice-1` of the month's first correction. */
export function invoiceXmlPath(invoice: InvoiceName): string {
  return `${invoicePath(invoice)}.xml`;
}

/** For people: drawn when the bundle is written, with the proof that its checkpoint gives. No verifier draws it again. */
export function invoicePdfPath(invoice: InvoiceName): string {
  return `${invoicePath(invoice)}.pdf`;
}

type InvoiceName = Pick<Invoice, "period" | "correction">;

function invoicePath({ period, correction }: InvoiceName): string {
  return `ledger/revenue/${period}-invoice${correction === 0 ? "" : `-${correction}`}`;
}

export interface AuditRecord {
  readonly op: string;
  readonly digest: string;
  readonly signers: readonly string[];
  /** Of consent.record alone. */
  readonly consent: Params<"consent.record"> | null;
  /** Of revenue.record and revenue.reverse alone. */
  readonly sale: Sale | null;
  /** Of imvu.create and imvu.import alone. */
  readonly terms: Terms | null;
  /** Of imvu.payout.account alone; null: it was withdrawn. */
  readonly account?: PayoutAccount | null;
  /** Of imvu.billing.set alone. */
  readonly buyer: Buyer | null;
  readonly verdicts: readonly { readonly gate: number; readonly verdict: string; readonly code?: string }[];
}

/** The parts of a command that the consent log, the list of sales and the statements go by, and what payouts rest on, and who invoices are to. */
export function repeatedOf(command: Command): Pick<AuditRecord, "consent" | "sale" | "terms" | "account" | "buyer"> {
  return { consent: command.op === "consent.record" ? command.params : null, sale: saleOf(command) ?? null, terms: termsIn(command) ?? null, ...(command.op === "imvu.payout.account" ? { account: command.params.account } : {}), buyer: command.op === "imvu.billing.set" ? command.params : null };
}

/** Which repeating files an entry goes to, and its line in each. */
export function auditLines({ index, body }: Entry, record: AuditRecord): readonly { readonly path: string; readonly line: string }[] {
  const { time, actor } = body;
  const { op, digest, signers, consent, sale } = record;
  if (body.type === "command.accepted") {
    const command = { path: COMMANDS_AUDIT_PATH, line: JSON.stringify({ index, time, actor, op, digest, signers, gates: record.verdicts.length }) };
    if (sale !== null) {
      const { sourceId, reverses, amount, currency, at } = sale;
      return [command, { path: SALES_PATH, line: JSON.stringify({ index, time, actor, sourceId, reverses, amount, currency, at }) }];
    }
    if (consent === null) return [command];
    const { subject, purpose, text, state } = consent;
    return [command, { path: CONSENT_LOG_PATH, line: JSON.stringify({ index, time, actor, subject, purpose, text, state }) }];
  }
  if (body.type !== "command.refused") return [];
  const denied = record.verdicts.filter(({ verdict }) => verdict === "deny").map(({ gate, code }) => ({ gate, code: code ?? null }));
  return [{ path: REFUSALS_AUDIT_PATH, line: JSON.stringify({ index, time, actor, op, digest, signers, denied }) }];
}

/** The line of a `drift.found` entry. */
export function driftLine({ index, body }: Entry): string {
  const { what, at, series, was, now } = (body.data ?? {}) as Readonly<Record<string, Json>>;
  return JSON.stringify({ index, time: body.time, what, at, series, was, now });
}

/** RFC 4180: a row for each line of usage, then the sums. Every field is a number, a name of ours or a unit: nothing to quote. */
export function revenueCsv({ period, timeZone, start, end, currency, tariffIndex, lines, usage, revenue, gross, creator, platform, payout }: Statement): string {
  const rows = lines.map(({ resource, above, quantity, unit, unitPrice, amount }) => [period, above === undefined ? resource : `${resource} above ${above}`, quantity, unit, unitPrice, amount]);
  const head = [timeZone === undefined ? "period" : `period (${timeZone}: after ${start} up to ${end})`, "resource", "quantity", "unit", `unit price ${currency} (tariff: ledger entry ${tariffIndex})`, `amount ${currency}`];
  const sums = [...(usage === undefined ? [] : [["usage", usage]]), ...(revenue ? soldRows(revenue) : []), ...sharesRows({ gross, creator, platform }), ...(payout ? payoutRows(payout) : [])];
  return csv([head, ...rows, ...sums.map(([what = "", amount = ""]) => [period, what, "", "", "", amount])]);
}

/** RFC 4180: what it adds, and the month as it is with it. */
export function correctionCsv({ period, currency, corrects, revenue, gross, creator, platform, payout, total }: Correction): string {
  const added = [...soldRows(revenue), ...sharesRows({ gross, creator, platform }), ...payoutRows(payout)];
  const whole = [...sharesRows(total), ["payout to creator", total.payout]].map(([what = "", amount = ""]) => [`month's ${what}`, amount]);
  return csv([["period", `corrects ledger entry ${corrects}`, `amount ${currency}`], ...[...added, ...whole].map(([what = "", amount = ""]) => [period, what, amount])]);
}

function soldRows({ recorded, reversed, sales, reversals }: NonNullable<Statement["revenue"]>): string[][] {
  return [[`revenue recorded (${sales})`, recorded], [`revenue reversed (${reversals})`, /[1-9]/.test(reversed) ? `-${reversed}` : reversed]];
}

function sharesRows({ gross, creator, platform }: Pick<Statement, "gross" | "creator" | "platform">): string[][] {
  return [["gross", gross], ["creator 55%", creator], ["platform 45%", platform]];
}

function payoutRows({ creator, difference }: NonNullable<Statement["payout"]>): string[][] {
  return [["payout to creator", creator], ["rounded up by", difference]];
}

function csv(rows: readonly (readonly string[])[]): string {
  return rows.map((row) => `${row.join(",")}\r\n`).join("");
}
