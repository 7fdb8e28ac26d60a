import type { DomainsDesired, Evidence, GateNumber, Site } from "../contract/index.ts";
import { type Fqdn, type ImvuId, run } from "../kernel/index.ts";
import type { Authority } from "./dns-authority/authority.ts";
import { linesOf } from "./records/presentation.ts";

const ATTACK_TIMEOUT_MS = 15_000;

export interface ProbeDeps {
  readonly site: Site;
  readonly authority: Authority;
  desiredOf(imvu: ImvuId): DomainsDesired | undefined;
  zonesOf(): ReadonlyMap<Fqdn, ImvuId>;
}

/** Gates this room can see, each by really asking or attacking the DNS server. */
export const DOMAIN_GATES: readonly GateNumber[] = [3, 4, 11, 14];

export async function probeDomains(deps: ProbeDeps, gate: GateNumber, imvu: ImvuId | undefined): Promise<Evidence> {
  const zones = [...deps.zonesOf()].filter(([, owner]) => imvu === undefined || owner === imvu);
  switch (gate) {
    case 3:
      return await oneOwnerEach(deps);
    case 4:
      return zones.length === 0 ? unproven("no zone is served yet, so none can be attacked") : await attack(deps, zones[0]?.[0] as Fqdn);
    case 11:
    case 14:
      return await answersEqualOrders(deps, zones);
    default:
      return unproven("the DNS server does not see this gate");
  }
}

function unproven(detail: string): Evidence {
  return { verdict: "unproven", detail };
}

async function oneOwnerEach({ authority, zonesOf }: ProbeDeps): Promise<Evidence> {
  const served = await authority.servedZones();
  const bound = zonesOf();
  const stray = served.find((zone) => !bound.has(zone as Fqdn));
  if (stray) return { verdict: "broken", detail: `${stray} is served and belongs to nobody` };
  const missing = [...bound.keys()].find((zone) => !served.includes(zone));
  if (missing) return { verdict: "broken", detail: `${missing} is bound to an IMVU and not served` };
  return { verdict: "holds", detail: `${served.length} zones served, each bound to exactly one IMVU` };
}

/** A dynamic update, a transfer and an open-recursion question, as a stranger on the network would send them. */
async function attack({ site, authority }: ProbeDeps, zone: Fqdn): Promise<Evidence> {
  const { listenAddress, ports } = site;
  const before = (await authority.observe(zone))?.serial;
  const update = await run(["/usr/bin/knsupdate"], {
    input: `server ${listenAddress} ${ports.dns}\nzone ${zone}.\nupdate add probe.${zone}. 30 TXT "probe"\nsend\nquit\n`,
    timeout_ms: ATTACK_TIMEOUT_MS,
  });
  const said = `${update.stdout.toString("utf8")}${update.stderr}`;
  if (!/REFUSED|NOTAUTH|NOTIMPL/.test(said) || (await authority.observe(zone))?.serial !== before) return { verdict: "broken", detail: `a dynamic update of ${zone} was not refused: ${said.trim().slice(0, 200)}` };
  const server = [`@${listenAddress}`, "-p", String(ports.dns), "+timeout=2", "+retry=0"];
  const transfer = (await run(["/usr/bin/kdig", ...server, `${zone}.`, "AXFR"], { timeout_ms: ATTACK_TIMEOUT_MS })).stdout.toString("utf8");
  if (/\sIN\s+SOA\s/.test(transfer)) return { verdict: "broken", detail: `a stranger transferred ${zone}` };
  const recursion = (await run(["/usr/bin/kdig", ...server, "www.debian.org.", "A"], { timeout_ms: ATTACK_TIMEOUT_MS })).stdout.toString("utf8");
  if (!/status: REFUSED/.test(recursion)) return { verdict: "broken", detail: "a question about a foreign name was not refused" };
  return { verdict: "holds", detail: `a dynamic update of ${zone}, its transfer and recursion were tried and refused` };
}

async function answersEqualOrders({ authority, desiredOf }: ProbeDeps, zones: readonly (readonly [Fqdn, ImvuId])[]): Promise<Evidence> {
  if (zones.length === 0) return unproven("no zone is served yet");
  let records = 0;
  for (const [zone, owner] of zones) {
    const desired = desiredOf(owner);
    const served = await authority.observe(zone);
    if (!desired || !served) return { verdict: "broken", detail: `${zone} is ${served ? "served without an order" : "not served"}` };
    const wanted = linesOf(desired.records);
    const differing = [...served.lines.filter((line) => !wanted.includes(line)), ...wanted.filter((line) => !served.lines.includes(line))][0];
    if (differing !== undefined) return { verdict: "broken", detail: `${zone} differs from its owner's last signed order: ${differing}` };
    if (!served.delegated) return { verdict: "broken", detail: `${zone} is not delegated with its DS` };
    records += wanted.length;
  }
  return { verdict: "holds", detail: `${records} records of ${zones.length} zones are served as their owners ordered` };
}
