import type { Fqdn, ImvuId, Jurisdiction } from "../kernel/index.ts";
import type { DkimKey, DnsRecordSet, Envelope, Mailbox, Route, Service } from "./imvu.ts";
import type { Snapshot } from "./snapshot.ts";

/** What each fabric shall make true for one IMVU: plain data, rendered by imvu/ from the projection. */
export interface ComputeDesired {
  readonly imvu: ImvuId;
  readonly number: number;
  /** Stands on every container and volume, so that the engine itself tells where it may lie. */
  readonly jurisdiction: Jurisdiction;
  readonly envelope: Envelope;
  readonly services: readonly Service[];
  /** Address of the IMVU's resolver inside its namespace, for resolv.conf. */
  readonly resolverAddress: string;
  /** What an export lists. No step follows from it: a capture that is gone cannot be made again, and none is taken away but by a command. */
  readonly snapshots?: readonly Snapshot[];
}

export interface DomainsDesired {
  readonly imvu: ImvuId;
  readonly zone: Fqdn;
  /** Complete content of the zone but for SOA, apex NS and DNSSEC. */
  readonly records: readonly DnsRecordSet[];
}

export interface MailDesired {
  readonly imvu: ImvuId;
  readonly number: number;
  readonly domain: Fqdn;
  readonly mailboxes: readonly Mailbox[];
  readonly dkim: readonly DkimKey[];
}

export interface NetworkDesired {
  readonly imvu: ImvuId;
  readonly number: number;
  readonly zone: Fqdn;
  readonly bandwidthBps: number;
  readonly routes: readonly Route[];
}
