import { type ImvuId, type Json, parseSha256 } from "../../kernel/index.ts";
import type { Ledger } from "../ledger/index.ts";
import { openCommand } from "../identity/index.ts";
import { refusalOf, wantsApproval } from "../policy-engine/index.ts";
import type { Store } from "../store/index.ts";
import * as projection from "./projection.ts";
import { asJson, type CommandRecord } from "./record.ts";

const REFUSALS_SHOWN_MAX = 100;

/** What was refused on an IMVU and why, newest first: its owner sees who tried what. */
export async function refusalsOf(store: Store, ledger: Pick<Ledger, "receipt">, imvu: ImvuId): Promise<Json> {
  const seen = await store.snapshot((tx) => projection.refusedCommands(tx, imvu, REFUSALS_SHOWN_MAX));
  const refusals: Json[] = [];
  for (const { digest, actor, op, intentIndex } of seen) {
    const { time, data } = JSON.parse((await ledger.receipt(intentIndex)).body) as { time: string; data: CommandRecord };
    const opened = openCommand(data.jws);
    const refusal = opened.ok ? refusalOf(opened.value.command, data.facts, data.verdicts, intentIndex) : undefined;
    refusals.push({ index: intentIndex, time, actor, op, gate: Number(refusal?.gate ?? 0), code: refusal?.code ?? "", digest, approvable: wantsApproval(data.verdicts) });
  }
  return { imvu, refusals };
}

/** A command as it was signed and what became of it; undefined: none of that digest is known. */
export async function commandByDigest(store: Store, digest: string): Promise<{ readonly seen: projection.SeenCommand; readonly document: Json } | undefined> {
  if (!parseSha256(digest)) return undefined;
  const seen = await store.snapshot((tx) => projection.seenCommand(tx, digest));
  if (!seen) return undefined;
  const { actor, op, imvu, state, intentIndex, outcomeIndex, signed } = seen;
  return { seen, document: asJson({ digest, actor, op, imvu, state, index: intentIndex, outcome: outcomeIndex, signed: JSON.parse(signed) }) };
}
