import type { FabricRoom, NetworkDesired, Site } from "../contract/index.ts";
import { ensureFolder, type ImvuId } from "../kernel/index.ts";
import { examineNetwork } from "./doctor.ts";
import { networkFabric } from "./fabric.ts";
import { ensureAuthority, platformLeaf } from "./gateways/authority.ts";
import { haproxyEngine } from "./gateways/engine.ts";
import { Gateway } from "./gateways/gateway.ts";
import { issueToken, type TokenClaims } from "./gateways/tokens.ts";
import { networkHands } from "./hands.ts";
import { layoutOf } from "./layout.ts";
import { ensureMachineHandle, ensureRouter, namespaceNumbers, removeAllNamespaces } from "./nexus-net/namespaces.ts";
import { applyRouterRules } from "./nexus-net/rules.ts";
import type { NetworkState } from "./state.ts";

export interface NetworkRoomDeps {
  readonly site: Site;
  /** What the ledger orders; without it the probes of gates 8, 14 and 15 are unproven. */
  readonly desiredOf?: (imvu: ImvuId) => NetworkDesired | undefined;
}

export interface NetworkRoom extends FabricRoom<NetworkDesired, NetworkState> {
  readonly certificateAuthority: { readonly caFile: string };
  /** Certificate (with its chain) and key for mail.<suffix>, PEM, readable by root. */
  platformTls(): Promise<{ readonly certFile: string; readonly keyFile: string }>;
  issueToken(claims: TokenClaims): Promise<string>;
}

export async function openNetworkRoom(deps: NetworkRoomDeps): Promise<NetworkRoom> {
  const { site } = deps;
  const layout = layoutOf(site);
  const gateway = new Gateway(layout);
  let authority: Promise<void> | undefined;
  const withAuthority = async () => {
    authority ??= (async () => {
      await ensureFolder(layout.dir, 0o711);
      await ensureAuthority(layout, `Nexus platform ${site.homeId}`);
    })();
    await authority.catch((error: unknown) => {
      authority = undefined;
      throw error;
    });
  };
  return {
    fabric: networkFabric({ site, gateway, hands: networkHands(site, gateway), ...(deps.desiredOf ? { desiredOf: deps.desiredOf } : {}) }),
    engines: [haproxyEngine(site, layout, () => gateway.restore())],
    certificateAuthority: { caFile: layout.caFile },
    async platformTls() {
      await withAuthority();
      return await platformLeaf(layout, `mail.${site.suffix}`);
    },
    async issueToken(claims) {
      await withAuthority();
      return await issueToken(layout, claims);
    },
    async open() {
      for (const folder of [layout.dir, layout.certificates]) await ensureFolder(folder, 0o711);
      await ensureFolder(`${site.dir}/run`, 0o711);
      await withAuthority();
      await ensureMachineHandle(site);
      await ensureRouter(site);
      // Links that outlived a killed platform carry running services: they are adopted with all they counted.
      await applyRouterRules(site, await namespaceNumbers(site));
    },
    close: () => removeAllNamespaces(site),
    doctor: () => examineNetwork(site, gateway),
  };
}
