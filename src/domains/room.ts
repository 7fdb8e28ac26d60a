import { access } from "node:fs/promises";
import { join } from "node:path";
import type { BundleReader, DomainsDesired, ExportSink, Fabric, FabricRoom, Finding, Site } from "../contract/index.ts";
import type { Fqdn, ImvuId } from "../kernel/index.ts";
import { Authority } from "./dns-authority/authority.ts";
import { knotEngine } from "./dns-authority/engine.ts";
import { exportKeys, importKeys } from "./dns-authority/keys.ts";
import { Knot } from "./dns-authority/knot.ts";
import { layoutOf } from "./layout.ts";
import { domainsMeter } from "./meter.ts";
import { planZones } from "./plan.ts";
import { DOMAIN_GATES, probeDomains } from "./probes.ts";
import { unboundEngine } from "./resolvers/engine.ts";
import { processStart } from "./process-start.ts";
import { UnboundFlusher } from "./resolvers/flush.ts";
import type { DomainsState } from "./state.ts";

export interface DomainsDeps {
  readonly site: Site;
  readonly desiredOf?: (imvu: ImvuId) => DomainsDesired | undefined;
  /** Zones by the ledger, with the IMVU each belongs to. */
  readonly zonesOf?: () => ReadonlyMap<Fqdn, ImvuId>;
}

export interface DomainsRoom extends FabricRoom<DomainsDesired, DomainsState> {
  zoneFile(zone: Fqdn): Promise<string>;
  servedZones(): Promise<readonly string[]>;
}

/** `imvu001` of IMVU-001: the label every zone of it has. */
function labelOf(imvu: ImvuId): string {
  return imvu.toLowerCase().replace("-", "");
}

export function openDomainsRoom({ site, desiredOf = () => undefined, zonesOf = () => new Map() }: DomainsDeps): DomainsRoom {
  const layout = layoutOf(site);
  const knot = new Knot(layout.controlSocket);
  const flusher = new UnboundFlusher(layout.unboundControl);
  const authority = new Authority(site, knot, flusher);
  const zoneOf = (imvu: ImvuId) => `${labelOf(imvu)}.${site.suffix}` as Fqdn;

  const fabric: Fabric<DomainsDesired, DomainsState> = {
    name: "domains",
    probes: DOMAIN_GATES,
    plan: (imvu, desired, observed) => planZones(authority, imvu, desired, observed),
    observe: async (imvu) => {
      const zone = await authority.observe(zoneOf(imvu));
      return { zones: zone ? [zone] : [] };
    },
    meter: domainsMeter(site, authority, zoneOf, () => processStart(join(site.dir, "run", "engine-knot.json"))),
    probe: (gate, imvu) => probeDomains({ site, authority, desiredOf, zonesOf }, gate, imvu),
    async export(imvu: ImvuId, sink: ExportSink) {
      const zone = zoneOf(imvu);
      await sink.file(`domains/zones/${zone}.zone`, await authority.zoneFile(zone));
      for (const { base, publicText, privateText, stateText } of await exportKeys(layout, zone, (await knot.read(zone)) ?? [])) {
        await sink.file(`domains/dnssec/${base}.key`, publicText);
        await sink.file(`domains/dnssec/${base}.private`, privateText);
        await sink.file(`domains/dnssec/${base}.state`, stateText);
      }
    },
    async import(_imvu: ImvuId, desired: DomainsDesired, bundle: BundleReader) {
      const text = async (path: string) => Buffer.from(await bundle.read(path)).toString("utf8");
      const keys = [];
      for (const path of bundle.list("domains/dnssec/").filter((one) => one.endsWith(".key"))) {
        const base = path.slice("domains/dnssec/".length, -".key".length);
        // A key file speaks for exactly this zone; a name with anything else in it never reaches a tool.
        if (!base.startsWith(`K${desired.zone}.+013+`) || !/^\+013\+\d{5}$/.test(base.slice(desired.zone.length + 2))) continue;
        keys.push({ base, publicText: await text(path), privateText: await text(`domains/dnssec/${base}.private`) });
      }
      await importKeys(layout, knot, desired.zone, keys);
      await authority.delegate(desired.zone);
    },
  };

  return {
    fabric,
    engines: [knotEngine(site, layout, knot, authority), unboundEngine(site, layout, knot, flusher)],
    // Everything of this room lies in the home and ends with its engines.
    open: async () => {},
    close: async () => {},
    doctor: () => findings(),
    zoneFile: (zone) => authority.zoneFile(zone),
    servedZones: () => authority.servedZones(),
  };
}

async function findings(): Promise<readonly Finding[]> {
  const wanted: readonly (readonly [path: string, what: string, debian: string])[] = [
    ["/usr/sbin/knotd", "authoritative DNS (Knot)", "knot"],
    ["/usr/sbin/keymgr", "DNSSEC keys", "knot"],
    ["/usr/bin/kdig", "DNS questions", "knot-dnsutils"],
    ["/usr/sbin/unbound", "validating resolver (Unbound)", "unbound"],
  ];
  return await Promise.all(
    wanted.map(async ([path, what, debian]): Promise<Finding> => {
      const ok = await access(path).then(
        () => true,
        () => false,
      );
      return { what, ok, detail: ok ? path : `${path} is missing`, hint: ok ? "" : `apt-get install ${debian}` };
    }),
  );
}
