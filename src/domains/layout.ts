import { join } from "node:path";
import type { Site } from "../contract/index.ts";
import type { Fqdn } from "../kernel/index.ts";

/** Where the domains room keeps things in a home. */
export interface DomainsLayout {
  readonly knotFolder: string;
  readonly confdb: string;
  readonly confStamp: string;
  readonly knotRun: string;
  readonly controlSocket: string;
  readonly storage: string;
  readonly unboundFolder: string;
  readonly unboundConf: string;
  readonly unboundControl: string;
  readonly trustAnchor: string;
}

export function layoutOf(site: Pick<Site, "dir">): DomainsLayout {
  const knotFolder = join(site.dir, "domains", "knot");
  const unboundFolder = join(site.dir, "domains", "unbound");
  return {
    knotFolder,
    confdb: join(knotFolder, "confdb"),
    confStamp: join(knotFolder, "conf.sha256"),
    knotRun: join(knotFolder, "run"),
    controlSocket: join(knotFolder, "run", "k.sock"),
    storage: join(knotFolder, "db"),
    unboundFolder,
    unboundConf: join(unboundFolder, "unbound.conf"),
    unboundControl: join(unboundFolder, "c.sock"),
    trustAnchor: join(unboundFolder, "anchor.ds"),
  };
}

/** The name of the server that serves every zone; its address is the platform's public one. */
export function nameserverOf(suffix: Fqdn): Fqdn {
  return `ns.${suffix}` as Fqdn;
}
