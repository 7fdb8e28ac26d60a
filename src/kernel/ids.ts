import { accept, type Outcome, refuse } from "./refusal.ts";

declare const brand: unique symbol;
type Branded<T extends string> = string & { readonly [brand]: T };

/** `IMVU-001`: the platform's number, at least three digits. */
export type ImvuId = Branded<"ImvuId">;
/** `creator-8891`: an identity's name on one platform. */
export type IdentityName = Branded<"IdentityName">;
/** RFC 7638 thumbprint (base64url SHA-256) of an Ed25519 JWK. */
export type KeyId = Branded<"KeyId">;
/** A DNS name: lower case, without the trailing dot, LDH labels (and leading underscores). */
export type Fqdn = Branded<"Fqdn">;
/** One LDH label that names a service inside an IMVU. */
export type ServiceName = Branded<"ServiceName">;
/** `local@domain`, lower case. */
export type MailAddress = Branded<"MailAddress">;
/** `EU-GDPR`: a jurisdiction tag. */
export type Jurisdiction = Branded<"Jurisdiction">;

export const IMVU_NUMBER_MAX = 16_000;
export const DISPLAY_NAME_CHARS_MAX = 40;
export const FQDN_CHARS_MAX = 253;
export const MAIL_LOCAL_CHARS_MAX = 64;

/** Shows a hostile string safely: escaped, and never longer than a line. */
export function quoteForPeople(text: string): string {
  const shown = text.length > 60 ? `${text.slice(0, 57)}...` : text;
  return JSON.stringify(shown).replace(/[^\x20-\x7e]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function parser<T extends string>(
  field: string,
  rule: string,
  test: (text: string) => boolean,
  example: string,
): (text: unknown) => Outcome<Branded<T>> {
  return (text) => {
    if (typeof text === "string" && test(text)) return accept(text as Branded<T>);
    const seen = typeof text === "string" ? quoteForPeople(text) : typeof text;
    return refuse("usage", "BAD_NAME", `${field} ${seen}: ${rule}`, `use something like ${example}`);
  };
}

const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const RECORD_LABEL = /^(\*|_?[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)$/;
const RESERVED_IDENTITIES = new Set(["platform", "operator", "root", "admin", "nexus", "all"]);

export const parseImvuId = parser<"ImvuId">(
  "imvu",
  "is not an IMVU id (IMVU- and three to five digits)",
  (t) => /^IMVU-(\d{3}|[1-9]\d{3,4})$/.test(t) && t !== "IMVU-000" && Number(t.slice(5)) <= IMVU_NUMBER_MAX,
  "IMVU-001",
);
export const parseIdentityName = parser<"IdentityName">(
  "identity name",
  "must be 3 to 40 of a-z, 0-9 and inner hyphens, begin with a letter, and not be a reserved word",
  (t) => /^[a-z][a-z0-9-]{1,38}[a-z0-9]$/.test(t) && !t.includes("--") && !RESERVED_IDENTITIES.has(t),
  "creator-8891",
);
export const parseKeyId = parser<"KeyId">(
  "key id",
  "is not an RFC 7638 thumbprint",
  (t) => /^[A-Za-z0-9_-]{43}$/.test(t),
  "the kid printed by 'nexus identity show'",
);
export const parseServiceName = parser<"ServiceName">(
  "service",
  "must be 1 to 30 of a-z, 0-9 and inner hyphens",
  (t) => t.length <= 30 && LABEL.test(t) && !t.startsWith("xn--"),
  "web",
);
export const parseJurisdiction = parser<"Jurisdiction">(
  "jurisdiction",
  "must be a two-letter region, a hyphen and a regime, in capitals",
  (t) => /^[A-Z]{2}-[A-Z0-9]{2,12}$/.test(t),
  "EU-GDPR",
);
export const parseFqdn = parser<"Fqdn">(
  "domain name",
  "must be lower-case DNS labels of a-z, 0-9 and inner hyphens, at most 253 characters, without a trailing dot",
  (t) => t.length <= FQDN_CHARS_MAX && t.split(".").every((label) => RECORD_LABEL.test(label)),
  "www.imvu001.world",
);
export const parseMailAddress = parser<"MailAddress">(
  "mail address",
  "must be local@domain: up to 64 of a-z, 0-9, dot, hyphen, underscore or plus, then a domain name",
  (t) => {
    const at = t.indexOf("@");
    const local = t.slice(0, at);
    return (
      at > 0 &&
      local.length <= MAIL_LOCAL_CHARS_MAX &&
      /^[a-z0-9]([a-z0-9._+-]*[a-z0-9])?$/.test(local) &&
      !local.includes("..") &&
      parseFqdn(t.slice(at + 1)).ok &&
      t.indexOf(".", at) > at
    );
  },
  "hello@imvu001.world",
);

/** A name for people (`ArtGallery`): ASCII letters, digits, spaces, hyphens; its slug is the DNS label. */
export const parseDisplayName = parser<"DisplayName">(
  "name",
  `must be 2 to ${DISPLAY_NAME_CHARS_MAX} ASCII letters, digits, single spaces or hyphens, begin with a letter, and not be a reserved label`,
  (t) =>
    t.length >= 2 &&
    t.length <= DISPLAY_NAME_CHARS_MAX &&
    /^[A-Za-z][A-Za-z0-9]*([ -][A-Za-z0-9]+)*$/.test(t) &&
    !RESERVED_LABELS.has(slugOf(t)) &&
    !slugOf(t).startsWith("xn--"),
  "ArtGallery",
);
export type DisplayName = Branded<"DisplayName">;

/** Labels an IMVU's zone uses itself, or that mislead. */
export const RESERVED_LABELS: ReadonlySet<string> = new Set([
  "www",
  "stage",
  "mail",
  "ns",
  "ns1",
  "ns2",
  "mx",
  "smtp",
  "imap",
  "localhost",
  "wpad",
  "isatap",
  "autoconfig",
  "autodiscover",
  "admin",
  "root",
  "postmaster",
  "abuse",
  "hostmaster",
  "webmaster",
  "platform",
  "nexus",
  "example",
  "invalid",
  "test",
  "local",
  "arpa",
]);

export function slugOf(displayName: string): string {
  return displayName.toLowerCase().replaceAll(" ", "-");
}

export function imvuIdOf(number: number): ImvuId {
  return `IMVU-${String(number).padStart(3, "0")}` as ImvuId;
}

export function imvuNumberOf(id: ImvuId): number {
  return Number(id.slice(5));
}

/** True when `name` is `zone` or lies under it. */
export function isWithinZone(name: string, zone: string): boolean {
  return name === zone || name.endsWith(`.${zone}`);
}
