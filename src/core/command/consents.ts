import type { Params } from "../../contract/index.ts";
import type { ImvuId, Sha256 } from "../../kernel/index.ts";
import type { ConsentFact } from "../policy-engine/index.ts";
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

export async function putConsent(tx: Tx, imvu: ImvuId, { subject, purpose, text, state }: Params<"consent.record">, index: number): Promise<void> {
  await tx.run("INSERT INTO consent (imvu, subject, purpose, text, state, entry_index) VALUES ($1, $2, $3, $4, $5, $6)", [imvu, subject, purpose, text, state, index]);
}

/** What stands of one subject and purpose. */
export async function consentNow(tx: ReadTx, imvu: ImvuId, { subject, purpose }: Pick<Params<"consent.record">, "subject" | "purpose">): Promise<ConsentFact> {
  const [last] = await tx.query<Pick<Row, "state" | "text">>("SELECT state, text FROM consent WHERE imvu = $1 AND subject = $2 AND purpose = $3 ORDER BY entry_index DESC LIMIT 1", [imvu, subject, purpose]);
  return last ? { state: last.state, text: last.text } : { state: "none", text: null };
}

/** Oldest first, of one subject or of all. */
export async function consentHistory(tx: ReadTx, imvu: ImvuId, page: { readonly subject?: string; readonly from?: number; readonly limit?: number } = {}): Promise<readonly ConsentRow[]> {
  const rows = await tx.query<Row>(
    "SELECT subject, purpose, text, state, entry_index FROM consent WHERE imvu = $1 AND ($2::text IS NULL OR subject = $2) AND entry_index >= $3 ORDER BY entry_index LIMIT $4",
    [imvu, page.subject ?? null, page.from ?? 0, page.limit ?? null],
  );
  return rows.map(({ entry_index, ...row }) => ({ index: Number(entry_index), ...row }));
}
