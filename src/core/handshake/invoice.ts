import type { Buyer, Seller } from "../../contract/index.ts";
import { decimalText, type ImvuId, MONEY_DECIMALS, money } from "../../kernel/index.ts";
import type { Correction } from "./account.ts";
import { exactMoney } from "./exact.ts";
import { NO_REVENUE } from "./revenue.ts";
import type { Statement } from "./statement.ts";
import type { StatementLine } from "./usage-lines.ts";
import { type Amounts, amountsOf, type Vat, vatOf, wholeShare } from "./vat.ts";

/**
 * Version of the data of an `invoice.issued` entry. In 1 an amount had as many decimals as its currency, and the XML said nothing of the delivery: published rules
 * of EN 16931 and of Factur-X refuse both. After the first 2 of a unit there is no 1 any more.
 */
export type InvoiceForm = 1 | 2;
const FORM: InvoiceForm = 2;

/** Of a smallest unit, where a statement is too old to say what is paid. */
const DIGITS_DEFAULT = 2;
/** EN 16931 knows no more in any amount (BR-DEC-09 … BR-DEC-23). */
const DIGITS_MAX = 2;
const SEQUENCE_DIGITS = 6;

/** A profile as it stood, with the ledger index of the command that set it. */
export interface Profile<T> {
  readonly index: number;
  readonly profile: T;
}

/** What an invoice is about: the month as it closed, or what a correction added to it. */
export interface Billed {
  /** Ledger index. */
  readonly index: number;
  readonly made: Statement | Correction;
}

/** Another invoice of the same month. */
export interface Preceding {
  readonly number: string;
  readonly issued: string;
}

/** Data of an `invoice.issued` entry: all that its documents say. */
export interface Invoice {
  readonly v: InvoiceForm;
  readonly imvu: ImvuId;
  /** Series and sequence; a series has no gap. */
  readonly number: string;
  readonly series: string;
  readonly sequence: number;
  readonly kind: "invoice" | "credit-note";
  /** Day of issue, UTC. */
  readonly issued: string;
  readonly period: string;
  readonly currency: string;
  /** Ledger index of what it is about, and which correction of the month that is; 0: the statement itself. */
  readonly statement: number;
  readonly correction: number;
  readonly preceding: Preceding | null;
  /** Of the log that it stands in: names the seller where no tax office does. */
  readonly origin: string;
  readonly seller: Profile<Seller>;
  readonly buyer: Profile<Buyer>;
  /** As the statement or the correction says them, with 21 decimals. */
  readonly gross: string;
  readonly share: string;
  readonly vat: Vat;
  readonly amounts: Amounts;
  /** How gross came about: what was used, and sold. */
  readonly annex: { readonly lines: readonly StatementLine[]; readonly usage: string; readonly recorded: string; readonly reversed: string };
}

export interface InvoiceFacts {
  /** What it is written in; default: the newest. */
  readonly form?: InvoiceForm;
  readonly imvu: ImvuId;
  readonly billed: Billed;
  readonly seller: Profile<Seller>;
  readonly buyer: Profile<Buyer>;
  readonly origin: string;
  readonly issued: string;
  readonly sequence: number;
  readonly preceding: Preceding | null;
}

/** Invoices of one seller and year are counted from 1; another prefix begins another series. */
export function seriesOf({ prefix }: Pick<Seller, "prefix">, issued: string): string {
  return `${prefix}-${issued.slice(0, 4)}`;
}

export function invoiceNumber(series: string, sequence: number): string {
  return `${series}-${String(sequence).padStart(SEQUENCE_DIGITS, "0")}`;
}

/** The platform's share in whole smallest units that an invoice can name, with a sign: what it is about. 0: there is none to write. */
export function shareOf(made: Statement | Correction, form: InvoiceForm = FORM): { readonly units: bigint; readonly digits: number } {
  const currencys = made.payout ? (made.payout.creator.split(".")[1] ?? "").length : DIGITS_DEFAULT;
  const digits = form === 1 ? currencys : Math.min(currencys, DIGITS_MAX);
  const platform = exactMoney(made.platform);
  if (!("corrects" in made)) return { units: wholeShare(platform, digits), digits };
  // The month is rounded, not each part of it.
  const total = exactMoney(made.total.platform);
  return { units: wholeShare(total, digits) - wholeShare(money(total - platform), digits), digits };
}

/** @returns undefined where there is no share to write an invoice of */
export function invoiceOf({ form = FORM, imvu, billed: { index, made }, seller, buyer, origin, issued, sequence, preceding }: InvoiceFacts): Invoice | undefined {
  const { units, digits } = shareOf(made, form);
  if (units === 0n) return undefined;
  const series = seriesOf(seller.profile, issued);
  const vat = vatOf(seller.profile, buyer.profile);
  const revenue = made.revenue ?? NO_REVENUE;
  const usage = "corrects" in made ? 0n : exactMoney(made.usage ?? made.gross);
  return {
    v: form,
    imvu,
    number: invoiceNumber(series, sequence),
    series,
    sequence,
    kind: units < 0n ? "credit-note" : "invoice",
    issued,
    period: made.period,
    currency: made.currency,
    statement: index,
    correction: "corrects" in made ? made.number : 0,
    preceding,
    origin,
    seller,
    buyer,
    gross: made.gross,
    share: made.platform,
    vat,
    amounts: amountsOf(units < 0n ? -units : units, vat, digits),
    annex: {
      lines: "corrects" in made ? [] : made.lines.filter(({ quantity }) => /[1-9]/.test(quantity)),
      usage: decimalText(usage, MONEY_DECIMALS),
      recorded: revenue.recorded,
      reversed: revenue.reversed,
    },
  };
}

/** First and last day of the month that an invoice is about. */
export function daysOf(period: string): { readonly first: string; readonly last: string } {
  const first = `${period}-01`;
  const next = new Date(Date.parse(`${first}T00:00:00Z`) + 32 * DAY_MS).toISOString().slice(0, 7);
  return { first, last: new Date(Date.parse(`${next}-01T00:00:00Z`) - DAY_MS).toISOString().slice(0, 10) };
}

const DAY_MS = 86_400_000;
