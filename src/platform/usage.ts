import { type DayUsage, parsePeriod, parseReadingSet, UsageByDay } from "../core/handshake/index.ts";
import type { Ledger } from "../core/ledger/index.ts";
import { accept, Fault, type ImvuId, type Outcome } from "../kernel/index.ts";

/** What a unit used on each day of a month, from its readings in the ledger alone. */
export async function usageOf(ledger: Pick<Ledger, "entries">, imvu: ImvuId, month: string): Promise<Outcome<readonly DayUsage[]>> {
  const period = parsePeriod(month);
  if (!period.ok) return period;
  const days = new UsageByDay(period.value);
  for await (const entry of ledger.entries({ stream: imvu })) {
    if (entry.type !== "meter.reading") continue;
    const set = parseReadingSet(entry.data);
    if (!set.ok) throw new Fault("READING_MALFORMED", `entry ${entry.index}: ${set.message}`, { hint: "nexus ledger fsck" });
    days.add(entry.index, set.value);
  }
  return accept(days.days());
}
