import type { Imvu, Site } from "../contract/index.ts";
import { asJson } from "../core/command/index.ts";
import { termsOf } from "../core/handshake/index.ts";
import type { Json } from "../kernel/index.ts";
import type { Rooms } from "./rooms.ts";

/** One unit for people and scripts: what was agreed, and beside it what kernel, DNS, mail and gateway themselves say. */
export async function viewOf(rooms: Rooms, site: Site, imvu: Imvu): Promise<Json> {
  const { id, name, owner, jurisdiction, status, zone, createdAt, envelope: agreed } = imvu;
  const { timeZone, currency } = termsOf(imvu);
  const [compute, domains, network] = await Promise.all([rooms.compute.fabric.observe(id), rooms.domains.fabric.observe(id), rooms.network.fabric.observe(id)]);
  const kernel = compute.envelope;
  const first = imvu.services[0];
  const running = compute.services.find((service) => service.name === first?.name);
  const at = (port: number) => `${site.listenAddress}:${port}`;
  return asJson({
    imvu: { id, name, owner, jurisdiction, status, zone, createdAt, timeZone, currency },
    envelope: {
      cpuCores: (kernel?.cpuMillis ?? 0) / 1_000,
      memoryBytes: kernel?.memoryBytes ?? 0,
      storageBytes: compute.volume?.sizeBytes ?? 0,
      iops: kernel?.readIops ?? 0,
      bandwidthBps: network.rates.inwards ?? 0,
      processes: kernel?.processes ?? 0,
      burst: agreed.burst,
    },
    agreed,
    compute: { service: first?.name ?? "", engine: "podman", state: running?.state ?? "absent" },
    services: compute.services.map((service) => ({ name: service.name, state: service.state, startedAt: service.startedAt })),
    dns: { nameserver: `ns.${site.suffix}`, ds: domains.zones[0]?.ds ?? [] },
    mail: { address: imvu.mailboxes[0]?.address ?? "", imap: at(site.ports.imap), submission: at(site.ports.submission), servername: `mail.${site.suffix}` },
    routes: imvu.routes.map((route) => ({ class: route.class, host: route.host, path: route.path, url: urlOf(site, route.host, route.path) })),
  });
}

function urlOf(site: Site, host: string, path: string): string {
  const { gatewayHttp } = site.ports;
  return `http://${host}${gatewayHttp === 80 ? "" : `:${gatewayHttp}`}${path}`;
}
