import { type MeterReading, RESOURCES, type Resource } from "../../contract/index.ts";
import { decimalText, type TimeZone, UTC } from "../../kernel/index.ts";
import { dayOf, type Period } from "./period.ts";
import { Rating, type UsedReadings } from "./rating.ts";

/** What a unit used on one day, and the readings that say so. */
export interface DayUsage {
  /** `2026-11-23` */
  readonly day: string;
  /** Decimal text with all of the resource's decimals. */
  readonly quantities: Readonly<Record<Resource, string>>;
  readonly readings: UsedReadings;
}

/**
 * A month's days from its readings in ledger order, each day rated like a month: from the last entry before it to the first after it. The days add up to
 * the month, but where a counter fell: there the month counts no more of its series, and a later day knows nothing of the fall.
 */
export class UsageByDay {
  private readonly period: Period;
  private readonly zone: TimeZone;
  private readonly done: DayUsage[] = [];
  private begun = false;
  private day: Period;
  private rating: Rating;
  private before: { readonly index: number; readonly set: MeterReading } | undefined;

  constructor(period: Period, zone: TimeZone = UTC) {
    this.period = period;
    this.zone = zone;
    this.day = dayOf(period.start_ms + 1, zone);
    this.rating = new Rating(this.day);
  }

  add(index: number, set: MeterReading): void {
    const at_ms = Date.parse(set.at);
    if (at_ms <= this.period.start_ms) {
      this.before = { index, set };
      return;
    }
    // A unit that began in the month has no days before it. What an entry tells of may have begun on the day before its end.
    const begun_ms = Math.max(Date.parse("v" in set ? set.from : set.at), this.period.start_ms + 1);
    if (!this.begun) this.open(this.before ? this.day : dayOf(begun_ms, this.zone));
    this.begun = true;
    while (at_ms > this.day.end_ms && this.day.end_ms <= this.period.end_ms) {
      this.rating.add(index, set);
      this.finish();
      this.open(dayOf(this.day.end_ms + 1, this.zone));
    }
    if (this.day.end_ms <= this.period.end_ms) this.rating.add(index, set);
    this.before = { index, set };
  }

  /** From the first day that has a reading, or the first of the month, to the last that has one. */
  days(): readonly DayUsage[] {
    const { count } = this.rating.rated(this.day).used;
    return count > 0 && this.day.end_ms <= this.period.end_ms ? [...this.done, this.usage()] : this.done;
  }

  private finish(): void {
    this.done.push(this.usage());
  }

  private usage(): DayUsage {
    const { quantities, used } = this.rating.rated(this.day);
    const texts = (Object.keys(RESOURCES) as Resource[]).map((resource) => [resource, decimalText(quantities[resource], RESOURCES[resource].decimals)]);
    return { day: this.day.name, quantities: Object.fromEntries(texts) as Record<Resource, string>, readings: used };
  }

  private open(day: Period): void {
    this.day = day;
    this.rating = new Rating(day);
    if (this.before) this.rating.add(this.before.index, this.before.set);
  }
}
