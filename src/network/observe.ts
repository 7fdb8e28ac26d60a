import type { Site } from "../contract/index.ts";
import { type ImvuId, imvuNumberOf } from "../kernel/index.ts";
import type { Gateway } from "./gateways/gateway.ts";
import { hasCounters } from "./metering/counters.ts";
import { readRouter } from "./metering/router.ts";
import { readBandwidth } from "./nexus-net/bandwidth.ts";
import { namespaceNumbers, observeLink } from "./nexus-net/namespaces.ts";
import { innerDrift, routerDrift } from "./nexus-net/rules.ts";
import { imvuOfValue, sameEntries } from "./routing/route-map.ts";
import type { NetworkState } from "./state.ts";

export async function observeNetwork(site: Site, gateway: Gateway, imvu: ImvuId): Promise<NetworkState> {
  const number = imvuNumberOf(imvu);
  const [link, live, stored, certificate] = await Promise.all([observeLink(site, number), gateway.liveRoutes(), gateway.storedRoutes(), gateway.certificate(imvu)]);
  const mine = (entries: typeof stored) => entries.filter(({ value }) => imvuOfValue(value) === imvu);
  const onDisk = mine(stored);
  const routes = live ? mine(live) : onDisk;
  const numbers = link ? await namespaceNumbers(site) : [];
  const [counters, rates, outer, inner] = link
    ? await Promise.all([readRouter(site).then((router) => hasCounters(router, number)), readBandwidth(site, number), routerDrift(site, numbers, number), innerDrift(site, number)])
    : [false, { inwards: null, outwards: null }, [], []];
  return {
    link,
    counters,
    drift: [...outer, ...inner],
    rates,
    certificate: certificate ? { names: certificate.names, good: certificate.lasting && certificate.live } : null,
    routes,
    stored: sameEntries(onDisk, routes),
  };
}
