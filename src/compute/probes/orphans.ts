import type { Evidence } from "../../contract/index.ts";
import type { ImvuId } from "../../kernel/index.ts";
import { handsOf } from "../hands.ts";
import { observeCompute } from "../observe.ts";
import type { Parts } from "../parts.ts";
import { planCompute } from "../plan.ts";
import { broken, holds } from "./asked.ts";

/** Gate 11: whatever the engine and the kernel show was ordered by the ledger, exactly so. */
export async function probeOrphans(parts: Parts, imvu: ImvuId): Promise<Evidence> {
  const desired = parts.desiredOf(imvu);
  if (!desired) return broken("it has a group, a volume or a container, and no entry ordered it");
  const steps = planCompute(handsOf(parts), imvu, desired, await observeCompute(parts, imvu));
  return steps.length > 0 ? broken(`not as the ledger orders: one would have to ${steps.map((step) => step.sentence).join("; ")}`) : holds("containers, limits and volume are as the ledger orders, and there are no others");
}
