import type { Imvu } from "../../contract/index.ts";
import type { ImvuId } from "../../kernel/index.ts";
import { openCommand } from "../identity/index.ts";
import type { Ledger } from "../ledger/index.ts";
import type { Effects } from "./effects.ts";
import type { AppliedRecord, CommandRecord, FailedRecord } from "./record.ts";

type Reducers = Pick<Effects, "after" | "withLearned">;

/** Every unit as the log alone tells it: accepted commands whose outcome was success, in order, through the same reducers. */
export async function replayUnits(ledger: Pick<Ledger, "entries">, effects: Reducers): Promise<ReadonlyMap<ImvuId, Imvu>> {
  const units = new Map<ImvuId, Imvu>();
  const open = new Map<number, CommandRecord>();
  for await (const entry of ledger.entries()) {
    if (entry.type === "command.accepted") open.set(entry.index, entry.data as unknown as CommandRecord);
    if (entry.type === "effect.failed") open.delete((entry.data as unknown as FailedRecord).intent);
    if (entry.type !== "effect.applied") continue;
    const { intent, learned } = entry.data as unknown as AppliedRecord;
    const record = open.get(intent);
    open.delete(intent);
    if (!record) continue;
    const opened = openCommand(record.jws);
    if (!opened.ok) continue;
    const { command } = opened.value;
    const after = effects.after(command, command.imvu === null ? undefined : units.get(command.imvu), record.allocation);
    if (after) units.set(after.id, effects.withLearned(after, learned));
  }
  return units;
}
