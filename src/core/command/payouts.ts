import type { PayoutMade, PayoutState } from "../handshake/index.ts";
import type { PayoutFact, PayoutOrder } from "../policy-engine/index.ts";
import type { ReadTx } from "../store/index.ts";

/** A payout as its row tells it. */
export interface PayoutRow {
  readonly made: PayoutMade;
  readonly state: PayoutState;
  readonly index: number;
  readonly createdAt: string;
  readonly executed: { readonly index: number; readonly reference: string; readonly at: string } | null;
  readonly returned: { readonly index: number; readonly reason: string; readonly at: string } | null;
}

export async function payoutFacts(tx: ReadTx, { params: { imvu, payout } }: PayoutOrder): Promise<PayoutFact | null> {
  const [row] = await tx.query<PayoutFact>("SELECT state FROM payout WHERE imvu = $1 AND id = $2", [imvu, payout]);
  return row ? { state: row.state } : null;
}

/** Oldest first, of one unit or of all. */
export async function payoutsOf(tx: ReadTx, wanted: { readonly imvu?: string; readonly state?: string } = {}): Promise<readonly PayoutRow[]> {
  const rows = await tx.query<{ doc: PayoutMade; state: PayoutState; entry_index: string; created_at: string; executed: PayoutRow["executed"]; returned: PayoutRow["returned"] }>(
    "SELECT doc, state, entry_index, created_at, executed, returned FROM payout WHERE ($1::text IS NULL OR imvu = $1) AND ($2::text IS NULL OR state = $2) ORDER BY entry_index",
    [wanted.imvu ?? null, wanted.state ?? null],
  );
  return rows.map(({ doc, state, entry_index, created_at, executed, returned }) => ({ made: doc, state, index: Number(entry_index), createdAt: created_at, executed, returned }));
}

/** The newest commands that named a unit's account, those after entry `after` alone, newest first. */
export async function accountCommands(tx: ReadTx, imvu: string, after = -1): Promise<readonly { readonly index: number; readonly signed: string; readonly actor: string }[]> {
  const rows = await tx.query<{ intent_index: string; signed: string; actor: string }>(
    "SELECT intent_index, signed, actor FROM command_seen WHERE imvu = $1 AND op = 'imvu.payout.account' AND state = 'applied' AND intent_index > $2 ORDER BY intent_index DESC LIMIT 1",
    [imvu, after],
  );
  return rows.map(({ intent_index, signed, actor }) => ({ index: Number(intent_index), signed, actor }));
}
