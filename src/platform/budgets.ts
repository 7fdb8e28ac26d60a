import type { Imvu } from "../contract/index.ts";
import { allImvus, asJson, type Budget, type BudgetReached, budgetsOf, meteredSince, putReached, reachedOf } from "../core/command/index.ts";
import { FORECAST_AFTER_MS, forecastOf, type Period, periodOf, type Rating, reachesOf, statementOf, type TariffEntry, tariffInForce, type Terms, termsOf } from "../core/handshake/index.ts";
import type { Ledger } from "../core/ledger/index.ts";
import type { Store } from "../core/store/index.ts";
import { type Clock, type ImvuId, messageOf } from "../kernel/index.ts";
import type { Openings } from "./openings.ts";
import { publishedTariffs } from "./tariffs.ts";

export interface BudgetsDeps {
  readonly store: Store;
  readonly ledger: Pick<Ledger, "append" | "entries">;
  readonly openings: Pick<Openings, "begin">;
  readonly clock: Clock;
  /** Something was written down that the unit's owner is to be told. */
  onReached(imvu: ImvuId): void;
  say(line: string): void;
}

/** A month as far as the log has told it: it goes on from there. */
interface Followed {
  readonly period: Period;
  readonly rating: Rating;
  next: number;
}

/**
 * Compares what units with a budget have used of the present month with it, and writes down what is reached: once for each budget, month and threshold, by
 * the row's key, which stands or falls with the entry. Readings are followed from where the last round ended, at first from where the last closed month left them. It only
 * tells: nothing is stopped or slowed down by a budget, here or anywhere.
 */
export class Budgets {
  private readonly deps: BudgetsDeps;
  private readonly followed = new Map<ImvuId, Followed>();

  constructor(deps: BudgetsDeps) {
    this.deps = deps;
  }

  /** @returns how many entries were written */
  async round(): Promise<number> {
    const { store, say } = this.deps;
    const budgets = await store.snapshot((tx) => budgetsOf(tx));
    for (const imvu of this.followed.keys()) if (!budgets.some((one) => one.imvu === imvu)) this.followed.delete(imvu);
    if (budgets.length === 0) return 0;
    const units = new Map((await store.snapshot(allImvus)).map((imvu) => [imvu.id, imvu]));
    const tariffs = await publishedTariffs(this.deps.ledger);
    let written = 0;
    for (const budget of budgets) {
      const unit = units.get(budget.imvu);
      if (!unit) continue;
      try {
        written += await this.compare(budget, unit, tariffs);
      } catch (error) {
        say(`the budget of ${budget.imvu} is compared later: ${messageOf(error)}`);
      }
    }
    return written;
  }

  private async compare(budget: Budget, unit: Imvu, tariffs: readonly TariffEntry[]): Promise<number> {
    const { store, ledger, clock, onReached } = this.deps;
    const now_ms = clock.now();
    const terms = termsOf(unit);
    const { period, rating } = await this.follow(unit.id, periodOf(now_ms, terms.timeZone), terms);
    const since_ms = await store.snapshot((tx) => meteredSince(tx, unit.id));
    const tariff = tariffInForce(period, tariffs, terms.currency);
    if (!tariff || since_ms === undefined) return 0;
    const soFar = statementOf({ imvu: unit.id, period, tariff, streamHead: null, closed: false, terms }, rating.rated(period));
    const early = now_ms - Math.max(period.start_ms, since_ms) < FORECAST_AFTER_MS;
    const forecast = early ? undefined : forecastOf(soFar, tariff.tariff, period, since_ms, now_ms);
    const before = (await store.snapshot((tx) => reachedOf(tx, unit.id, budget.index))).filter((one) => one.budget === budget.index && one.period === period.name);
    const news = reachesOf(budget, soFar.usage as string, forecast?.usage).filter(({ what, percent }) => !before.some((one) => one.what === what && one.percent === percent));
    for (const { what, percent, usage } of news) {
      const reached: BudgetReached = { v: 1, imvu: unit.id, period: period.name, what, percent, budget: budget.index, amount: budget.amount, currency: budget.currency, usage };
      await ledger.append([{ stream: unit.id, type: "budget.reached", actor: "platform", data: asJson(reached) }], (tx, [placed]) => putReached(tx, reached, (placed as { index: number }).index));
    }
    if (news.length > 0) onReached(unit.id);
    return news.length;
  }

  private async follow(imvu: ImvuId, period: Period, terms: Terms): Promise<Followed> {
    const known = this.followed.get(imvu);
    const one = known?.period.name === period.name ? known : { period, ...(await this.deps.openings.begin(this.deps.ledger, imvu, period, terms)) };
    // Taken back until it is whole: a stream that was read half is read again.
    this.followed.delete(imvu);
    for await (const entry of this.deps.ledger.entries({ stream: imvu, from: one.next })) {
      one.next = entry.index + 1;
      if (entry.type === "meter.reading") one.rating.add(entry.index, entry.data as unknown as Parameters<Rating["add"]>[1]);
    }
    this.followed.set(imvu, one);
    return one;
  }
}
