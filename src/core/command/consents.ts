import type { Params } from "../../contract/index.ts";
import type { ImvuId, Sha256 } from "../../kernel/index.ts";
import type { ReadTx, Tx } from "../store/index.ts";

export interface ConsentRow {
  readonly index: number;
  readonly subject: string;
  readonly purpose: string;
  readonly text: Sha256;
  readonly state: "given" | "withdrawn";
}

interface Row extends Omit<ConsentRow, "index"> {
  readonly entry_index: string;
}

export interface NewConsent {
  readonly imvu: ImvuId;
  readonly params: Params<"consent.record">;
  readonly index: number;
}

/** Records of the same subject and purpose that stand before entry `index`. */
export async function earlierConsents(tx: ReadTx, imvu: ImvuId, { subject, purpose }: Pick<Params<"consent.record">, "subject" | "purpose">, index: number): Promise<number> {
  const [row] = await tx.query<{ many: string }>("SELECT count(*) AS many FROM consent WHERE imvu = $1 AND subject = $2 AND purpose = $3 AND entry_index < $4", [imvu, subject, purpose, index]);
  return Number(row?.many ?? 0);
}

export async function eraseConsents(tx: Tx, indexes: readonly number[]): Promise<void> {
  await tx.query("SELECT consent_erase($1::bigint[])", [indexes]);
}

/** Oldest first, of one subject or of all. */
export async function consentHistory(tx: ReadTx, imvu: ImvuId, page: { readonly subject?: string; readonly from?: number; readonly limit?: number } = {}): Promise<readonly ConsentRow[]> {
  const rows = await tx.query<Row>(
    "SELECT subject, purpose, text, state, entry_index FROM consent WHERE imvu = $1 AND ($2::text IS NULL OR subject = $2) AND entry_index >= $3 ORDER BY entry_index LIMIT $4",
    [imvu, page.subject ?? null, page.from ?? 0, page.limit ?? null],
  );
  return rows.map(({ entry_index, ...row }) => ({ index: Number(entry_index), ...row }));
}
