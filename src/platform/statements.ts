import type { Imvu } from "../contract/index.ts";
import { openRating, parsePeriod, parseReadingSet, type Statement, statementOf, tariffInForce } from "../core/handshake/index.ts";
import type { Ledger } from "../core/ledger/index.ts";
import type { ReadTx, Tx } from "../core/store/index.ts";
import { accept, Fault, type ImvuId, MONEY_DECIMALS, type Outcome, parseDecimal, refuse } from "../kernel/index.ts";
import { publishedTariffs } from "./tariffs.ts";

/**
 * A month of one unit, from its ledger stream alone: no other table is asked.
 * @param closed to be the month's last one: the month is over, and a reading after its end is known.
 */
export async function statementFor(ledger: Pick<Ledger, "entries">, imvu: Pick<Imvu, "id">, month: string, closed = false): Promise<Outcome<Statement>> {
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
  return accept(statementOf({ imvu: imvu.id, period: period.value, tariff, streamHead: head, closed }, rating));
}

/** The row of a closed statement, in the transaction of its entry; a second one of the same month stops it. */
export async function putStatement(tx: Tx, made: Statement, index: number): Promise<void> {
  const { imvu, period, currency } = made;
  const [gross, creator, platform] = [made.gross, made.creator, made.platform].map((amount) => String(parseDecimal(amount, MONEY_DECIMALS)));
  await tx.run("INSERT INTO statement (imvu, period, currency, gross, creator, platform, doc, entry_index) VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, $8)", [imvu, period, currency, gross, creator, platform, JSON.stringify(made), index]);
}

export interface ClosedMonth {
  readonly period: string;
  readonly index: number;
  readonly statement: Statement;
}

/** Closed months of a unit, newest first. */
export async function closedMonths(tx: ReadTx, imvu: ImvuId, month?: string): Promise<readonly ClosedMonth[]> {
  const rows = await tx.query<{ period: string; doc: Statement; entry_index: string }>("SELECT period, doc, entry_index FROM statement WHERE imvu = $1 AND ($2::text IS NULL OR period = $2) ORDER BY period DESC", [imvu, month ?? null]);
  return rows.map(({ period, doc, entry_index }) => ({ period, index: Number(entry_index), statement: doc }));
}

