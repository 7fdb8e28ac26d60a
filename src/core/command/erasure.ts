import { type ImvuId, type Json, parseImvuId, type Sha256 } from "../../kernel/index.ts";
import { openCommand } from "../identity/index.ts";
import { entryRow, eraseBodies } from "../ledger/index.ts";
import type { ErasingCommand, ErasureFact } from "../policy-engine/index.ts";
import type { ReadTx, Tx } from "../store/index.ts";
import { earlierConsents, eraseConsents } from "./consents.ts";
import { eraseSeen, outcomeOf } from "./projection.ts";
import type { CommandRecord } from "./record.ts";

/** What stands where a command wants a body erased; null when it is another stream's, as when nothing is there. */
export async function erasureFacts(tx: ReadTx, command: ErasingCommand): Promise<ErasureFact | null> {
  const row = await entryRow(tx, command.params.index);
  const own = command.op === "imvu.erase" ? row?.stream === command.imvu : row !== undefined && !parseImvuId(row.stream).ok;
  if (!row || !own) return null;
  const known = { commitment: row.leaf.toString("hex") as Sha256, digest: null, exp_ms: 0, outcome: null, earlier: 0 };
  if (row.body === null) return { ...known, kind: "erased" };
  const { type, data } = JSON.parse(row.body) as { type: string; data: CommandRecord };
  const opened = type === "command.refused" || type === "command.accepted" ? openCommand(data.jws) : undefined;
  if (!opened?.ok) return { ...known, kind: "other" };
  const { command: there, digest } = opened.value;
  if (type === "command.refused") return { ...known, kind: "refused", digest: digest as Sha256, exp_ms: there.exp };
  const outcomeIndex = await outcomeOf(tx, row.index);
  const outcome = outcomeIndex === undefined ? undefined : await entryRow(tx, outcomeIndex);
  if (there.op !== "consent.record" || !outcome) return { ...known, kind: "other" };
  return {
    ...known,
    kind: "consent",
    digest: digest as Sha256,
    exp_ms: there.exp,
    outcome: { index: outcome.index, commitment: outcome.leaf.toString("hex") as Sha256 },
    earlier: await earlierConsents(tx, there.imvu as ImvuId, there.params, row.index),
  };
}

/** In the transaction of the outcome: bodies, and the rows that were told from them. */
export async function erase(tx: Tx, allocation: Json, order: number): Promise<void> {
  const { command, erased } = allocation as { command: string | null; erased: readonly [{ index: number }] };
  const indexes = erased.map(({ index }) => index);
  await eraseBodies(tx, indexes, order);
  if (command !== null) await eraseSeen(tx, command, erased[0].index);
  await eraseConsents(tx, indexes);
}
