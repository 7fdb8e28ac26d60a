import { randomBytes } from "node:crypto";
import { namespaceNameOf, type Site } from "../contract/index.ts";
import type { Gateway } from "./gateways/gateway.ts";
import { applyBandwidth } from "./nexus-net/bandwidth.ts";
import { ensureLink, ensureRouter, namespaceInode, namespaceNumbers, removeLink } from "./nexus-net/namespaces.ts";
import { applyLinkRules, applyRouterRules, clearInnerRules, removeLinkRules } from "./nexus-net/rules.ts";
import type { NetworkHands } from "./plan.ts";

const EPOCH_BYTES = 6;

export function networkHands(site: Site, gateway: Gateway): NetworkHands {
  return {
    async restoreRules(number) {
      await applyRouterRules(site, await namespaceNumbers(site));
      if (await namespaceInode(namespaceNameOf(site, number))) await clearInnerRules(site, number);
    },
    async makeLink(number) {
      await ensureRouter(site);
      // Rules and counters first: the link is never up without them.
      await applyLinkRules(site, number);
      await ensureLink(site, number, randomBytes(EPOCH_BYTES).toString("hex"));
    },
    async removeLink(number) {
      await removeLink(site, number);
      await removeLinkRules(site, number);
    },
    setBandwidth: (number, bandwidthBps) => applyBandwidth(site, number, bandwidthBps),
    setCertificate: (imvu, names) => gateway.setCertificate(imvu, names),
    dropCertificate: (imvu) => gateway.dropCertificate(imvu),
    setRoutes: (imvu, entries) => gateway.setRoutes(imvu, entries),
  };
}
