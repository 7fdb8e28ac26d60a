import type { Command, Receipt } from "../../contract/index.ts";
import type { Refusal } from "../../kernel/index.ts";
import { hasStanding, refusalOf, wantsApproval } from "../policy-engine/index.ts";
import type { CommandRecord } from "./record.ts";

/** A stranger is told nothing that depends on the IMVU: neither verdicts nor the entry that lies in its stream. */
export function denied(command: Command, record: Pick<CommandRecord, "digest" | "facts" | "verdicts">, index: number, receipt: Receipt): Refusal {
  const refusal = refusalOf(command, record.facts, record.verdicts, index);
  if (!refusal) throw new TypeError(`entry ${index} refuses a command that no gate denied`);
  if (!hasStanding(command, record.facts)) return refusal;
  const hint = wantsApproval(record.verdicts) ? `ask ${record.facts.imvu?.owner ?? "another operator"} to run: nexus imvu approve ${record.digest}` : refusal.hint;
  return { ...refusal, hint, digest: record.digest, verdicts: record.verdicts, receipt } as Refusal;
}
