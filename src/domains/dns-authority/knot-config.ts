import type { Site } from "../../contract/index.ts";
import type { Fqdn } from "../../kernel/index.ts";
import type { DomainsLayout } from "../layout.ts";

/** Answers per second to one address for one kind of answer, before every second one is truncated (RRL). */
const RATE_LIMIT_PER_SECOND = 2_000;
const TCP_IDLE_TIMEOUT_S = 10;

/** A string in Knot's YAML subset; paths of ours hold no quotes, and this makes sure of it. */
function quoted(text: string): string {
  if (/["\\\p{Cc}]/u.test(text)) throw new TypeError(`not a path for a configuration: ${JSON.stringify(text)}`);
  return `"${text}"`;
}

/**
 * Knot's base configuration. Zones of IMVUs are added by the control socket; here only those that were there before. Zones are members of a catalog from
 * the first day, signed as they change, and kept in the journal alone. There is no acl: transfers and dynamic updates are refused.
 */
export function knotConfig(site: Pick<Site, "listenAddress" | "ports" | "suffix">, layout: DomainsLayout, zones: readonly Fqdn[] = []): string {
  return `server:
  rundir: ${quoted(layout.knotRun)}
  user: knot:knot
  listen: ${quoted(`${site.listenAddress}@${site.ports.dns}`)}
  version: ""
  identity: ""
  tcp-idle-timeout: ${TCP_IDLE_TIMEOUT_S}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
control:
  listen: ${quoted(layout.controlSocket)}
database:
  storage: ${quoted(layout.storage)}
  journal-db-max-size: 4G
log:
  - target: stderr
    any: warning
mod-stats:
  - id: meter
    response-code: on
    server-operation: off
    request-protocol: off
    request-bytes: off
    response-bytes: off
    flag-presence: off
mod-rrl:
  - id: limit
    rate-limit: ${RATE_LIMIT_PER_SECOND}
    slip: 2
policy:
  - id: single
    algorithm: ecdsap256sha256
    single-type-signing: on
    nsec3: on
    nsec3-iterations: 0
    nsec3-salt-length: 0
    ksk-lifetime: 0
    zsk-lifetime: 0
    cds-cdnskey-publish: always
template:
  - id: default
    storage: ${quoted(layout.storage)}
    zonefile-sync: -1
    zonefile-load: none
    journal-content: all
    semantic-checks: on
    dnssec-signing: on
    dnssec-policy: single
    module: [mod-stats/meter, mod-rrl/limit]
    catalog-role: member
    catalog-zone: cat.platform.
  - id: catalog
    storage: ${quoted(layout.storage)}
    zonefile-sync: -1
    zonefile-load: none
    journal-content: all
    catalog-role: generate
  - id: suffix
    storage: ${quoted(layout.storage)}
    zonefile-sync: -1
    zonefile-load: none
    journal-content: all
    semantic-checks: on
    dnssec-signing: on
    dnssec-policy: single
    module: [mod-rrl/limit]
zone:
  - domain: cat.platform.
    template: catalog
  - domain: ${quoted(`${site.suffix}.`)}
    template: suffix
${zones.map((zone) => `  - domain: ${quoted(`${zone}.`)}\n`).join("")}`;
}
