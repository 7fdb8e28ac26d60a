import type { Imvu } from "../contract/index.ts";
import { openRating, parsePeriod, parseReadingSet, type Statement, statementOf, tariffInForce } from "../core/handshake/index.ts";
import type { Ledger } from "../core/ledger/index.ts";
import { accept, Fault, type Outcome, refuse } from "../kernel/index.ts";
import { publishedTariffs } from "./genesis.ts";

/** A month of one unit, from its ledger stream alone: no other table is asked. */
export async function statementFor(ledger: Ledger, imvu: Imvu, month: string): Promise<Outcome<Statement>> {
  const period = parsePeriod(month);
  if (!period.ok) return period;
  const tariff = tariffInForce(period.value, await publishedTariffs(ledger));
  if (!tariff) return refuse("not-found", "NO_TARIFF", `no tariff is in force in ${month}`, "nexus tariff show");
  const rating = openRating(period.value);
  let head: { streamSeq: number; sha256: string } | null = null;
  for await (const entry of ledger.entries({ stream: imvu.id })) {
    head = { streamSeq: entry.streamSeq, sha256: entry.leaf.toString("hex") };
    if (entry.type !== "meter.reading") continue;
    const set = parseReadingSet(entry.data);
    if (!set.ok) throw new Fault("READING_MALFORMED", `entry ${entry.index}: ${set.message}`, { hint: "nexus ledger fsck" });
    rating.add(entry.index, set.value);
  }
  return accept(statementOf({ imvu: imvu.id, period: period.value, tariff, streamHead: head, closed: false }, rating));
}
