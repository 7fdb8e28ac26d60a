import { erasedBy, type Ledger, type LedgerEntry } from "../core/ledger/index.ts";
import type { ImvuId, Json } from "../kernel/index.ts";

/** One request looks at no more entries than this, however few of them it may show. */
const ENTRIES_LOOKED_AT_MAX = 2_000;

/**
 * A stream's bodies, as they were hashed. The platform's stream also holds the commands of strangers, with facts about whomever they aimed
 * at: of it only what the platform says of itself is shown (gate 16). Their commitments are public like all others.
 */
export async function bodiesOf(ledger: Pick<Ledger, "entries">, stream: ImvuId | "platform", from: number, limit: number): Promise<Json> {
  const entries: Json[] = [];
  let looked = 0;
  for await (const entry of ledger.entries({ stream, from })) {
    if (entries.length >= limit || looked >= ENTRIES_LOOKED_AT_MAX) return { entries, next: entry.index };
    looked += 1;
    const { index, body, leaf } = entry;
    if (stream !== "platform" || isPublic(entry)) entries.push(body === null ? { index, erased: leaf.toString("hex") } : { index, body });
  }
  return { entries, next: null };
}

/** What the platform says of itself, and which bodies its operators ordered erased. */
function isPublic(entry: LedgerEntry): boolean {
  return entry.type !== "erased" && (entry.type.startsWith("platform.") || erasedBy(entry).length > 0);
}
