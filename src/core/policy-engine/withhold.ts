import type { Command } from "../../contract/index.ts";
import type { Facts } from "./facts.ts";
import { hasStanding } from "./standing.ts";

/**
 * The facts to judge and to record. A stranger to the IMVU is judged as if it did not exist: he is refused either way, and
 * neither the verdicts nor the entry he may read as its actor can then tell him that it does, or what it has.
 */
export function factsToJudge(command: Command, facts: Facts): Facts {
  if (hasStanding(command, facts)) return facts;
  return { ...facts, imvu: null, zoneClaims: [], node: null, used: null, meters: null, blobs: [], consent: null, bundle: null };
}
