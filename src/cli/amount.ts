import { type Currency, minorDecimals } from "../kernel/index.ts";
import { usageFailure } from "./failure.ts";

/** The currency's decimals are written out; a further one is none that anybody could pay. */
export function amountOf(text: string, currency: Currency, hint: string): string {
  const decimals = minorDecimals(currency);
  const [, major = "", minor = ""] = /^(0|[1-9]\d{0,11})(?:\.(\d{1,4}))?$/.exec(text) ?? [];
  if (major === "" || minor.length > decimals) throw usageFailure(`--amount: ${JSON.stringify(text.slice(0, 40))} is not an amount with at most ${decimals} decimals, as ${currency} has`, hint);
  return decimals === 0 ? major : `${major}.${minor.padEnd(decimals, "0")}`;
}
