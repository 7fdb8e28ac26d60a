import type { ImvuId, Json } from "../../kernel/index.ts";
import type { ReadTx, Tx } from "../store/index.ts";

/** Data of a `drift.found` entry: engines say something that they cannot say by themselves. */
export interface Drift {
  readonly v: 1;
  readonly imvu: ImvuId;
  /** A counter fell inside its epoch: somebody set it back. What it counted afterwards is not billed (see rating). */
  readonly what: "counter-fell";
  /** When it was read. */
  readonly at: string;
  readonly series: string;
  readonly was: string;
  readonly now: string;
}

export interface FoundDrift extends Drift {
  readonly index: number;
}

/** In the transaction of its entry. */
export async function putDrift(tx: Tx, drift: Drift, { index, time }: { readonly index: number; readonly time: string }): Promise<void> {
  await tx.run("INSERT INTO drift (entry_index, imvu, found_at, doc) VALUES ($1, $2, $3, $4::jsonb)", [index, drift.imvu, time, JSON.stringify(drift)]);
}

/** Newest last. */
export async function driftsOf(tx: ReadTx, imvu: ImvuId, after = -1): Promise<readonly FoundDrift[]> {
  const rows = await tx.query<{ doc: Drift; entry_index: string }>("SELECT doc, entry_index FROM drift WHERE imvu = $1 AND entry_index > $2 ORDER BY entry_index", [imvu, after]);
  return rows.map(({ doc, entry_index }) => ({ ...doc, index: Number(entry_index) }));
}

/** When the newest one was found; null: none ever was. */
export async function lastDrift(tx: ReadTx): Promise<string | null> {
  const [row] = await tx.query<{ found_at: string }>("SELECT found_at FROM drift ORDER BY entry_index DESC LIMIT 1", []);
  return row?.found_at ?? null;
}

export async function heldDrifts(tx: ReadTx): Promise<ReadonlyMap<string, Json>> {
  const rows = await tx.query<{ entry_index: string; imvu: string; found_at: string; doc: Json }>("SELECT entry_index, imvu, found_at, doc FROM drift", []);
  return new Map(rows.map(({ entry_index, imvu, found_at, doc }) => [String(entry_index), { imvu, foundAt: found_at, doc }]));
}
