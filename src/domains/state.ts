import type { Row } from "./dns-authority/control-client.ts";

/** What the DNS server shows of one IMVU: plain data, read from it. */
// A type alias, not an interface: assignable to Json.
export type DomainsState = {
  readonly zones: readonly ZoneState[];
};

export type ZoneState = {
  readonly zone: string;
  /** `owner ttl type value` of everything but SOA, apex NS and DNSSEC, sorted. */
  readonly lines: readonly string[];
  readonly serial: string;
  readonly ds: readonly string[];
  /** The parent delegates to it with exactly these DS records. */
  readonly delegated: boolean;
};

const DNSSEC_TYPES: ReadonlySet<string> = new Set(["RRSIG", "NSEC", "NSEC3", "NSEC3PARAM", "DNSKEY", "CDS", "CDNSKEY"]);

/** The owner's own records among what a zone serves. */
export function ownLines(zone: string, rows: readonly Row[]): readonly string[] {
  return rows
    .filter((row) => {
      const owner = withoutDot(row.owner ?? "");
      return !DNSSEC_TYPES.has(row.type ?? "") && row.type !== "SOA" && !(row.type === "NS" && owner === zone);
    })
    .map((row) => `${withoutDot(row.owner ?? "")} ${row.ttl} ${row.type} ${row.data}`)
    .sort();
}

export function serialOf(rows: readonly Row[]): string {
  return rows.find((row) => row.type === "SOA")?.data?.split(" ")[2] ?? "";
}

/** DS records as the server itself proposes them to the parent (CDS, RFC 7344). */
export function dsOf(rows: readonly Row[]): readonly string[] {
  return rows.filter((row) => row.type === "CDS").map((row) => row.data ?? "").sort();
}

export function withoutDot(name: string): string {
  return name.endsWith(".") ? name.slice(0, -1).toLowerCase() : name.toLowerCase();
}
