import type { Fabric, NetworkDesired, Site } from "../contract/index.ts";
import { exportNetwork } from "./export.ts";
import type { Gateway } from "./gateways/gateway.ts";
import { together } from "../kernel/index.ts";
import { readMeters } from "./metering/counters.ts";
import { readRouter } from "./metering/router.ts";
import { observeNetwork } from "./observe.ts";
import { type NetworkHands, planNetwork } from "./plan.ts";
import { NETWORK_PROBES, probeNetwork } from "./probes.ts";
import type { NetworkState } from "./state.ts";

export interface FabricDeps {
  readonly site: Site;
  readonly gateway: Gateway;
  readonly hands: NetworkHands;
  readonly desiredOf?: (imvu: NetworkDesired["imvu"]) => NetworkDesired | undefined;
}

export function networkFabric(deps: FabricDeps): Fabric<NetworkDesired, NetworkState> {
  const { site, gateway, hands } = deps;
  const router = together(() => readRouter(site));
  return {
    name: "network",
    plan: (imvu, desired, observed) => planNetwork(hands, imvu, desired, observed),
    observe: (imvu) => observeNetwork(site, gateway, imvu),
    meter: (imvu) => readMeters(site, router, imvu),
    probe: (gate, imvu) => probeNetwork(deps, gate, imvu),
    probes: NETWORK_PROBES,
    export: (imvu, sink) => exportNetwork(imvu, deps.desiredOf?.(imvu), sink),
    // Routes, certificates and links come back by the plan's steps alone; a bundle holds nothing more of them.
    import: async () => {},
  };
}
