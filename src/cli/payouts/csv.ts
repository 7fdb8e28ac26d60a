import type { Payout } from "./made.ts";

const HEAD = ["id", "imvu", "number", "amount", "currency", "holder", "kind", "iban", "bic"];

/** RFC 4180. A name is what its owner wrote: one that a spreadsheet would take for a formula begins with an apostrophe. */
export function payoutsCsv(payouts: readonly Payout[]): string {
  const rows = payouts.map(({ id, imvu, number, amount, currency, account: { holder, kind, iban, bic } }) => [id, imvu, String(number), amount, currency, holder, kind, iban, bic ?? ""]);
  return [HEAD, ...rows].map((row) => `${row.map(field).join(",")}\r\n`).join("");
}

function field(text: string): string {
  const plain = /^[\s]*[=+\-@\t\r|%]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}
