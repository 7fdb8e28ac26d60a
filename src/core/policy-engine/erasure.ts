import type { Command, Verdict } from "../../contract/index.ts";
import type { Json } from "../../kernel/index.ts";
import type { Facts } from "./facts.ts";
import type { Answer, Denial } from "./gate.ts";

/** Gate 11's rules for bodies that a law orders erased: only such as no table, key or sum is told from, and each leaves its commitment. */
export type ErasureCode = "NO_SUCH_ENTRY" | "OTHER_COMMITMENT" | "ERASED_ALREADY" | "NOT_ERASABLE" | "STILL_VALID";

export const ERASURE_DENIALS: Readonly<Record<ErasureCode, Denial>> = {
  NO_SUCH_ENTRY: { says: "no entry that this command could erase stands at that index", hint: "'nexus consent history' and 'nexus imvu refusals' tell the indexes; an operator erases what stands in no unit's stream" },
  OTHER_COMMITMENT: { says: "the entry at that index has another commitment", hint: "'nexus ledger proof INDEX' shows it" },
  ERASED_ALREADY: { says: "the body is gone already", hint: "there is nothing to do" },
  NOT_ERASABLE: { says: "only consents and refused commands can be erased: from everything else tables, keys or money are told", hint: "'nexus ledger entries' shows what the entry is" },
  STILL_VALID: { says: "the command has not expired: whoever kept it could send it once more", hint: "erase it when it has expired" },
};

export type ErasingCommand = Extract<Command, { op: "imvu.erase" | "platform.erase" }>;

export function isErasure(command: Command): command is ErasingCommand {
  return command.op === "imvu.erase" || command.op === "platform.erase";
}

/** What an accepted order takes away: decided at acceptance, recorded with the intent, and once more in the outcome that does it. */
export function erasedWith({ params: { index, commitment } }: ErasingCommand, { erasure }: Pick<Facts, "erasure">): Json {
  return { command: erasure?.digest ?? null, erased: [{ index, commitment }, ...(erasure?.outcome ? [erasure.outcome] : [])] };
}

export function mayErase({ params }: ErasingCommand, { erasure = null, now_ms }: Facts, answer: Answer<ErasureCode>): Verdict {
  if (erasure === null) return answer.deny("NO_SUCH_ENTRY", { index: params.index });
  if (erasure.commitment !== params.commitment) return answer.deny("OTHER_COMMITMENT", params.commitment, erasure.commitment);
  if (erasure.kind === "erased") return answer.deny("ERASED_ALREADY", { index: params.index });
  if (erasure.kind === "other") return answer.deny("NOT_ERASABLE", { index: params.index });
  return erasure.exp_ms < now_ms ? answer.pass() : answer.deny("STILL_VALID", { exp: erasure.exp_ms }, { now: now_ms });
}
