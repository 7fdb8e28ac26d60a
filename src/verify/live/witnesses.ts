import { openCosignatures, parseNote, parseWitnessKey, type WitnessVerifier } from "../../core/ledger/pure.ts";
import { Fault } from "../../kernel/index.ts";
import type { Failures } from "../failures.ts";

/** Whose cosignatures a checkpoint must carry. */
export interface WitnessDemand {
  readonly required: number;
  readonly witnesses: readonly WitnessVerifier[];
}

export interface Witnessed {
  readonly required: number;
  readonly given: number;
  /** Whose cosignatures hold, and when each was made by its own clock (seconds since 1970). */
  readonly present: readonly { readonly name: string; readonly time: number }[];
}

/** @param required default: all of them. Throws Fault BAD_WITNESSES. */
export function demandOf(vkeys: readonly string[], required: number | undefined): WitnessDemand | undefined {
  const bad = (why: string) => new Fault("BAD_WITNESSES", why, { hint: "give --witness once for each witness, and --require a number from 1 to as many as those" });
  if (vkeys.length === 0 && required === undefined) return undefined;
  const witnesses = vkeys.map((vkey) => {
    const key = parseWitnessKey(vkey);
    if (!key.ok) throw bad(`--witness: ${key.message}`);
    return key.value;
  });
  // One key under two names is one witness.
  const keys = new Set(witnesses.map(({ publicKey }) => publicKey.export({ format: "jwk" }).x));
  if (keys.size !== witnesses.length) throw bad("--witness: the same key is given twice");
  const wanted = required ?? witnesses.length;
  if (!Number.isSafeInteger(wanted) || wanted < 1 || wanted > witnesses.length) throw bad(`--require ${wanted}: ${witnesses.length} witnesses are given`);
  return { required: wanted, witnesses };
}

/** Asked only of a note that the log's own key signed. */
export function judgeWitnesses(note: string, { required, witnesses }: WitnessDemand, failures: Failures): Witnessed {
  const parsed = parseNote(note);
  const present = parsed.ok ? openCosignatures(parsed.value, witnesses).map(({ by, time_s }) => ({ name: by.name, time: time_s })) : [];
  if (present.length < required)
    failures.add("checkpoint", `cosignatures of ${required} of the ${witnesses.length} witnesses given`, present.length === 0 ? "none" : `${present.length}: ${present.map(({ name }) => name).join(", ")}`);
  return { required, given: witnesses.length, present };
}
