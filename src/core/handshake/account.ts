import { type Currency, decimalText, type ImvuId, MONEY_DECIMALS, type Money, money } from "../../kernel/index.ts";
import { exactMoney } from "./exact.ts";
import { payable, payableText, payoutOf, type Payout } from "./payout.ts";
import { type Period, periodOf } from "./period.ts";
import { amountOfSale, netOf, NO_REVENUE, type Revenue, revenueOf, type Sale } from "./revenue.ts";
import { split } from "./split.ts";
import type { Statement, StatementHead } from "./statement.ts";
import { FIRST_TERMS, type Terms } from "./terms.ts";

/** Version of the data of a `statement.corrected` entry. */
const CORRECTION_V = 2;

/** Data of a `statement.corrected` entry: what sales that were recorded after their month had closed change of it. Money has 21 decimals. */
export interface Correction {
  readonly v: typeof CORRECTION_V;
  readonly imvu: ImvuId;
  readonly period: string;
  readonly currency: Currency;
  /** Ledger index of what it changes: the month's statement, or the correction before this one. */
  readonly corrects: number;
  /** 1 for a month's first. */
  readonly number: number;
  /** Of the sales that nothing before knew. */
  readonly revenue: Revenue;
  /** What is added; negative where more was paid back. */
  readonly gross: string;
  readonly creator: string;
  readonly platform: string;
  readonly payout: Payout;
  /** The month as it is with this. */
  readonly total: { readonly gross: string; readonly creator: string; readonly platform: string; readonly payout: string };
  readonly streamHead: StatementHead;
}

export interface SalePlace {
  readonly index: number;
  readonly streamSeq: number;
  /** Of its entry. */
  readonly time_ms: number;
}

/** As much of a sale as a month is made of: a shop has hundreds of thousands. */
interface Booked extends SalePlace, Pick<Sale, "amount" | "reverses"> {
  readonly period: string;
}

/** A closed month with its corrections so far. */
interface Month {
  readonly index: number;
  readonly number: number;
  readonly gross: Money;
  readonly creator: Money;
  readonly platform: Money;
  readonly paid: Money;
}

/**
 * A unit's sales as its stream tells them in order: which statement or correction knows which. It is followed by the platform to make
 * statements, and by whoever checks them. Keeps each source id for good, and a sale until a closed statement or a correction knows it.
 */
export class Account {
  private readonly imvu: ImvuId;
  private readonly left = new Map<string, Money | null>();
  private readonly months = new Map<string, Month>();
  private open: Booked[] = [];
  private terms: Terms;
  private month: Period | undefined;

  constructor(imvu: ImvuId, terms: Terms = FIRST_TERMS) {
    this.imvu = imvu;
    this.terms = terms;
  }

  /** Before anything is booked. */
  agree(terms: Terms): void {
    this.terms = terms;
    this.month = undefined;
  }

  /** @returns why it cannot be booked; undefined: it is */
  book(sale: Sale, place: SalePlace): string | undefined {
    if (this.left.has(sale.sourceId)) return `${sale.sourceId} is booked already`;
    if (sale.currency !== this.terms.currency) return `${sale.sourceId} is in ${sale.currency}, and the unit's money is ${this.terms.currency}`;
    const amount = amountOfSale(sale);
    if (sale.reverses !== null) {
      const left = this.left.get(sale.reverses) ?? null;
      if (left === null || amount > left) return `${sale.sourceId} pays back more than is left of ${sale.reverses}`;
      this.left.set(sale.reverses, money(left - amount));
    }
    this.left.set(sale.sourceId, sale.reverses === null ? amount : null);
    const { amount: text, reverses } = sale;
    const { index, streamSeq, time_ms } = place;
    this.open.push({ amount: text, reverses, index, streamSeq, time_ms, period: this.monthOf(Date.parse(sale.at)) });
    return undefined;
  }

  /** Sales come nearly in order: most are of the month of the one before. */
  private monthOf(at_ms: number): string {
    if (!this.month || at_ms <= this.month.start_ms || at_ms > this.month.end_ms) this.month = periodOf(at_ms, this.terms.timeZone);
    return this.month.name;
  }

  /** Sales of the month up to an entry of the stream, that no closed statement and no correction knows. */
  revenue(period: string, headSeq: number): Revenue {
    const known = this.open.filter((sale) => sale.period === period && sale.streamSeq <= headSeq);
    return known.length === 0 ? NO_REVENUE : revenueOf(known);
  }

  close({ period, gross, creator, platform, streamHead }: Statement, index: number): void {
    const share = exactMoney(creator);
    this.months.set(period, { index, number: 0, gross: exactMoney(gross), creator: share, platform: exactMoney(platform), paid: payable(share, this.terms.currency) });
    this.settle(period, streamHead);
  }

  isClosed(period: string): boolean {
    return this.months.has(period);
  }

  /** What is to be corrected of a closed month by what was recorded since, up to `streamHead`. */
  correction(period: string, streamHead: StatementHead): Correction | undefined {
    const before = this.months.get(period);
    if (!before) return undefined;
    const { currency } = this.terms;
    const revenue = this.revenue(period, streamHead.streamSeq);
    const gross = money(before.gross + netOf(revenue));
    const { creator, platform } = split(gross);
    const text = (amount: bigint) => decimalText(amount, MONEY_DECIMALS);
    return {
      v: CORRECTION_V,
      imvu: this.imvu,
      period,
      currency,
      corrects: before.index,
      number: before.number + 1,
      revenue,
      gross: text(gross - before.gross),
      creator: text(creator - before.creator),
      platform: text(platform - before.platform),
      payout: payoutOf(creator, currency, before.paid),
      total: { gross: text(gross), creator: text(creator), platform: text(platform), payout: payableText(payable(creator, currency), currency) },
      streamHead,
    };
  }

  correct({ period, number, total, streamHead }: Correction, index: number): void {
    const creator = exactMoney(total.creator);
    this.months.set(period, { index, number, gross: exactMoney(total.gross), creator, platform: exactMoney(total.platform), paid: payable(creator, this.terms.currency) });
    this.settle(period, streamHead);
  }

  /** Closed months with sales that were recorded before that and that nothing knows, with the first such entry; oldest month first. */
  late(until_ms: number): readonly { readonly period: string; readonly index: number }[] {
    const first = new Map<string, number>();
    for (const { period, time_ms, index } of this.open) if (this.months.has(period) && time_ms < until_ms && !first.has(period)) first.set(period, index);
    return [...first].map(([period, index]) => ({ period, index })).sort((a, b) => (a.period < b.period ? -1 : 1));
  }

  private settle(period: string, streamHead: StatementHead | null): void {
    const headSeq = streamHead?.streamSeq ?? -1;
    this.open = this.open.filter((sale) => sale.period !== period || sale.streamSeq > headSeq);
  }
}
