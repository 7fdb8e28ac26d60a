import type { TimeZone } from "../../kernel/index.ts";
import { type Period, periodAfter } from "./period.ts";

export interface MeterFlag {
  /**
   * fell: a counter lost value inside its epoch. clock: what was read earlier than the entry before it counts at that one's instant. gap: more than
   * GAP_MS without a reading; `was` and `now` are the instants of those around it.
   */
  readonly what: "fell" | "clock" | "gap";
  readonly index: number;
  readonly series: string;
  readonly was: string;
  readonly now: string;
}

/** Of one `meter.reading` entry: its ledger index, and which reading entry of its stream it is. */
export interface Place {
  readonly index: number;
  readonly ordinal: number;
}

/** A period with the readings that its figures rest on, and what was odd about them, but for what belongs to one series. */
export interface RatedMonth {
  readonly period: Period;
  first: Place | undefined;
  last: Place | undefined;
  readonly flags: MeterFlag[];
}

/** No later month has a name. */
const LAST_MONTH = "2999-12";

/** Periods that follow one another, as many as readings have reached: instants are asked for in order, or nearly. */
export class RatedMonths {
  private readonly months: RatedMonth[];
  private readonly zone: TimeZone | undefined;

  /** @param zone by whose clock the month after the last begins; undefined: there is none after it */
  constructor(months: readonly RatedMonth[], zone: TimeZone | undefined) {
    this.months = [...months];
    this.zone = zone;
  }

  get all(): readonly RatedMonth[] {
    return this.months;
  }

  /** The one an instant belongs to; undefined before the first, and where none follows. */
  at(at_ms: number): RatedMonth | undefined {
    this.reach(at_ms);
    for (let nth = this.months.length - 1; nth >= 0; nth -= 1) {
      const month = this.months[nth] as RatedMonth;
      if (at_ms > month.period.end_ms) return undefined;
      if (at_ms > month.period.start_ms) return month;
    }
    return undefined;
  }

  /** Those that share more than an instant with what lies between. */
  between(from_ms: number, to_ms: number): readonly RatedMonth[] {
    this.reach(to_ms);
    return this.months.filter(({ period }) => period.end_ms > from_ms && period.start_ms < to_ms);
  }

  find({ name }: Period): RatedMonth | undefined {
    return this.months.find(({ period }) => period.name === name);
  }

  /** Begins with a later one, and forgets those before it. */
  beginWith({ start_ms }: Period): readonly RatedMonth[] {
    this.reach(start_ms + 1);
    return this.months.splice(0, this.months.findIndex(({ period }) => period.start_ms >= start_ms));
  }

  private get last(): RatedMonth {
    return this.months.at(-1) as RatedMonth;
  }

  private reach(at_ms: number): void {
    while (this.zone !== undefined && at_ms > this.last.period.end_ms && this.last.period.name < LAST_MONTH) this.months.push(begun(periodAfter(this.last.period, this.zone)));
  }
}

/** An entry that a month's figures rest on. */
export function use(month: RatedMonth, place: Place): void {
  if (!month.first || place.ordinal < month.first.ordinal) month.first = place;
  if (!month.last || place.ordinal > month.last.ordinal) month.last = place;
}

export function begun(period: Period): RatedMonth {
  return { period, first: undefined, last: undefined, flags: [] };
}
