import { quoteForPeople } from "./ids.ts";
import { accept, type Outcome, refuse } from "./refusal.ts";

declare const brand: unique symbol;
export const EUR = "EUR";
/** An ISO 4217 code. */
export type Currency = typeof EUR | (string & { readonly [brand]: "Currency" });

/**
 * ISO 4217, List One (SIX, published 2024-06-25), by decimals of the minor unit, funds codes included; with what was amended since: XCG came for ANG
 * (2025-03-31), BGN went (2026-01-01), and CUC, which is no money any more, is left out. Codes without a minor unit (metals, XDR, XTS, XXX …) are
 * nothing that anybody is paid in. A code that ISO withdraws after somebody may have agreed to it stays, so that what was signed can be read.
 */
const CODES: Readonly<Record<0 | 2 | 3 | 4, string>> = {
  0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
  2:
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR " +
    "FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV " +
    "MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH " +
    "USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG",
  3: "BHD IQD JOD KWD LYD OMR TND",
  4: "CLF UYW",
};

const DECIMALS: ReadonlyMap<string, number> = new Map(([0, 2, 3, 4] as const).flatMap((decimals) => CODES[decimals].split(" ").map((code) => [code, decimals])));

export function parseCurrency(text: unknown): Outcome<Currency> {
  if (typeof text === "string" && DECIMALS.has(text)) return accept(text as Currency);
  const seen = typeof text === "string" ? quoteForPeople(text) : typeof text;
  return refuse("usage", "BAD_CURRENCY", `currency ${seen}: is no ISO 4217 code of a currency that has a minor unit`, "use three capital letters like EUR");
}

/** Decimals of the smallest amount that can be paid: 2 for cents, 0 where there are none. */
export function minorDecimals(currency: Currency): number {
  return DECIMALS.get(currency) as number;
}

export function currencies(): readonly Currency[] {
  return [...DECIMALS.keys()] as Currency[];
}
