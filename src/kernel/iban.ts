import { accept, type Outcome, refuse } from "./refusal.ts";
import { quoteForPeople } from "./ids.ts";

declare const brand: unique symbol;
/** ISO 13616: electronic form, upper case, without spaces; its country's length, and a remainder of 1 modulo 97. */
export type Iban = string & { readonly [brand]: "Iban" };
/** ISO 9362, 8 or 11 characters. */
export type Bic = string & { readonly [brand]: "Bic" };

/** The registry's lengths, country by country: a wrong length is a wrong account, whatever its check digits say. */
const LENGTHS: ReadonlyMap<string, number> = new Map(
  (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 " +
    "IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 " +
    "SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30"
  )
    .split(" ")
    .map((one): [string, number] => [one.slice(0, 2), Number(one.slice(2))]),
);

/** One spelling alone: what people write with spaces is brought into it first, by `ibanSpelled`. */
export function parseIban(text: unknown): Outcome<Iban> {
  const flaw = typeof text === "string" ? flawOf(text) : "is no text";
  if (flaw === undefined) return accept(text as Iban);
  // An account number is told to nobody but its owner: of a wrong one only its beginning is repeated.
  return refuse("usage", "BAD_IBAN", `iban ${typeof text === "string" ? quoteForPeople(text.slice(0, 4)) : ""}…: ${flaw}`, "copy it from a statement of the account, e.g. DE89 3704 0044 0532 0130 00");
}

function flawOf(text: string): string | undefined {
  if (!/^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/.test(text)) return "must be a country, two check digits and the account in upper case, without spaces";
  const length = LENGTHS.get(text.slice(0, 2));
  if (length === undefined) return "is of a country that has no IBAN";
  if (length !== text.length) return `has ${text.length} characters, and its country's have ${length}`;
  return remainder(text) === 1n ? undefined : "has check digits that do not fit it";
}

/** ISO 7064 MOD 97-10 over the text with its first four characters at the end, letters as 10 to 35. */
function remainder(text: string): bigint {
  const digits = [...`${text.slice(4)}${text.slice(0, 4)}`].map((c) => String(Number.parseInt(c, 36)));
  return BigInt(digits.join("")) % 97n;
}

export function parseBic(text: unknown): Outcome<Bic> {
  if (typeof text === "string" && /^[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?$/.test(text)) return accept(text as Bic);
  return refuse("usage", "BAD_BIC", `bic ${typeof text === "string" ? quoteForPeople(text.slice(0, 20)) : typeof text}: must be 8 or 11 of A-Z and 0-9`, "like COBADEFFXXX, or leave it out");
}

/** As people write it: with spaces, in small letters. */
export function ibanSpelled(text: string): string {
  return text.replace(/[\s\u00a0\u202f]/g, "").toUpperCase();
}
