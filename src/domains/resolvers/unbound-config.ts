import type { Site } from "../../contract/index.ts";
import type { DomainsLayout } from "../layout.ts";

const NEGATIVE_TTL_SECONDS_MAX = 5;

/** Unbound: validates the platform's own zones through a stub and one trust anchor; answers loopback only. */
export function unboundConfig(site: Pick<Site, "listenAddress" | "ports" | "suffix">, layout: DomainsLayout): string {
  return `server:
  verbosity: 0
  use-syslog: no
  logfile: ""
  do-daemonize: no
  username: "unbound"
  chroot: ""
  directory: "${layout.unboundFolder}"
  pidfile: ""
  num-threads: 1
  interface: ${site.listenAddress}@${site.ports.resolver}
  access-control: 0.0.0.0/0 refuse
  access-control: ::0/0 refuse
  access-control: 127.0.0.0/8 allow
  do-not-query-localhost: no
  hide-identity: yes
  hide-version: yes
  qname-minimisation: no
  aggressive-nsec: no
  cache-max-negative-ttl: ${NEGATIVE_TTL_SECONDS_MAX}
  msg-cache-size: 4m
  rrset-cache-size: 8m
  key-cache-size: 1m
  neg-cache-size: 1m
  so-reuseport: no
  module-config: "validator iterator"
  trust-anchor-file: "${layout.trustAnchor}"
  local-zone: "${site.suffix}." nodefault
remote-control:
  control-enable: yes
  control-interface: "${layout.unboundControl}"
  control-use-cert: no
stub-zone:
  name: "${site.suffix}."
  stub-addr: ${site.listenAddress}@${site.ports.dns}
`;
}
