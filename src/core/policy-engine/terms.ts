import type { Params, Verdict } from "../../contract/index.ts";
import { UTC } from "../../kernel/index.ts";
import type { Facts } from "./facts.ts";
import type { Answer, Denial } from "./gate.ts";

/** Gate 6's rule for what is agreed once with a unit: its owner signs for it again where it arrives, as it was. */
export type TermsCode = "TERMS_DIFFER";

export const TERMS_DENIALS: Readonly<Record<TermsCode, Denial>> = {
  TERMS_DIFFER: { says: "a unit's time zone is agreed when it is made, and goes with it", hint: "'nexus imvu import BUNDLE' signs for what the bundle says" },
};

/** @returns undefined: nothing against it. A bundle that could not be read is other gates' business. */
export function termsFlaw({ timeZone = UTC }: Params<"imvu.import">, { bundle }: Facts, answer: Answer<TermsCode>): Verdict | undefined {
  if (bundle === null || (bundle.timeZone ?? UTC) === timeZone) return undefined;
  return answer.deny("TERMS_DIFFER", { timeZone }, { timeZone: bundle.timeZone ?? UTC });
}
