import type { ImvuId } from "../../kernel/index.ts";
import type { RevenueCommand, RevenueFact } from "../policy-engine/index.ts";
import type { ReadTx, Tx } from "../store/index.ts";

/** A sale as it was recorded, or what was paid back of one. */
export interface SaleRow {
  readonly sourceId: string;
  /** Source id of the sale that it reverses; null: it is one. */
  readonly reverses: string | null;
  readonly amount: string;
  readonly currency: string;
  readonly at: string;
  readonly index: number;
  /** Of a sale: what was not paid back. */
  readonly left: string | null;
}

interface Row extends Record<string, unknown>, Omit<SaleRow, "sourceId" | "index"> {
  readonly source_id: string;
  readonly entry_index: string;
}

const SALES = `SELECT source_id, reverses, amount::text AS amount, currency, at, entry_index,
    CASE WHEN reverses IS NULL THEN (amount - (SELECT coalesce(sum(back.amount), 0) FROM sale back WHERE back.imvu = sale.imvu AND back.reverses = sale.source_id))::text END AS left
  FROM sale WHERE imvu = $1`;

export async function revenueFacts(tx: ReadTx, imvu: ImvuId, command: RevenueCommand): Promise<RevenueFact> {
  const { sourceId, amount, currency, at } = command.params;
  const reverses = command.op === "revenue.reverse" ? command.params.reverses : null;
  const [known] = await salesOf(tx, imvu, { sourceId });
  const [reversed] = reverses === null ? [] : await salesOf(tx, imvu, { sourceId: reverses });
  const since_ms = await meteredSince(tx, imvu);
  return {
    known: known ? { index: known.index, same: known.reverses === reverses && known.amount === amount && known.currency === currency && known.at === at } : null,
    left: reversed?.left ?? null,
    since_ms: since_ms ?? null,
  };
}

/** Instant of the unit's first reading here, in milliseconds since the Unix epoch. */
export async function meteredSince(tx: ReadTx, imvu: ImvuId): Promise<number | undefined> {
  const [first] = await tx.query<{ at: string }>("SELECT at FROM reading WHERE imvu = $1 AND place = 'first'", [imvu]);
  return first && Date.parse(first.at);
}

/** Oldest first. */
export async function salesOf(tx: ReadTx, imvu: ImvuId, page: { readonly sourceId?: string; readonly from?: number; readonly limit?: number } = {}): Promise<readonly SaleRow[]> {
  const rows = await tx.query<Row>(`${SALES} AND ($2::text IS NULL OR source_id = $2) AND entry_index >= $3 ORDER BY entry_index LIMIT $4`, [imvu, page.sourceId ?? null, page.from ?? 0, page.limit ?? null]);
  return rows.map(({ source_id, reverses, amount, currency, at, entry_index, left }) => ({ sourceId: source_id, reverses, amount, currency, at, index: Number(entry_index), left }));
}

/** In the transaction of its entry; a second one of the same source id stops it. */
export async function putSale(tx: Tx, imvu: ImvuId, command: RevenueCommand, index: number): Promise<void> {
  const { sourceId, amount, currency, at } = command.params;
  const reverses = command.op === "revenue.reverse" ? command.params.reverses : null;
  await tx.run("INSERT INTO sale (imvu, source_id, reverses, amount, currency, at, entry_index) VALUES ($1, $2, $3, $4, $5, $6, $7)", [imvu, sourceId, reverses, amount, currency, at, index]);
}
