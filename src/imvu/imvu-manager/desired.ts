import type { ComputeDesired, DomainsDesired, Imvu, MailDesired, NetworkDesired } from "../../contract/index.ts";

/** The four fabrics' orders for one IMVU. Pure: the ledger's projection in, plain data out. */
export interface Desired {
  readonly compute: ComputeDesired;
  readonly domains: DomainsDesired;
  readonly mail: MailDesired;
  readonly network: NetworkDesired;
}

export function desiredOf(imvu: Imvu, resolverAddress: string): Desired {
  const { id, number, zone } = imvu;
  return {
    network: { imvu: id, number, zone, bandwidthBps: imvu.envelope.bandwidthBps, routes: imvu.routes },
    compute: { imvu: id, number, jurisdiction: imvu.jurisdiction, envelope: imvu.envelope, services: imvu.services, resolverAddress, ...(imvu.snapshots ? { snapshots: imvu.snapshots.kept } : {}) },
    domains: { imvu: id, zone, records: imvu.records },
    mail: { imvu: id, number, domain: zone, mailboxes: imvu.mailboxes, dkim: imvu.dkim },
  };
}
