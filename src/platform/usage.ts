import type { Imvu } from "../contract/index.ts";
import { type DayUsage, parsePeriod, parseReadingSet, termsOf, UsageByDay } from "../core/handshake/index.ts";
import type { Ledger } from "../core/ledger/index.ts";
import { accept, Fault, type Outcome } from "../kernel/index.ts";

/** What a unit used on each day of a month, both by its own clock, from its readings in the ledger alone. */
export async function usageOf(ledger: Pick<Ledger, "entries">, imvu: Pick<Imvu, "id" | "timeZone">, month: string): Promise<Outcome<readonly DayUsage[]>> {
  const { timeZone } = termsOf(imvu);
  const period = parsePeriod(month, timeZone);
  if (!period.ok) return period;
  const days = new UsageByDay(period.value, timeZone);
  for await (const entry of ledger.entries({ stream: imvu.id })) {
    if (entry.type !== "meter.reading") continue;
    const set = parseReadingSet(entry.data);
    if (!set.ok) throw new Fault("READING_MALFORMED", `entry ${entry.index}: ${set.message}`, { hint: "nexus ledger fsck" });
    days.add(entry.index, set.value);
  }
  return accept(days.days());
}
