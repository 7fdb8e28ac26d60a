import type { Evidence, GateNumber } from "../../contract/index.ts";
import { type ImvuId, messageOf } from "../../kernel/index.ts";
import type { Parts } from "../parts.ts";
import { each, present, unproven } from "./asked.ts";
import { probeLeakage } from "./leakage.ts";
import { probeQuotas, probeThrottling } from "./limits-held.ts";
import { probeOrphans } from "./orphans.ts";
import { probePlaces } from "./places.ts";
import { probeWalls } from "./walls.ts";

export const COMPUTE_PROBES = [2, 7, 9, 11, 15, 16] as const satisfies readonly GateNumber[];

/** Asks kernel, engine and file system about one gate. What cannot be asked has proved nothing. */
export async function probeCompute(parts: Parts, gate: GateNumber, imvu: ImvuId | undefined): Promise<Evidence> {
  try {
    const asked = imvu === undefined ? await present(parts) : [imvu];
    switch (gate) {
      case 2:
        return await each(asked, (one, number) => probeWalls(parts, one, number));
      case 7:
        return await each(asked, (one, number) => probeQuotas(parts, one, number));
      case 9:
        return await each(asked, (one, number) => probePlaces(parts, one, number));
      case 11:
        return await each(asked, (one) => probeOrphans(parts, one));
      case 15:
        return await each(asked, (one, number) => probeThrottling(parts, one, number));
      case 16:
        return await each(asked, (one, number) => probeLeakage(parts, one, number));
      default:
        return unproven(`compute has no probe for gate ${gate}`);
    }
  } catch (error) {
    return unproven(`compute could not be asked: ${messageOf(error)}`);
  }
}
