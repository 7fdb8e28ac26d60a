import { isIPv4, isIPv6 } from "node:net";
import type { DnsRecordSet, DnsType } from "../../contract/index.ts";
import { accept, type Fqdn, isWithinZone, type Outcome, quoteForPeople, refuse } from "../../kernel/index.ts";

const TXT_BYTES_MAX = 2_048;
const HOST = /^(?=.{1,254}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?)(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?)*\.$/;

type Checked = { readonly value: string } | { readonly wrong: string };

/**
 * Judges one record set of a zone: the name lies in it, the apex's own records (SOA, NS, DNSSEC) stay the platform's, and each value has
 * exactly the form of its type, so that nothing a person typed is read by the DNS server as anything else. Values come back normalised.
 */
export function validateRecord(zone: Fqdn, set: DnsRecordSet): Outcome<DnsRecordSet> {
  const no = (field: string, why: string, hint: string) => refuse("usage", "BAD_RECORD", `${field}: ${why}`, hint);
  if (!isWithinZone(set.name, zone)) return no("name", `${set.name} lies outside the zone ${zone}`, `use a name under ${zone}`);
  if (set.name === zone && set.type === "NS") return no("type", "the NS records of the zone itself are the platform's to serve", "delegate a name below it instead");
  if (set.name === zone && set.type === "CNAME") return no("type", "a CNAME cannot stand at the zone itself (RFC 1034 §3.6.2)", "use A or AAAA");
  if (set.type === "CNAME" && set.values.length !== 1) return no("values", `a CNAME has exactly one value, not ${set.values.length}`, "give one --value");
  const values: string[] = [];
  for (const given of set.values) {
    const checked = FORMS[set.type](given.trim());
    if ("wrong" in checked) return no("values", `${quoteForPeople(given)} ${checked.wrong}`, `a ${set.type} value looks like ${EXAMPLES[set.type]}`);
    if (values.includes(checked.value)) return no("values", `${quoteForPeople(given)} is there twice`, "give each value once");
    values.push(checked.value);
  }
  return accept({ ...set, values });
}

const EXAMPLES: Record<DnsType, string> = {
  A: "203.0.113.7",
  AAAA: "2001:db8::7",
  CNAME: "www.example.org.",
  MX: "10 mail.example.org.",
  TXT: "any text",
  CAA: '0 issue "ca.example.org"',
  SRV: "10 5 5060 sip.example.org.",
  NS: "ns1.example.org.",
  SSHFP: "4 2 and 64 hexadecimal digits",
  TLSA: "3 1 1 and 64 hexadecimal digits",
};

const FORMS: Record<DnsType, (value: string) => Checked> = {
  A: (value) => (isIPv4(value) ? { value } : { wrong: "is not an IPv4 address" }),
  AAAA: (value) => (isIPv6(value) && !value.includes("%") ? { value: new URL(`http://[${value}]/`).hostname.slice(1, -1) } : { wrong: "is not an IPv6 address" }),
  CNAME: host,
  NS: host,
  MX: (value) => numbersThenHost(value, [65_535]),
  SRV: (value) => numbersThenHost(value, [65_535, 65_535, 65_535]),
  TXT: (value) => {
    if (/[\p{Cc}\p{Cf}]/u.test(value)) return { wrong: "holds control or direction characters" };
    return Buffer.byteLength(value) <= TXT_BYTES_MAX ? { value } : { wrong: `is longer than ${TXT_BYTES_MAX} bytes` };
  },
  CAA: (value) => {
    const match = /^(\d{1,3}) (issue|issuewild|iodef) "([\x21\x23-\x5b\x5d-\x7e ]{0,200})"$/.exec(value);
    return match && Number(match[1]) <= 255 ? { value } : { wrong: 'is not FLAGS issue|issuewild|iodef "VALUE"' };
  },
  SSHFP: (value) => digest(value, /^([1-4]|6) ([12]) ([0-9a-f]{40}|[0-9a-f]{64})$/i),
  TLSA: (value) => digest(value, /^([0-3]) ([01]) ([0-2]) ([0-9a-f]{2,1024})$/i),
};

function host(value: string): Checked {
  const lower = value.toLowerCase();
  const whole = lower.endsWith(".") ? lower : `${lower}.`;
  return HOST.test(whole) ? { value: whole } : { wrong: "is not a host name" };
}

function numbersThenHost(value: string, limits: readonly number[]): Checked {
  const parts = value.split(/ +/);
  const numbers = parts.slice(0, -1);
  const good = numbers.length === limits.length && numbers.every((number, at) => /^\d{1,5}$/.test(number) && Number(number) <= (limits[at] ?? 0));
  if (!good) return { wrong: `is not ${limits.length} ${limits.length === 1 ? "number" : "numbers"} and a host name` };
  const target = parts.at(-1) === "." ? { value: "." } : host(parts.at(-1) ?? "");
  return "wrong" in target ? target : { value: [...numbers.map((number) => String(Number(number))), target.value].join(" ") };
}

function digest(value: string, form: RegExp): Checked {
  const lower = value.toLowerCase();
  return form.test(lower) ? { value: lower.toUpperCase() } : { wrong: "is not numbers and a hexadecimal digest of the right length" };
}
