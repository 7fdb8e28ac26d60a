import type { ComputeDesired, DkimKey, DnsRecordSet, DomainsDesired, Fabric, Imvu, MailDesired, NetworkDesired, SnapshotHands, Step } from "../../contract/index.ts";
import type { Fqdn, ImvuId, Json, Outcome, ServiceName } from "../../kernel/index.ts";
import { type Desired, desiredOf } from "./desired.ts";

/** The four fabrics as ports, and the few words each has beyond the common shape. */
export interface Fabrics {
  readonly network: Fabric<NetworkDesired, Json>;
  readonly compute: Fabric<ComputeDesired, Json>;
  readonly domains: Fabric<DomainsDesired, Json>;
  readonly mail: Fabric<MailDesired, Json>;
  /** Makes, or finds, the signing keys of an IMVU's domain; idempotent. */
  createDkimKeys(imvu: ImvuId, domain: Fqdn): Promise<readonly DkimKey[]>;
  removeDkimKeys(imvu: ImvuId): Promise<void>;
  resolverAddressOf(number: number): string;
  validateRecord(zone: Fqdn, set: DnsRecordSet): Outcome<DnsRecordSet>;
  readonly snapshots: SnapshotHands;
  restartService(imvu: ImvuId, service: ServiceName): Promise<void>;
  /** What creates and reads answer: everything read back from the engines. */
  view(imvu: Imvu): Promise<Json>;
}

export type FabricName = keyof Desired;
/** Networks before what lives in them; names and mail last, because they say that something is there. */
export const FABRIC_ORDER: readonly FabricName[] = ["network", "compute", "domains", "mail"];

/** The steps from what one engine shows to what is desired; `imvu` undefined: nothing of it shall remain. */
export async function stepsTo(fabrics: Fabrics, name: FabricName, id: ImvuId, imvu: Imvu | undefined): Promise<readonly Step[]> {
  const desired = imvu && desiredOf(imvu, fabrics.resolverAddressOf(imvu.number));
  switch (name) {
    case "network":
      return fabrics.network.plan(id, desired?.network, await fabrics.network.observe(id));
    case "compute":
      return fabrics.compute.plan(id, desired?.compute, await fabrics.compute.observe(id));
    case "domains":
      return fabrics.domains.plan(id, desired?.domains, await fabrics.domains.observe(id));
    case "mail":
      return fabrics.mail.plan(id, desired?.mail, await fabrics.mail.observe(id));
  }
}

/** Makes the engines equal to the document: at every start, and after a command that could not be finished. */
export async function converge(fabrics: Fabrics, id: ImvuId, imvu: Imvu | undefined): Promise<number> {
  let count = 0;
  for (const name of imvu ? FABRIC_ORDER : FABRIC_ORDER.toReversed()) {
    for (const step of await stepsTo(fabrics, name, id, imvu)) {
      await step.do();
      count += 1;
    }
  }
  if (!imvu) await fabrics.removeDkimKeys(id);
  return count;
}
