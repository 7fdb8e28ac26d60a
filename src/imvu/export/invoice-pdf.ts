import { encodeQR } from "qr";
import { type Buyer, RESOURCES, type Seller } from "../../contract/index.ts";
import { CREATOR_SHARE_PERCENT, daysOf, type Invoice, invoiceXml, itemOf, notesOf, PLATFORM_SHARE_PERCENT, plain } from "../../core/handshake/index.ts";
import { decimalText, MONEY_DECIMALS, parseDecimal } from "../../kernel/index.ts";
import { facturX } from "./factur-x.ts";
import { type InvoiceProof, proofText } from "./invoice-proof.ts";
import { bytesOf, type Doc, heightOf, INK, newDocument, PAGE, put, RIGHT, room, rule, type Style, WIDTH } from "./page.ts";

const TITLES = { invoice: "Invoice", "credit-note": "Credit note" } as const;
const COUNTRIES = new Intl.DisplayNames("en", { type: "region" });
const QR_POINTS = 78;

/** One page where it fits: who to whom, what for, VAT, how gross came about, and where the log proves it. The same invoice and proof make the same bytes. */
export async function drawInvoice(invoice: Invoice, proof: InvoiceProof): Promise<Buffer> {
  const { number, kind, issued } = invoice;
  const made = new Date(`${issued}T00:00:00Z`);
  const doc = newDocument(`${TITLES[kind]} ${number}`, made);
  let y = heading(doc, invoice);
  y = parties(doc, invoice, y);
  y = items(doc, invoice, y);
  y = totals(doc, invoice, y);
  y = notes(doc, invoice, y);
  y = annex(doc, invoice, y);
  proved(doc, invoice, proof, y);
  footers(doc, invoice);
  facturX(doc, invoiceXml(invoice), made);
  return await bytesOf(doc);
}

function heading(doc: Doc, { kind, number, seller: { profile } }: Invoice): number {
  put(doc, profile.name, PAGE.left, PAGE.top, { size: 13, bold: true, width: WIDTH * 0.6 });
  const below = put(doc, [profile.street, `${profile.postalCode} ${profile.city}`, countryOf(profile)].join(" · "), PAGE.left, doc.y + 1, { size: 8, ink: INK.note, width: WIDTH * 0.6 });
  put(doc, TITLES[kind], PAGE.left, PAGE.top - 5, { size: 22, ink: INK.accent, align: "right" });
  const right = put(doc, number, PAGE.left, doc.y - 3, { size: 10, bold: true, align: "right" });
  const y = Math.max(below, right) + 12;
  rule(doc, y, PAGE.left, RIGHT, INK.accent);
  return y + 18;
}

function parties(doc: Doc, invoice: Invoice, top: number): number {
  const { buyer: { profile }, issued, period, imvu, currency, preceding } = invoice;
  put(doc, "To", PAGE.left, top, { size: 7.5, ink: INK.note });
  let left = put(doc, profile.name, PAGE.left, doc.y + 1, { size: 10.5, bold: true, width: WIDTH * 0.5 });
  const about = [profile.street, `${profile.postalCode} ${profile.city}`, countryOf(profile), ...(profile.vatId === undefined ? [] : [`VAT id ${profile.vatId}`]), profile.email];
  for (const one of about) left = put(doc, one, PAGE.left, left, { width: WIDTH * 0.5 });
  const { first, last } = daysOf(period);
  const facts = [
    ["Date of issue", issued], ["Service period", `${first} to ${last}`], ["Unit", imvu], ["Currency", currency],
    ...(profile.reference === undefined ? [] : [["Your reference", profile.reference]]),
    ...(preceding === null ? [] : [["Refers to", `${preceding.number} of ${preceding.issued}`]]),
  ] as const;
  const column = PAGE.left + WIDTH * 0.56;
  let right = top + 10;
  for (const [what = "", says = ""] of facts) {
    put(doc, what, column, right, { ink: INK.note, width: 80 });
    right = put(doc, says, column + 84, right, { width: RIGHT - column - 84, align: "right" }) + 2;
  }
  return Math.max(left, right) + 18;
}

/** Widths of the columns but for the first, which takes what is left. */
interface Column extends Style {
  readonly title: string;
  readonly width: number;
}

const ITEM: readonly Column[] = [{ title: "", width: WIDTH - 274 }, { title: "Quantity", width: 46, align: "right" }, { title: "Unit price", width: 76, align: "right" }, { title: "VAT", width: 74, align: "right" }, { title: "Net amount", width: 78, align: "right" }];
const USED: readonly Column[] = [{ title: "Resource", width: WIDTH - 370 }, { title: "Quantity", width: 96, align: "right" }, { title: "Unit", width: 76 }, { title: "Unit price", width: 60, align: "right" }, { title: "Amount", width: 138, align: "right" }];
const SUMS: readonly Column[] = [{ title: "", width: WIDTH - 300 }, { title: "", width: 300, align: "right" }];
const GAP = 8;

function row(doc: Doc, columns: readonly Column[], cells: readonly string[], y: number, style: Style = {}): number {
  let x: number = PAGE.left;
  let bottom = y;
  for (const [at, { width, align = "left" }] of columns.entries()) {
    // What is left-aligned keeps away from figures on both sides.
    const inset = align === "left" && at > 0 ? GAP : 0;
    bottom = Math.max(bottom, put(doc, cells[at] ?? "", x + inset, y, { ...style, width: width - inset, align }));
    x += width;
  }
  return bottom;
}

function head(doc: Doc, columns: readonly Column[], y: number): number {
  doc.rect(PAGE.left - 4, y - 3, WIDTH + 8, 15).fill(INK.band);
  return row(doc, columns, columns.map(({ title }) => title), y, { size: 7.5, ink: INK.note }) + 6;
}

function items(doc: Doc, invoice: Invoice, top: number): number {
  const { amounts: { net } } = invoice;
  const y = head(doc, ITEM.map((column, at) => (at === 0 ? { ...column, title: "Service" } : column)), top);
  const bottom = row(doc, ITEM, [itemOf(invoice), "1", grouped(net), rateOf(invoice), grouped(net)], y) + 6;
  rule(doc, bottom);
  return bottom + 8;
}

function totals(doc: Doc, invoice: Invoice, top: number): number {
  const { amounts: { net, vat, total, rounding, paid, due }, currency, kind } = invoice;
  const vatLine = invoice.vat.category === "S" ? `VAT ${rateOf(invoice)} of ${grouped(net)}` : `VAT (${rateOf(invoice).toLowerCase()})`;
  const lines: readonly (readonly [string, string, Style?])[] = [
    ["Net", net], [vatLine, vat], ["Total with VAT", total, { bold: true }],
    ...(isSomething(rounding) ? [["Rounding", rounding] as const] : []),
    [kind === "invoice" ? "Kept from the month's gross" : "Returned with the payout", `-${paid}`], [`Amount due ${currency}`, due, { bold: true, size: 10.5, ink: INK.accent }],
  ];
  const x = PAGE.left + WIDTH * 0.5;
  let y = top;
  for (const [what, amount, style] of lines) {
    if (style?.size !== undefined) {
      rule(doc, y + 1, x);
      y += 6;
    }
    put(doc, what, x, y, { ...style, width: WIDTH * 0.5 - 80 });
    y = put(doc, grouped(amount), RIGHT - 90, y, { ...style, width: 90, align: "right" }) + 1;
  }
  return y + 12;
}

function notes(doc: Doc, invoice: Invoice, top: number): number {
  let y = top;
  for (const note of notesOf(invoice)) {
    const style = { size: 8.5, ink: INK.note };
    y = room(doc, y, heightOf(doc, note, style));
    y = put(doc, note, PAGE.left, y, style) + 1;
  }
  return y + 12;
}

/** How gross came about, to the last decimal that is not nothing. */
function annex(doc: Doc, { correction, annex: { lines, usage, recorded, reversed }, gross, share, currency }: Invoice, top: number): number {
  let y = room(doc, top, 90);
  y = put(doc, `How ${correction === 0 ? "gross came about" : "it came about"}, in ${currency}`, PAGE.left, y, { size: 10, bold: true }) + 7;
  if (lines.length > 0) y = head(doc, USED, y);
  const small = { size: 8 };
  for (const { resource, above, quantity, unit, unitPrice, amount } of lines) {
    if (y + 13 > PAGE.height - PAGE.bottom) y = head(doc, USED, room(doc, y, 13));
    y = row(doc, USED, [`${capital(RESOURCES[resource].title)}${above === undefined ? "" : ` above ${trimmed(above)}`}`, trimmed(quantity), unit, trimmed(unitPrice), plain(amount)], y, small);
  }
  const sums: readonly (readonly [string, string, boolean?])[] = [
    ...(lines.length > 0 ? [["Usage", usage] as const] : []), ...(isSomething(recorded) ? [["Sold", recorded] as const] : []), ...(isSomething(reversed) ? [["Paid back", `-${reversed}`] as const] : []),
    [correction === 0 ? "Gross" : "Added to gross", gross, true],
    [`Creator ${CREATOR_SHARE_PERCENT} %`, difference(gross, share)], [`Platform ${PLATFORM_SHARE_PERCENT} %`, share, true],
  ];
  y = room(doc, y, sums.length * 13 + 6);
  rule(doc, y + 1);
  y += 5;
  for (const [what, amount, bold = false] of sums) y = row(doc, SUMS, [what, minus(plain(amount))], y, { ...small, bold });
  return y + 14;
}

function proved(doc: Doc, invoice: Invoice, proof: InvoiceProof, top: number): void {
  const y = room(doc, top, QR_POINTS + 16);
  rule(doc, y);
  square(doc, proofText(invoice, proof), PAGE.left, y + 10);
  const x = PAGE.left + QR_POINTS + 18;
  let below = put(doc, "Proof", x, y + 9, { size: 9, bold: true }) + 2;
  for (const [what, says] of [["Log", proof.origin], ["Entry", String(proof.index)], ["Leaf", proof.leaf], ["Root", `${proof.root} (tree of ${proof.size})`]] as const) {
    put(doc, what, x, below, { size: 7.5, ink: INK.note, width: 30 });
    below = put(doc, says, x + 32, below, { size: 7.5 });
  }
  put(doc, `Everything here stands in that entry. "nexus ledger proof ${proof.index}" proves that it is in the log; "nexus verify revenue" and the verifier in each export make it again from readings and sales.`, x, below + 3, { size: 7.5, ink: INK.note });
}

/** Around it is paper: the quiet zone that readers want. */
function square(doc: Doc, text: string, x: number, y: number): void {
  const modules = encodeQR(text, "raw", { ecc: "medium", border: 1 });
  const step = QR_POINTS / modules.length;
  for (const [down, line] of modules.entries())
    for (let at = 0; at < line.length; at += 1) {
      let run = 0;
      while (line[at + run] === true) run += 1;
      // What lies beside each other is one stroke: no white hairlines between.
      if (run > 0) doc.rect(x + at * step, y + down * step, run * step, step + 0.05);
      at += run;
    }
  doc.fill("#000000");
}

function footers(doc: Doc, { number, seller: { profile } }: Invoice): void {
  const { start, count } = doc.bufferedPageRange();
  const who = [profile.name, ...(profile.vatId === undefined ? [] : [`VAT id ${profile.vatId}`]), ...(profile.taxNumber === undefined ? [] : [`Tax number ${profile.taxNumber}`]), profile.email].join(" · ");
  for (let page = start; page < start + count; page += 1) {
    doc.switchToPage(page);
    // Below the margin, where text would open another page.
    doc.page.margins.bottom = 0;
    rule(doc, PAGE.height - 46);
    put(doc, who, PAGE.left, PAGE.height - 40, { size: 7.5, ink: INK.note, width: WIDTH - 110 });
    put(doc, `${number} · page ${page - start + 1} of ${count}`, RIGHT - 150, PAGE.height - 40, { size: 7.5, ink: INK.note, width: 150, align: "right" });
  }
}

function countryOf({ country }: Pick<Buyer | Seller, "country">): string {
  return COUNTRIES.of(country) ?? country;
}

function rateOf({ vat: { category, rate } }: Invoice): string {
  if (category === "AE") return "Reverse charge";
  if (category === "O") return "Not subject";
  return category === "E" ? "Exempt" : `${trimmed(rate ?? "")} %`;
}

/** Thousands apart. */
function grouped(amount: string): string {
  const [whole = "", fraction] = amount.split(".");
  return `${whole.replaceAll(/\B(?=(\d{3})+$)/g, ",")}${fraction === undefined ? "" : `.${fraction}`}`.replace(/^-/, "−");
}

function isSomething(amount: string): boolean {
  return /[1-9]/.test(amount);
}

function minus(amount: string): string {
  return amount.replace("-", "−");
}

function capital(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}

function trimmed(figure: string): string {
  return figure.includes(".") ? figure.replace(/\.?0+$/, "") : figure;
}

function difference(a: string, b: string): string {
  return decimalText((parseDecimal(a, MONEY_DECIMALS) ?? 0n) - (parseDecimal(b, MONEY_DECIMALS) ?? 0n), MONEY_DECIMALS);
}
