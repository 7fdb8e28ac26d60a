import { type Buyer, isInEu, type Seller } from "../../contract/index.ts";
import { decimalText, Fault, MONEY_DECIMALS, type Money, parseDecimal } from "../../kernel/index.ts";

/** Of UNTDID 5305: standard rate, exempt, reverse charge, outside the scope of VAT. */
export type VatCategory = "S" | "E" | "AE" | "O";

export interface Vat {
  readonly category: VatCategory;
  /** Percent with two decimals; null where VAT is not spoken of at all. */
  readonly rate: string | null;
  /** Of the VATEX list, and in words: why none is charged. */
  readonly code: string | null;
  readonly reason: string | null;
}

/**
 * A hoster's share is a service: between businesses of two member states the recipient owes its VAT, outside the Union it is not subject to VAT, and else the
 * seller's own rate holds. A seller who is exempt charges none anywhere.
 */
export function vatOf(seller: Pick<Seller, "country" | "vat">, buyer: Pick<Buyer, "country" | "vatId">): Vat {
  if (seller.vat.scheme === "exempt") return { category: "E", rate: "0.00", code: null, reason: seller.vat.reason };
  const standard: Vat = { category: "S", rate: seller.vat.rate, code: null, reason: null };
  if (buyer.country === seller.country) return standard;
  if (!isInEu(buyer.country) || !isInEu(seller.country)) return { category: "O", rate: null, code: "VATEX-EU-O", reason: "Not subject to VAT: the service is supplied where the recipient is established" };
  return buyer.vatId === undefined ? standard : { category: "AE", rate: "0.00", code: "VATEX-EU-AE", reason: "Reverse charge: VAT is owed by the recipient" };
}

/** As EN 16931 names them; decimal text in the currency's smallest unit, never negative but for `rounding`. */
export interface Amounts {
  /** BT-109 */
  readonly net: string;
  /** BT-110 */
  readonly vat: string;
  /** BT-112: net and VAT. */
  readonly total: string;
  /** BT-114: what the share is more than that. There are shares that no net amount in whole cents comes to. */
  readonly rounding: string;
  /** BT-113: the share, as it was kept. */
  readonly paid: string;
  /** BT-115 */
  readonly due: string;
}

const RATE_DECIMALS = 2;
const WHOLE_RATE = 10_000n;

/** The share in smallest units, rounded once, down: in the creator's favour, for losses too. */
export function wholeShare(platform: Money, digits: number): bigint {
  const unit = 10n ** BigInt(MONEY_DECIMALS - digits);
  const quotient = platform / unit;
  return platform < 0n && quotient * unit !== platform ? quotient - 1n : quotient;
}

/** @param share more than nothing, in smallest units: VAT is contained in it */
export function amountsOf(share: bigint, { rate }: Pick<Vat, "rate">, digits: number): Amounts {
  const percent = rate === null ? 0n : parseDecimal(rate, RATE_DECIMALS);
  if (percent === undefined || share <= 0n) throw new Fault("INVOICE_MALFORMED", `VAT of ${rate} percent contained in ${share}`);
  const net = halfUp(share * WHOLE_RATE, WHOLE_RATE + percent);
  const vat = halfUp(net * percent, WHOLE_RATE);
  const text = (amount: bigint) => decimalText(amount, digits);
  return { net: text(net), vat: text(vat), total: text(net + vat), rounding: text(share - net - vat), paid: text(share), due: text(0n) };
}

/** Of nothing negative. */
function halfUp(dividend: bigint, divisor: bigint): bigint {
  return (2n * dividend + divisor) / (2n * divisor);
}
