import type { Buffer } from "node:buffer";
import { Account, announcedInTime, type Correction, FIRST_TERMS, NO_REVENUE, notForThePast, parsePeriod, parseTariff, type Period, type Rated, Rating, type Revenue, type Sale, type Statement, type StatementForm, statementOf, type TariffEntry, sameTerms, tariffInForce, type Terms, type Told, toldIn } from "../core/handshake/index.ts";
import { canonicalJson, type ImvuId, type Json } from "../kernel/index.ts";
import { firstDifference } from "./difference.ts";
import { Counter, type Failures } from "./failures.ts";
import type { Entry } from "./ledger-files.ts";

/** A statement that is still to come in the stream, and what it says it rests on. */
interface Expected {
  readonly period: Period;
  /** streamSeq of the last entry it knew; −1: none. */
  readonly headSeq: number;
  /** SHA-256 of that entry, once it has passed, and what the readings up to it come to. */
  head: string | undefined;
  rated: Rated | undefined;
  /** It knows a reading at or after its period's end: nothing later can change it. */
  whole: boolean;
  /** A reading that stands before it, would change it, and that it did not know. */
  missed: number | undefined;
}

/**
 * Every statement made again, to the last unit, from the tariff in force and the readings up to the entry it names as the last it
 * knew. Sales count by the commands that recorded them. While a statement is drawn another entry may slip in, so that entry need not be the one right before; but a closed
 * statement knows every reading that could change it, and it is the period's last. Sales that come later are in a correction, before the statement of
 * the month in which they were recorded.
 */
export class StatementCheck {
  readonly statements = new Counter();
  private readonly imvu: ImvuId;
  private readonly failures: Failures;
  private readonly expected = new Map<number, Expected>();
  private readonly account: Account;
  private readonly tariffs: (TariffEntry & { readonly time: string })[] = [];
  private terms: Terms = FIRST_TERMS;
  private form: StatementForm = 1;
  /** Of every month that a statement is expected of: the stream is rated once. */
  private rating: Rating | undefined;

  constructor(imvu: ImvuId, failures: Failures) {
    this.imvu = imvu;
    this.account = new Account(imvu);
    this.failures = failures;
  }

  learnTariff({ index, body }: Entry): void {
    const tariff = parseTariff(body.data);
    if (tariff.ok) {
      const before = this.tariffs.filter((one) => one.tariff.currency === tariff.value.currency);
      // By the first tariff of a currency nobody is rated yet; the first of all is the platform's beginning.
      if (before.length === 0 && this.tariffs.length > 0 && !notForThePast(tariff.value, body.time)) this.failures.add(`entry ${index} (${body.type})`, "the first tariff of a currency, from the month in which it was published on", `one of ${body.time} for ${tariff.value.validFrom}`);
      if (before.length > 0 && !announcedInTime(tariff.value, body.time)) this.failures.add(`entry ${index} (${body.type})`, "a tariff announced 30 days before it holds", `one of ${body.time} for ${tariff.value.validFrom}`);
      this.tariffs.push({ index, tariff: tariff.value, time: body.time });
    } else this.failures.add(`entry ${index} (${body.type})`, "a tariff", tariff.message);
  }

  /** What the unit's owner agreed to, before its statements are expected; her notice of prices is by her own clock from there on. */
  agree({ index }: Pick<Entry, "index">, terms: Terms | undefined): void {
    if (!terms) return;
    this.terms = terms;
    this.account.agree(terms);
    const priced = this.tariffs.filter(({ tariff }) => tariff.currency === terms.currency);
    if (priced.every((one) => one.index > index)) this.failures.add(`entry ${index} (command.accepted)`, `a tariff in ${terms.currency} that stands before`, "none");
    for (const { index: at, tariff, time } of priced) if (at > index && !announcedInTime(tariff, time, terms.timeZone)) this.failures.add(`entry ${at} (platform.tariff)`, `a tariff announced 30 days before it holds by the clock of ${terms.timeZone}`, `one of ${time} for ${tariff.validFrom}`);
  }

  /** Another command makes the unit, or brings it here. */
  agreedAgain({ index, body }: Entry, terms: Terms): void {
    if (!sameTerms(terms, this.terms)) this.failures.add(`entry ${index} (${body.type})`, `what was agreed before: ${JSON.stringify(this.terms)}`, JSON.stringify(terms));
  }

  get agreed(): Terms {
    return this.terms;
  }

  /** An accepted command of the stream, in order, that books a sale or what was paid back of one. */
  sold({ index, body }: Entry, sale: Sale): void {
    const flaw = this.account.book(sale, { index, streamSeq: body.streamSeq, time_ms: Date.parse(body.time) });
    if (flaw) this.failures.add(`entry ${index} (${body.type})`, "a sale with a source id of its own, or what is left of one", flaw);
  }

  /** Announces a statement or correction entry before the stream is walked, so that memory holds sums and no readings. */
  expect({ body }: Entry): void {
    const { period: name, streamHead } = (body.data ?? {}) as { period?: unknown; streamHead?: { streamSeq?: unknown } | null };
    const period = parsePeriod(name, this.terms.timeZone);
    const headSeq = streamHead?.streamSeq ?? -1;
    if (!period.ok || typeof headSeq !== "number" || headSeq >= body.streamSeq) return;
    this.expected.set(body.streamSeq, { period: period.value, headSeq, head: undefined, rated: undefined, whole: false, missed: undefined });
  }

  /** An entry of the stream that says nothing to a statement, but may be the last one that it knew. */
  pass(streamSeq: number, leaf: Buffer): void {
    for (const one of this.expected.values()) {
      if (streamSeq !== one.headSeq) continue;
      one.head = leaf.toString("hex");
      one.rated = this.ratedUntilNow(one.period);
    }
  }

  /** Every other entry of the stream, in order, before check. */
  follow({ index, leaf, body }: Entry): void {
    const told = body.type === "meter.reading" ? this.readingOf(index, body.data) : undefined;
    if (told) {
      this.ratingFromTheFirst()?.take(index, told);
      for (const [at, one] of this.expected) {
        if (body.streamSeq <= one.headSeq) one.whole ||= told.at_ms >= one.period.end_ms;
        else if (body.streamSeq < at && !one.whole) one.missed ??= index;
      }
    }
    this.pass(body.streamSeq, leaf);
  }

  /** @returns the statement as it is derived, for the files that repeat it. */
  check({ index, body }: Entry): Statement | undefined {
    this.statements.of += 1;
    const what = `entry ${index} (${body.type})`;
    const known = this.expected.get(body.streamSeq);
    this.expected.delete(body.streamSeq);
    if (!known) {
      this.failures.add(what, "a statement of a month, drawn from entries before it", canonicalJson(body.data).slice(0, 100));
      return undefined;
    }
    const { period, headSeq, rated = this.ratedUntilNow(period), head, missed } = known;
    if (this.account.isClosed(period.name)) this.failures.add(`${what} ${period.name}`, "no statement after the closed one", "another");
    const tariff = tariffInForce(period, this.tariffs.filter((one) => one.index < index), this.terms.currency);
    if (!tariff) {
      this.failures.add(what, `a tariff in ${this.terms.currency} published before`, "none in the bundle");
      return undefined;
    }
    const streamHead = head === undefined ? null : { streamSeq: headSeq, sha256: head };
    const closed = Date.parse(body.time) >= period.end_ms;
    if (closed && missed !== undefined) this.failures.add(`${what} ${period.name}`, "every reading up to the period's end and the first after it", `without entry ${missed}`);
    const revenue = this.account.revenue(period.name, headSeq);
    const derived = statementOf({ imvu: this.imvu, period, tariff, streamHead, closed, revenue, terms: this.terms, form: this.formOf(body.data, revenue) }, rated);
    this.compare(`${what} ${period.name}`, derived, body.data);
    if (!closed) return derived;
    this.account.close(derived, index);
    for (const late of this.account.late(period.end_ms)) this.failures.add(`${what} ${period.name}`, `first a correction of ${late.period} that knows entry ${late.index}`, "none");
    return derived;
  }

  /** @returns the correction as it is derived, for the file that repeats it. */
  checkCorrection({ index, body }: Entry): Correction | undefined {
    this.statements.of += 1;
    const what = `entry ${index} (${body.type})`;
    const known = this.expected.get(body.streamSeq);
    this.expected.delete(body.streamSeq);
    const derived = known?.head ? this.account.correction(known.period.name, { streamSeq: known.headSeq, sha256: known.head }) : undefined;
    if (!known || !derived || derived.revenue === NO_REVENUE) {
      this.failures.add(what, "a correction of a closed month, by sales that nothing before knew", canonicalJson(body.data).slice(0, 100));
      return undefined;
    }
    this.compare(`${what} ${known.period.name}`, derived, body.data);
    this.account.correct(derived, index);
    return derived;
  }

  /** Older forms are good where they stood already: never after a newer one, and the first where nothing was sold. */
  private formOf(said: Json, revenue: Revenue): StatementForm {
    const { v } = (said ?? {}) as { v?: Json };
    const form = !sameTerms(this.terms, FIRST_TERMS) ? 3 : v === undefined && revenue === NO_REVENUE ? 1 : v === 2 ? 2 : 3;
    if (form > this.form) this.form = form;
    return this.form;
  }

  private compare(what: string, derived: Statement | Correction, said: Json): void {
    const difference = firstDifference(JSON.parse(JSON.stringify(derived)) as Json, said);
    if (difference) this.failures.add(`${what} ${difference.path}`, difference.expected, difference.found);
    else this.statements.good += 1;
  }

  /** undefined where no statement is expected. */
  private ratingFromTheFirst(): Rating | undefined {
    if (this.rating || this.expected.size === 0) return this.rating;
    const first = [...this.expected.values()].reduce((least, one) => (one.period.start_ms < least.period.start_ms ? one : least));
    this.rating = new Rating(first.period, this.terms.timeZone);
    return this.rating;
  }

  private ratedUntilNow(period: Period): Rated {
    return (this.ratingFromTheFirst() ?? new Rating(period)).rated(period);
  }

  private readingOf(index: number, data: Json): Told | undefined {
    const told = toldIn(data);
    if (told.ok && told.value.imvu === this.imvu) return told.value;
    this.failures.add(`entry ${index} (meter.reading)`, `a reading of ${this.imvu}`, told.ok ? `one of ${told.value.imvu}` : told.message);
    return undefined;
  }
}
