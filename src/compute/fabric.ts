import type { ComputeDesired, Fabric } from "../contract/index.ts";
import { handsOf } from "./hands.ts";
import { exportCompute } from "./leaving/export.ts";
import { importCompute } from "./leaving/import.ts";
import { computeMeter } from "./meter.ts";
import { observeCompute } from "./observe.ts";
import type { Parts } from "./parts.ts";
import { planCompute } from "./plan.ts";
import { COMPUTE_PROBES, probeCompute } from "./probes/probe.ts";
import type { ComputeState } from "./state.ts";

export function computeFabric(parts: Parts): Fabric<ComputeDesired, ComputeState> {
  const hands = handsOf(parts);
  return {
    name: "compute",
    plan: (imvu, desired, observed) => planCompute(hands, imvu, desired, observed),
    observe: (imvu) => observeCompute(parts, imvu),
    meter: computeMeter(parts),
    probe: (gate, imvu) => probeCompute(parts, gate, imvu),
    probes: COMPUTE_PROBES,
    export: (imvu, sink) => exportCompute(parts, imvu, sink),
    import: (_imvu, desired, bundle) => importCompute(parts, desired, bundle),
  };
}
