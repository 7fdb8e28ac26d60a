import { RESOURCES, type Resource } from "../../contract/index.ts";
import { type MeterFlag, type Place, type RatedMonth, type RatedMonths, use } from "./rated-months.ts";
import type { ToldSeries } from "./reading-form.ts";

/** What a series came to in one month. */
export interface Part {
  /** Counter: the value that the month starts from, and its last one in it. */
  base: string;
  end: string;
  /** Gauge: what it came to before its last value, and how long that has held. */
  usage: bigint;
  held_ms: number;
  readInside: boolean;
}

/** A counter's first fall; it counts no more afterwards. */
export interface Fall {
  readonly at_ms: number;
  readonly flag: MeterFlag;
}

/** One (resource, boot, epoch): its last value, and what it came to in each month that is asked for. */
export class Series {
  readonly resource: Resource;
  /** Its (boot, epoch). */
  readonly life: string;
  readonly parts = new Map<RatedMonth, Part>();
  /** The last value, as it was written: most are like the one before, and few are ever calculated with. */
  value = "0";
  /** Infinite before the first. */
  at_ms = Number.POSITIVE_INFINITY;
  place: Place | undefined;
  fall: Fall | undefined;
  /** Where its last reading lies. */
  private month: RatedMonth | undefined;
  private part: Part | undefined;
  private readonly isCounter: boolean;

  constructor(resource: Resource, life: string) {
    this.resource = resource;
    this.life = life;
    this.isCounter = RESOURCES[resource].kind === "counter";
  }

  get name(): string {
    return `${this.resource} ${this.life}`;
  }

  /** Readings of one entry, none earlier than `earliest_ms`, which all lie in `month`. */
  readIn(month: RatedMonth, months: RatedMonths, { at_ms, values }: Pick<ToldSeries, "at_ms" | "values">, earliest_ms: number, place: Place): void {
    const before = month === this.month ? undefined : this.place;
    if (month !== this.month) {
      this.settle(months, Math.max(at_ms[0] as number, earliest_ms), place);
      this.month = month;
      this.part = this.partOf(month);
    }
    const part = this.part as Part;
    part.readInside = true;
    use(month, place);
    if (!this.isCounter) this.level(part, values, at_ms, earliest_ms);
    // The month starts from what it said last before.
    else if (this.count(part, values, at_ms, earliest_ms, place) && before) use(month, before);
    this.place = place;
  }

  /** The same of an entry that lies in several months, or before the first, or after the last. */
  read(months: RatedMonths, { at_ms: times, values }: ToldSeries, earliest_ms: number, place: Place): void {
    for (let nth = 0; nth < values.length; nth += 1) {
      const [at_ms, value] = [Math.max(times[nth] as number, earliest_ms), values[nth] as string];
      const month = months.at(at_ms);
      if (month) this.readIn(month, months, { at_ms: [at_ms], values: [value] }, earliest_ms, place);
      else this.pass(months, value, at_ms, place);
    }
  }

  /** In the base unit, and that times milliseconds of a gauge. */
  amountIn(month: RatedMonth): bigint {
    const part = this.parts.get(month);
    if (!part) return 0n;
    return this.isCounter ? BigInt(part.end) - BigInt(part.base) : part.usage + BigInt(this.value) * BigInt(part.held_ms);
  }

  /** A fall inside the month, or before it of a series that is still read in it. */
  fallIn(month: RatedMonth): MeterFlag | undefined {
    return this.fall && this.fall.at_ms <= month.period.end_ms && this.parts.get(month)?.readInside ? this.fall.flag : undefined;
  }

  /** What a level has held for until now is added up. */
  rest(): void {
    if (this.part) this.add(this.part);
  }

  /** @returns whether anything counts */
  private count(part: Part, values: readonly string[], times: readonly number[], earliest_ms: number, place: Place): boolean {
    let counts = false;
    for (let nth = 0; nth < values.length; nth += 1) {
      const value = values[nth] as string;
      if (value !== this.value) this.fallsTo(value, Math.max(times[nth] as number, earliest_ms), place);
      this.value = value;
      if (this.fall) continue;
      part.end = value;
      counts = true;
    }
    this.at_ms = Math.max(times.at(-1) as number, earliest_ms);
    return counts;
  }

  private level(part: Part, values: readonly string[], times: readonly number[], earliest_ms: number): void {
    for (let nth = 0; nth < values.length; nth += 1) {
      const [value, at_ms] = [values[nth] as string, Math.max(times[nth] as number, earliest_ms)];
      if (at_ms > this.at_ms) part.held_ms += at_ms - this.at_ms;
      if (value !== this.value) this.add(part);
      this.value = value;
      this.at_ms = at_ms;
    }
  }

  private pass(months: RatedMonths, value: string, at_ms: number, place: Place): void {
    this.settle(months, at_ms, place);
    if (this.isCounter && value !== this.value) this.fallsTo(value, at_ms, place);
    this.value = value;
    this.at_ms = at_ms;
    this.place = place;
  }

  private fallsTo(value: string, at_ms: number, place: Place): void {
    if (this.fall || !isLess(value, this.value)) return;
    this.fall = { at_ms, flag: { what: "fell", index: place.index, series: this.name, was: this.value, now: value } };
  }

  /** A level holds up to here, in each month that it holds in. */
  private settle(months: RatedMonths, at_ms: number, place: Place): void {
    this.rest();
    if (this.isCounter || this.place === undefined) return;
    for (const month of months.between(this.at_ms, at_ms)) {
      const part = this.partOf(month);
      part.held_ms = Math.min(at_ms, month.period.end_ms) - Math.max(this.at_ms, month.period.start_ms);
      this.add(part);
      use(month, this.place);
      use(month, place);
    }
    this.at_ms = at_ms;
  }

  private add(part: Part): void {
    if (part.held_ms === 0) return;
    part.usage += BigInt(this.value) * BigInt(part.held_ms);
    part.held_ms = 0;
  }

  private partOf(month: RatedMonth): Part {
    const known = this.parts.get(month);
    if (known) return known;
    const part: Part = { base: this.value, end: this.value, usage: 0n, held_ms: 0, readInside: false };
    this.parts.set(month, part);
    return part;
  }
}

/** Of decimal texts without leading zeros: the shorter one, or the one that sorts first. */
export function isLess(a: string, b: string): boolean {
  return a.length === b.length ? a < b : a.length < b.length;
}
