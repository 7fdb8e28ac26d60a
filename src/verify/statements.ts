import type { ReadingSet } from "../contract/index.ts";
import { openRating, parsePeriod, parseReadingSet, parseTariff, type Period, type Rating, type Statement, statementOf, type TariffEntry, tariffInForce } from "../core/handshake/index.ts";
import { canonicalJson, type ImvuId, type Json } from "../kernel/index.ts";
import { firstDifference } from "./difference.ts";
import { Counter, type Failures } from "./failures.ts";
import type { Entry } from "./ledger-files.ts";

/** Every closed statement made again, to the last unit, from the readings that stand before it and the tariff it cites. */
export class StatementCheck {
  readonly statements = new Counter();
  private readonly imvu: ImvuId;
  private readonly failures: Failures;
  private readonly open = new Map<string, { readonly period: Period; readonly rating: Rating }>();
  private readonly tariffs: TariffEntry[] = [];

  constructor(imvu: ImvuId, failures: Failures) {
    this.imvu = imvu;
    this.failures = failures;
  }

  learnTariff({ index, body }: Entry): void {
    const tariff = parseTariff(body.data);
    if (tariff.ok) this.tariffs.push({ index, tariff: tariff.value });
    else this.failures.add(`entry ${index} (${body.type})`, "a tariff", tariff.message);
  }

  /** A period must be announced before its first reading passes. */
  expect(periodName: unknown): void {
    const period = parsePeriod(periodName);
    if (period.ok) this.open.set(period.value.name, { period: period.value, rating: openRating(period.value) });
  }

  addReading({ index, body }: Entry): void {
    const set = parseReadingSet(body.data);
    if (!set.ok || set.value.imvu !== this.imvu) {
      this.failures.add(`entry ${index} (${body.type})`, `a reading of ${this.imvu}`, set.ok ? `one of ${set.value.imvu}` : set.message);
      return;
    }
    for (const { rating } of this.open.values()) rating.add(index, body.data as unknown as ReadingSet);
  }

  /** @returns the statement as it is derived, for the files that repeat it. */
  check({ index, body }: Entry): Statement | undefined {
    this.statements.of += 1;
    const what = `entry ${index} (${body.type})`;
    const name = (body.data as { period?: unknown } | null)?.period;
    const known = typeof name === "string" ? this.open.get(name) : undefined;
    if (!known) {
      this.failures.add(what, "the one closed statement of a period", `${canonicalJson((name ?? null) as Json)}, closed before or no period`);
      return undefined;
    }
    const { period, rating } = known;
    const tariff = tariffInForce(period, this.tariffs.filter((one) => one.index < index));
    if (!tariff) {
      this.failures.add(what, "a tariff published before", "none in the bundle");
      return undefined;
    }
    // Before its month has ended a statement (at an exit) is one so far, and another may follow; a closed one is the last.
    const closed = Date.parse(body.time) >= period.end_ms;
    if (closed) this.open.delete(period.name);
    const streamHead = body.streamSeq === 0 ? null : { streamSeq: body.streamSeq - 1, sha256: body.prev };
    const derived = statementOf({ imvu: this.imvu, period, tariff, streamHead, closed }, rating);
    const difference = firstDifference(JSON.parse(JSON.stringify(derived)) as Json, body.data);
    if (difference) this.failures.add(`${what} ${period.name} ${difference.path}`, difference.expected, difference.found);
    else this.statements.good += 1;
    return derived;
  }
}
