import type { DnsRecordSet, DnsType, Envelope, Route } from "../../contract/index.ts";
import { isWithinZone } from "../../kernel/index.ts";
import { PROCESSES_PER_SERVICE_MIN, SERVICES_PER_IMVU_MAX } from "./limits.ts";

/** What the law says of single parts of a unit, whether a command brings one or a bundle brings all. */

/** Where images may come from: a registry with a public-looking name. This machine's own image store is shared, so a local name could be a neighbour's. */
const REGISTRY = /^(?!localhost[.:/])(?!.*\.(?:local|internal|localhost)[:/])[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z][a-z0-9-]*(?::[0-9]{1,5})?\//;

export function isFromRegistry(ref: string): boolean {
  return REGISTRY.test(ref);
}

/**
 * At the apex the platform serves SOA, NS and DNSSEC; an owner's NS would cut the zone off, and a CNAME may stand beside nothing
 * (RFC 1034 §3.6.2). SOA, DNSKEY and their kin are not in the command's list of types at all.
 */
const APEX_PROTECTED: ReadonlySet<DnsType> = new Set<DnsType>(["NS", "CNAME"]);

export function isApexProtected({ name, type }: Pick<DnsRecordSet, "name" | "type">, zone: string): boolean {
  return name === zone && APEX_PROTECTED.has(type);
}

export function domainOf(address: string): string {
  return address.slice(address.indexOf("@") + 1);
}

export type RouteFlaw = "FOREIGN_HOST" | "NOT_A_HOST" | "SERVICE_UNKNOWN" | "ROLE_MISSING" | "ROLE_UNUSED";

export function routeFlaw(route: Pick<Route, "class" | "host" | "role">, zone: string, hasService: boolean): RouteFlaw | undefined {
  const { host, role } = route;
  if (!isWithinZone(host, zone)) return "FOREIGN_HOST";
  if (host.includes("*") || host.includes("_")) return "NOT_A_HOST";
  if (!hasService) return "SERVICE_UNKNOWN";
  if (route.class === "restricted") return role === null ? "ROLE_MISSING" : undefined;
  return role === null ? undefined : "ROLE_UNUSED";
}

export function servicesMax(envelope: Pick<Envelope, "processes">): number {
  return Math.min(SERVICES_PER_IMVU_MAX, Math.floor(envelope.processes / PROCESSES_PER_SERVICE_MIN));
}
