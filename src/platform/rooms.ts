import { Resolver } from "node:dns/promises";
import { openComputeRoom } from "../compute/index.ts";
import type { Blobs, EngineSpec, FabricRoom, Finding, Site } from "../contract/index.ts";
import { openDomainsRoom, validateRecord } from "../domains/index.ts";
import type { Desired, Fabrics } from "../imvu/imvu-manager/index.ts";
import type { Fqdn, ImvuId } from "../kernel/index.ts";
import { openMailRoom } from "../mail/index.ts";
import { openNetworkRoom, resolverAddressOf } from "../network/index.ts";

const DNS_TIMEOUT_MS = 2_000;

// biome-ignore lint/suspicious/noExplicitAny: opened, closed and asked for findings here, whatever they desire.
type AnyRoom = FabricRoom<any, any>;

/** The four rooms of one home, put together. */
export interface Rooms {
  readonly compute: Awaited<ReturnType<typeof openComputeRoom>>;
  readonly domains: Awaited<ReturnType<typeof openDomainsRoom>>;
  readonly mail: Awaited<ReturnType<typeof openMailRoom>>;
  readonly network: Awaited<ReturnType<typeof openNetworkRoom>>;
  readonly engines: readonly EngineSpec[];
  open(): Promise<void>;
  /** Every room is closed, also when another fails; the failures are thrown together. */
  close(): Promise<void>;
  doctor(): Promise<readonly Finding[]>;
}

/** What the ledger says of every unit; the rooms' probes compare reality with it. */
export interface Told {
  desiredOf(imvu: ImvuId): Desired | undefined;
  zones(): ReadonlyMap<Fqdn, ImvuId>;
}

export async function openRooms(site: Site, blobs: Blobs, told: Told, say: (line: string) => void): Promise<Rooms> {
  const network = await openNetworkRoom({ site, desiredOf: (imvu) => told.desiredOf(imvu)?.network });
  const compute = await openComputeRoom({ site, blobs, desiredOf: (imvu) => told.desiredOf(imvu)?.compute, say });
  const domains = await openDomainsRoom({ site, desiredOf: (imvu) => told.desiredOf(imvu)?.domains, zonesOf: () => told.zones() });
  const mail = await openMailRoom({ site, blobs, desiredOf: (imvu) => told.desiredOf(imvu)?.mail, tls: () => network.platformTls(), resolver: txtResolver(site), say });
  const all: readonly AnyRoom[] = [network, compute, domains, mail];
  return {
    compute,
    domains,
    mail,
    network,
    engines: all.flatMap((room) => room.engines),
    open: async () => {
      for (const room of all) await room.open();
    },
    close: async () => {
      const failures: unknown[] = [];
      for (const room of all.toReversed()) await room.close().catch((error: unknown) => failures.push(error));
      if (failures.length > 0) throw new AggregateError(failures, `not everything was taken away: ${failures.map(String).join("; ")}`);
    },
    doctor: async () => (await Promise.all(all.map((room) => room.doctor()))).flat(),
  };
}

/** Asks the home's own validating resolver; a name outside that does not answer in time has no policy and no key. */
function txtResolver({ listenAddress, ports }: Site): (name: string, type: string) => Promise<string[][]> {
  const dns = new Resolver({ timeout: DNS_TIMEOUT_MS, tries: 2 });
  dns.setServers([`${listenAddress.includes(":") ? `[${listenAddress}]` : listenAddress}:${ports.resolver}`]);
  return async (name, type) => {
    if (type !== "TXT") throw Object.assign(new Error(`${type} records are not asked for`), { code: "ENOTFOUND" });
    return await dns.resolveTxt(name);
  };
}

export function fabricsOf(rooms: Rooms, view: Fabrics["view"]): Fabrics {
  return {
    network: rooms.network.fabric as Fabrics["network"],
    compute: rooms.compute.fabric as Fabrics["compute"],
    domains: rooms.domains.fabric as Fabrics["domains"],
    mail: rooms.mail.fabric as Fabrics["mail"],
    createDkimKeys: (imvu, domain) => rooms.mail.createDkimKeys(imvu, domain),
    removeDkimKeys: (imvu) => rooms.mail.removeDkimKeys(imvu),
    resolverAddressOf: (number) => resolverAddressOf(number),
    validateRecord,
    snapshots: rooms.compute.snapshots,
    restartService: (imvu, service) => rooms.compute.restartService(imvu, service),
    view,
  };
}

