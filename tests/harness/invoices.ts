import { type Buyer, RESOURCES, type Resource, type Seller } from "../../src/contract/index.ts";
import { type Correction, DEFAULT_PRICES_V1, type Invoice, invoiceOf, type Preceding, split, type Statement, usageLines } from "../../src/core/handshake/index.ts";
import { decimalText, imvuIdOf, MONEY_DECIMALS, type MailAddress, money } from "../../src/kernel/index.ts";

export const SELLER: Seller = { name: "Nexus Hosting GmbH", street: "Torstraße 1", postalCode: "10119", city: "Berlin", country: "DE", vatId: "DE123456789", taxNumber: "30/123/45678", email: "billing@nexus.example" as MailAddress, vat: { scheme: "standard", rate: "19.00" }, prefix: "NX" };
export const BUYER: Buyer = { name: "Galerie Łódź & Söhne <Kunst>", street: "Rue d'Art 1", postalCode: "75001", city: "Paris", country: "FR", vatId: "FR12345678901", email: "books@art.example" as MailAddress, reference: "PO 4711" };
export const EXEMPT: Seller = { ...SELLER, vat: { scheme: "exempt", reason: "Kein Ausweis von Umsatzsteuer nach § 19 UStG" } };
export const ORIGIN = "nexus.example/log";
const IMVU = imvuIdOf(42);

/** One buyer for each category there is. */
export const BUYERS = {
  S: { ...BUYER, country: "DE", vatId: "DE987654321", postalCode: "50667", city: "Köln" },
  "S without an id": { ...BUYER, vatId: undefined },
  AE: BUYER,
  O: { ...BUYER, country: "CH", vatId: "CHE123456789MWST", postalCode: "8001", city: "Zürich" },
} as const;

/** A month with some usage, in which `sold` was sold, in cents. */
export function monthOf(sold: bigint, back = 0n): Statement {
  const quantities = Object.fromEntries((Object.keys(RESOURCES) as Resource[]).map((resource, at) => [resource, resource === "mail.sent" ? 0n : BigInt(at + 1) * 1_234_567_890_123n])) as Record<Resource, bigint>;
  const { lines, usage } = usageLines(quantities, { prices: DEFAULT_PRICES_V1 });
  const cents = 10n ** 19n;
  const text = (amount: bigint) => decimalText(amount, MONEY_DECIMALS);
  const gross = money(usage + (sold - back) * cents);
  const { creator, platform } = split(gross);
  return {
    v: 3, imvu: IMVU, period: "2026-11", currency: "EUR", tariffIndex: 2, lines, usage: text(usage), revenue: { recorded: text(sold * cents), reversed: text(back * cents), sales: 1, reversals: back === 0n ? 0 : 1 },
    gross: text(gross), creator: text(creator), platform: text(platform), payout: { creator: "0.00", difference: "0" }, readings: { first: 1, last: 2, count: 2 }, flags: [], flagged: 0, streamHead: null, closed: true,
  };
}

/** What is added to a month of `before`, in 10^-21. */
export function correctionOf(before: bigint, added: bigint): Correction {
  const text = (amount: bigint) => decimalText(amount, MONEY_DECIMALS);
  const [old, now] = [split(money(before)), split(money(before + added))];
  const revenue = { recorded: text(added > 0n ? added : 0n), reversed: text(added < 0n ? -added : 0n), sales: 1, reversals: 0 };
  return {
    v: 2, imvu: IMVU, period: "2026-11", currency: "EUR", corrects: 20, number: 1, revenue, gross: text(added), creator: text(now.creator - old.creator), platform: text(now.platform - old.platform), payout: { creator: "0.00", difference: "0" },
    total: { gross: text(before + added), creator: text(now.creator), platform: text(now.platform), payout: "0.00" }, streamHead: { streamSeq: 1, sha256: "" },
  };
}

export function invoiceFor(made: Statement | Correction, { seller = SELLER, buyer = BUYER, preceding = null }: { readonly seller?: Seller; readonly buyer?: Buyer; readonly preceding?: Preceding | null } = {}): Invoice {
  const invoice = invoiceOf({ imvu: IMVU, billed: { index: 20, made }, seller: { index: 3, profile: seller }, buyer: { index: 9, profile: buyer }, origin: ORIGIN, issued: "2026-12-01", sequence: 7, preceding });
  if (!invoice) throw new TypeError("no share to write an invoice of");
  return JSON.parse(JSON.stringify(invoice)) as Invoice;
}

export const PROOF = { origin: ORIGIN, index: 21, leaf: Buffer.alloc(32, 7).toString("base64"), size: 30, root: Buffer.alloc(32, 9).toString("base64") };
