import type { NetworkDesired, Step } from "../contract/index.ts";
import { type ImvuId, imvuNumberOf } from "../kernel/index.ts";
import { rateHolds } from "./nexus-net/bandwidth.ts";
import { type RouteEntry, routeEntries, sameEntries } from "./routing/route-map.ts";
import type { NetworkState } from "./state.ts";

/** The effects a plan is made of; each is idempotent. */
export interface NetworkHands {
  restoreRules(number: number): Promise<void>;
  makeLink(number: number): Promise<void>;
  removeLink(number: number): Promise<void>;
  setBandwidth(number: number, bandwidthBps: number): Promise<void>;
  setCertificate(imvu: ImvuId, names: readonly string[]): Promise<void>;
  dropCertificate(imvu: ImvuId): Promise<void>;
  setRoutes(imvu: ImvuId, entries: readonly RouteEntry[]): Promise<void>;
}

/** The zone, everything one label below it, and each routed host that lies deeper. */
export function certificateNames(desired: NetworkDesired): readonly string[] {
  const { zone } = desired;
  const covered = (host: string) => host === zone || host.slice(host.indexOf(".") + 1) === zone;
  const deeper = [...new Set(desired.routes.map(({ host }) => host))].filter((host) => !covered(host)).sort();
  return [zone, `*.${zone}`, ...deeper];
}

const nothing = async () => {};

export function planNetwork(hands: NetworkHands, imvu: ImvuId, desired: NetworkDesired | undefined, observed: NetworkState): readonly Step[] {
  return desired ? planPresence(hands, imvu, desired, observed) : planAbsence(hands, imvu, observed);
}

function planPresence(hands: NetworkHands, imvu: ImvuId, desired: NetworkDesired, observed: NetworkState): readonly Step[] {
  const { number, bandwidthBps, zone } = desired;
  const steps: Step[] = [];
  const wired = observed.link?.wired === true && observed.counters;
  if (observed.drift.length > 0)
    // Never undone: what is removed here was nobody's order.
    steps.push({ key: `network/rules/${imvu}`, sentence: `restore the network rules around ${imvu}`, do: () => hands.restoreRules(number), undo: nothing });
  if (!wired) {
    const isNew = observed.link === null;
    steps.push({
      key: `network/link/${imvu}`,
      sentence: `give ${imvu} a network of its own`,
      do: () => hands.makeLink(number),
      undo: isNew ? () => hands.removeLink(number) : nothing,
    });
  }
  const { inwards, outwards } = observed.rates;
  if (!wired || !rateHolds(inwards, bandwidthBps) || !rateHolds(outwards, bandwidthBps)) {
    const before = inwards !== null && outwards !== null ? Math.max(inwards, outwards) : undefined;
    steps.push({
      key: `network/bandwidth/${imvu}/${bandwidthBps}`,
      sentence: `give ${imvu} ${bandwidthBps / 1e6} Mbit/s each way`,
      do: () => hands.setBandwidth(number, bandwidthBps),
      undo: before === undefined ? nothing : () => hands.setBandwidth(number, before),
    });
  }
  const names = certificateNames(desired);
  const certificate = observed.certificate;
  if (!certificate?.good || certificate.names.join() !== names.join())
    steps.push({
      key: `network/certificate/${imvu}/${names.join(",")}`,
      sentence: `issue the certificate of ${zone}`,
      do: () => hands.setCertificate(imvu, names),
      undo: certificate ? () => hands.setCertificate(imvu, certificate.names) : () => hands.dropCertificate(imvu),
    });
  const entries = routeEntries(desired);
  if (!observed.stored || !sameEntries(entries, observed.routes))
    steps.push({
      key: `network/routes/${imvu}`,
      sentence: `route ${entries.length} path${entries.length === 1 ? "" : "s"} to ${imvu}`,
      do: () => hands.setRoutes(imvu, entries),
      undo: () => hands.setRoutes(imvu, observed.routes),
    });
  return steps;
}

function planAbsence(hands: NetworkHands, imvu: ImvuId, observed: NetworkState): readonly Step[] {
  const number = imvuNumberOf(imvu);
  const { routes, certificate, link, rates } = observed;
  const steps: Step[] = [];
  if (routes.length > 0 || !observed.stored)
    steps.push({ key: `network/routes/${imvu}`, sentence: `route nothing to ${imvu}`, do: () => hands.setRoutes(imvu, []), undo: () => hands.setRoutes(imvu, routes) });
  if (certificate)
    steps.push({
      key: `network/certificate/${imvu}`,
      sentence: `withdraw the certificate of ${imvu}`,
      do: () => hands.dropCertificate(imvu),
      undo: () => hands.setCertificate(imvu, certificate.names),
    });
  if (link)
    steps.push({
      key: `network/link/${imvu}`,
      sentence: `take the network of ${imvu} away`,
      do: () => hands.removeLink(number),
      undo: async () => {
        await hands.makeLink(number);
        if (rates.inwards !== null) await hands.setBandwidth(number, rates.inwards);
      },
    });
  return steps;
}
