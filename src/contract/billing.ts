import { z } from "zod";
import { type MailAddress, parseMailAddress } from "../kernel/index.ts";

/** Who an invoice is from and to: what EN 16931 needs of both, checked for its form before it is signed. Nothing here asks a tax office. */

/** ISO 3166-1 alpha-2. */
const COUNTRIES = new Set(
  (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY " +
    "HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW " +
    "SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW"
  ).split(" "),
);

/** What follows the two letters of a VAT id, by member state. Greece writes EL before its own. */
const EU_VAT: Readonly<Record<string, RegExp>> = {
  AT: /^U\d{8}$/, BE: /^[01]\d{9}$/, BG: /^\d{9,10}$/, CY: /^\d{8}[A-Z]$/, CZ: /^\d{8,10}$/, DE: /^\d{9}$/, DK: /^\d{8}$/, EE: /^\d{9}$/, ES: /^[A-Z0-9]\d{7}[A-Z0-9]$/, FI: /^\d{8}$/, FR: /^[A-HJ-NP-Z0-9]{2}\d{9}$/,
  GR: /^\d{9}$/, HR: /^\d{11}$/, HU: /^\d{8}$/, IE: /^(\d[A-Z0-9+*]\d{5}[A-Z]|\d{7}[A-Z]{2})$/, IT: /^\d{11}$/, LT: /^(\d{9}|\d{12})$/, LU: /^\d{8}$/, LV: /^\d{11}$/, MT: /^\d{8}$/, NL: /^[A-Z0-9+*]{10}\d{2}$/, PL: /^\d{10}$/, PT: /^\d{9}$/,
  RO: /^\d{2,10}$/, SE: /^\d{12}$/, SI: /^\d{8}$/, SK: /^\d{10}$/,
};

/** Elsewhere: the country's letters and what its office gave. */
const OTHER_VAT = /^[A-Z0-9]{2,13}$/;

export function isInEu(country: string): boolean {
  return Object.hasOwn(EU_VAT, country);
}

/** Why it cannot be a VAT id of that country; undefined: it has the form of one. */
export function flawOfVatId(vatId: string, country: string): string | undefined {
  const letters = country === "GR" ? "EL" : country;
  if (!vatId.startsWith(letters)) return `must begin with ${letters}, as the address is there`;
  return (EU_VAT[country] ?? OTHER_VAT).test(vatId.slice(2)) ? undefined : `has not the form of a VAT id of ${country}`;
}

/** XML 1.0 cannot hold control characters; marks that are not seen, or turn the line round, have no place on paper. */
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufdd0-\ufdef\ufeff\ufff0-\uffff]/;

function zLine(max: number) {
  return z
    .string()
    .min(1, "must not be empty")
    .max(max, `at most ${max} characters`)
    .refine((text) => text.isWellFormed() && !UNSEEN.test(text), "must be one line of letters that can be seen")
    .refine((text) => text === text.trim(), "must neither begin nor end with a space");
}

const zCountry = z.string().refine((country) => COUNTRIES.has(country), "must be a country of ISO 3166-1, like DE");
const zEmail = z.string().transform((text, context): MailAddress => {
  const parsed = parseMailAddress(text);
  if (parsed.ok) return parsed.value;
  context.addIssue({ code: "custom", message: `${parsed.message} – ${parsed.hint}` });
  return z.NEVER;
});

const PARTY = { name: zLine(120), street: zLine(120), postalCode: zLine(16), city: zLine(80), country: zCountry, vatId: z.string().max(15).optional(), email: zEmail };

function vatIdFits({ vatId, country }: { vatId?: string | undefined; country: string }, context: z.RefinementCtx): void {
  // A country that is none is named for itself.
  const flaw = vatId === undefined || !COUNTRIES.has(country) ? undefined : flawOfVatId(vatId, country);
  if (flaw !== undefined) context.addIssue({ code: "custom", path: ["vatId"], message: flaw });
}

/** Of a unit's owner. */
export const zBuyer = z.strictObject({ ...PARTY, /** What the buyer wants to find on it (BT-10). */ reference: zLine(60).optional() }).superRefine(vatIdFits);
export type Buyer = z.output<typeof zBuyer>;

/** Hundredths of a percent. The published rules of EN 16931 round the rate before they ask whether there is VAT (BR-CO-17): one that rounds to nothing fails there. */
const RATE_MIN = 50n;

/** How the seller is taxed: by a rate in percent, two decimals always; or not, and why. */
const zScheme = z.discriminatedUnion("scheme", [
  z.strictObject({ scheme: z.literal("standard"), rate: z.string().regex(/^(0|[1-9]\d?)\.\d{2}$/, "must be percent with two decimals, like 19.00").refine((rate) => !/^\d+\.\d{2}$/.test(rate) || BigInt(rate.replace(".", "")) >= RATE_MIN, "must be at least 0.50; who charges none is exempt") }),
  z.strictObject({ scheme: z.literal("exempt"), reason: zLine(200) }),
]);

/** Of the platform. */
export const zSeller = z
  .strictObject({ ...PARTY, taxNumber: zLine(30).optional(), vat: zScheme, /** Before the year, in each invoice's number. */ prefix: z.string().regex(/^[A-Z0-9](?:[A-Z0-9-]{0,10}[A-Z0-9])?$/, "1 to 12 of A-Z, 0-9 and inner hyphens, like NX") })
  .superRefine((seller, context) => {
    vatIdFits(seller, context);
    if (seller.vat.scheme === "standard" && seller.vatId === undefined) context.addIssue({ code: "custom", path: ["vatId"], message: "who charges VAT has a VAT id" });
    else if (seller.vatId === undefined && seller.taxNumber === undefined) context.addIssue({ code: "custom", path: ["taxNumber"], message: "an invoice names the seller's VAT id or tax number" });
  });
export type Seller = z.output<typeof zSeller>;
