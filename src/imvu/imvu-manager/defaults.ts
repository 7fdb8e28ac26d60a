import type { DkimKey, DnsRecordSet, Mailbox, Route, Service } from "../../contract/index.ts";
import type { Fqdn, MailAddress, ServiceName, Sha256 } from "../../kernel/index.ts";

/** What a new IMVU begins with. From then on everything here is the owner's to change. */

export const FIRST_SERVICE = "web" as ServiceName;
export const FIRST_SERVICE_PORT = 8080;
export const FIRST_MAILBOX_LOCAL = "hello";
export const MAILBOX_QUOTA_BYTES_DEFAULT = 64 * 1024 ** 2;
const RECORD_TTL_SECONDS = 300;

export function zoneOf(number: number, suffix: Fqdn): Fqdn {
  return `imvu${String(number).padStart(3, "0")}.${suffix}` as Fqdn;
}

function under(label: string, zone: Fqdn): Fqdn {
  return `${label}.${zone}` as Fqdn;
}

/** Web hosts of a new zone: the apex, www, stage and the name's slug. */
export function firstHosts(zone: Fqdn, slug: string): readonly Fqdn[] {
  return [zone, under("www", zone), under("stage", zone), under(slug, zone)];
}

export function firstRecords(zone: Fqdn, slug: string, publicAddress: string): readonly DnsRecordSet[] {
  const type = publicAddress.includes(":") ? "AAAA" : "A";
  const address = (name: Fqdn): DnsRecordSet => ({ name, type, ttl: RECORD_TTL_SECONDS, values: [publicAddress] });
  const text = (name: Fqdn, value: string): DnsRecordSet => ({ name, type: "TXT", ttl: RECORD_TTL_SECONDS, values: [value] });
  return [
    ...firstHosts(zone, slug).map(address),
    address(under("mail", zone)),
    { name: zone, type: "MX", ttl: RECORD_TTL_SECONDS, values: [`10 mail.${zone}.`] },
    text(zone, "v=spf1 mx -all"),
    text(under("_dmarc", zone), "v=DMARC1; p=reject; adkim=s; aspf=s"),
  ];
}

export function dkimRecords(zone: Fqdn, keys: readonly DkimKey[]): readonly DnsRecordSet[] {
  return keys.map((key) => ({ name: under(`${key.selector}._domainkey`, zone), type: "TXT", ttl: RECORD_TTL_SECONDS, values: [key.txt] }));
}

export function firstService(runtime: "static" | "node" | "python", content: Sha256): Service {
  return { name: FIRST_SERVICE, source: { kind: "runtime", runtime, content }, port: FIRST_SERVICE_PORT, env: {} };
}

export function firstRoutes(zone: Fqdn, slug: string): readonly Route[] {
  return firstHosts(zone, slug).map((host) => ({
    class: "public",
    host,
    path: "/",
    service: FIRST_SERVICE,
    port: FIRST_SERVICE_PORT,
    role: null,
    ratePerMinute: null,
  }));
}

export function firstMailbox(zone: Fqdn, passwordHash: Sha256): Mailbox {
  return { address: `${FIRST_MAILBOX_LOCAL}@${zone}` as MailAddress, passwordHash, quotaBytes: MAILBOX_QUOTA_BYTES_DEFAULT };
}
