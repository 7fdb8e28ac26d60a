import { Fault, type Fqdn, type Jurisdiction, type Sha256 } from "../kernel/index.ts";

/** Loopback ports of one home; each is free when the home is created and written down. */
export interface Ports {
  readonly api: number;
  readonly gatewayHttp: number;
  readonly gatewayHttps: number;
  readonly dns: number;
  readonly resolver: number;
  readonly smtp: number;
  readonly submission: number;
  readonly submissions: number;
  readonly imap: number;
  readonly imaps: number;
}

/** One platform home as the fabrics see it. Everything an engine owns lives under `dir`. */
export interface Site {
  /** Six lower-case hexadecimal digits; marks every namespace, cgroup and table this home makes: `nx<homeId>…`. */
  readonly homeId: string;
  /** Absolute path of the platform home, traversable (o+x) by the engines' users. */
  readonly dir: string;
  /** Where shared caches (base images) live; may be shared by homes, never deleted by purge. */
  readonly cacheDir: string;
  readonly listenAddress: string;
  readonly ports: Ports;
  /** Zones are `imvuNNN.<suffix>`. */
  readonly suffix: Fqdn;
  /** Address published in A records: where the gateway and the mail servers are reached. */
  readonly publicAddress: string;
  readonly nodeJurisdictions: readonly Jurisdiction[];
  /** First uid of this home's range; IMVU n owns [uidBase + n*65536, +65536). */
  readonly uidBase: number;
  /** Kernel boot id. */
  readonly boot: string;
}

/** Content-addressed private files (deployed content, password hashes), mode 0600 under the home. */
export interface Blobs {
  path(digest: Sha256): string;
}

export function namespaceNameOf(site: Pick<Site, "homeId">, number: number): string {
  return `nx${site.homeId}-${number}`;
}

export function routerNamespaceNameOf(site: Pick<Site, "homeId">): string {
  return `nx${site.homeId}-r`;
}

export function namespacePathOf(name: string): string {
  return `/run/netns/${name}`;
}

/** User ids of one home: its first IMVUs' ranges, one after the other. */
export const IMVUS_PER_HOME_MAX = 999;
const UIDS_PER_IMVU = 65_536;
export const UIDS_PER_HOME = (IMVUS_PER_HOME_MAX + 1) * UIDS_PER_IMVU;

export function imvuUidBase(site: Pick<Site, "uidBase">, number: number): number {
  if (number > IMVUS_PER_HOME_MAX) throw new Fault("UIDS_USED_UP", `one home has user ids for ${IMVUS_PER_HOME_MAX} IMVUs; number ${number} is beyond`, { hint: "start another home" });
  return site.uidBase + number * UIDS_PER_IMVU;
}
