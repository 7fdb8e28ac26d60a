import PDFDocument from "pdfkit";
import { type Block, type Cell, DAYS, type Head, heightOf, type Report, type Row, type Section, tailsOf } from "./report.ts";

type Doc = InstanceType<typeof PDFDocument>;

/** Points, 1/72 inch. */
const PAGE = { size: "A4", margins: { top: 50, bottom: 56, left: 50, right: 50 } } as const;
const GAP = 8;
const CHART = { height: 70, gap: 1.5 };
const TEXT_PT = 9.5;
const FIGURE_PT = 7.5;
const INK = { text: "#1c1c1e", note: "#5c5c66", rule: "#dddddd", link: "#1d5a88", bars: ["#2f6f9f", "#b7c9d6"] } as const;
/** The fonts that every reader brings; their letters are those of Windows-1252. */
const FONT = { text: "Helvetica", bold: "Helvetica-Bold", figure: "Courier" } as const;

/**
 * A4, tagged with title and language, with an outline, links inside and page numbers; nothing in it is fetched or run.
 * The same report makes the same bytes.
 */
export async function pdfOf(report: Report, made_ms: number): Promise<Buffer> {
  const doc = new PDFDocument({ ...PAGE, bufferPages: true, lang: "en", displayTitle: true, info: { Title: report.title, Creator: "nexus", CreationDate: new Date(made_ms), ModDate: new Date(made_ms) } });
  const chunks: Buffer[] = [];
  const whole = new Promise<Buffer>((resolve, reject) => {
    doc.on("data", (chunk: Buffer) => chunks.push(chunk));
    doc.on("end", () => resolve(Buffer.concat(chunks)));
    doc.on("error", reject);
  });
  doc.font(FONT.bold, 16).fillColor(INK.text).text(written(report.title));
  doc.moveDown(0.3).font(FONT.text, 8.5).fillColor(INK.note).text(written(report.lead));
  for (const one of report.sections) section(doc, one);
  numberPages(doc, report.title);
  doc.end();
  return await whole;
}

function section(doc: Doc, { title, anchor, minor, blocks }: Section): void {
  // A heading stays with what it is about.
  room(doc, minor ? 40 + CHART.height : 80);
  doc.moveDown(minor ? 0.8 : 1.4);
  if (anchor !== undefined) doc.addNamedDestination(anchor);
  if (!minor) doc.outline.addItem(written(title));
  doc.font(FONT.bold, minor ? 10 : 12).fillColor(INK.text).text(written(title), left(doc), doc.y);
  if (!minor) rule(doc, doc.y + 1);
  doc.y += 5;
  for (const one of blocks) block(doc, one);
}

function block(doc: Doc, one: Block): void {
  if (one.kind === "table") table(doc, one.heads, one.rows);
  else if (one.kind === "parts") parts(doc, one);
  else if (one.kind === "days") chart(doc, one);
  else if (one.kind === "list") paragraphs(doc, one.lines.map((line) => `• ${line}`), false);
  else paragraphs(doc, [one.text.replaceAll("`", "")], one.small === true);
}

function paragraphs(doc: Doc, lines: readonly string[], small: boolean): void {
  for (const line of lines) doc.font(FONT.text, small ? 8.5 : TEXT_PT).fillColor(small ? INK.note : INK.text).text(written(line), left(doc), doc.y, { width: width(doc) });
  doc.y += 4;
}

/** Columns as wide as what stands in them; where that is more than the page, the widest give way and their cells are broken. */
function table(doc: Doc, heads: readonly Head[], rows: readonly Row[]): void {
  const widths = widthsOf(doc, heads, rows);
  const header = () => line(doc, heads, widths, heads.map(({ text }) => ({ lines: [text] })), []);
  // Every character of a figure is as wide as another.
  const wide = doc.font(FONT.figure, FIGURE_PT).widthOfString("0");
  const tails = heads.map(({ number }, at) => new Map(number ? [...tailsOf(rows, at)].map(([text, tail]) => [text, tail * wide]) : []));
  const first = doc.bufferedPageRange().count;
  header();
  let page = first;
  for (const { anchor, cells } of rows) {
    room(doc, heightOfRow(doc, heads, widths, cells));
    const now = doc.bufferedPageRange().count;
    if (now !== page) header();
    page = now;
    if (anchor !== undefined) doc.addNamedDestination(anchor);
    line(doc, heads, widths, cells, tails);
  }
  doc.y += 4;
}

function widthsOf(doc: Doc, heads: readonly Head[], rows: readonly Row[]): readonly number[] {
  const widths = heads.map(({ text, number }, at) => {
    const head = doc.font(FONT.bold, TEXT_PT).widthOfString(written(text));
    fontOf(doc, number === true);
    const tails = number ? tailsOf(rows, at) : undefined;
    return Math.ceil(Math.max(head, ...rows.flatMap(({ cells }) => (cells[at]?.lines ?? []).map((one) => doc.widthOfString(written(one) + "0".repeat(tails?.get(one) ?? 0)))))) + 1;
  });
  const most = width(doc) - GAP * (heads.length - 1);
  // One limit for all: what is narrower keeps its width.
  let [limit, sum] = [most, widths.reduce((all, one) => all + one, 0)];
  for (let tries = 0; sum > most && tries < 1_000; tries += 1) {
    limit *= 0.98;
    sum = widths.reduce((all, one) => all + Math.min(one, limit), 0);
  }
  return widths.map((one) => Math.min(one, limit));
}

/** @param tails how far from the edge each figure of a column ends; none: it is the head */
function line(doc: Doc, heads: readonly Head[], widths: readonly number[], cells: readonly Cell[], tails: readonly ReadonlyMap<string, number>[]): void {
  const head = tails.length === 0;
  const top = doc.y;
  const height = head ? TEXT_PT + 5 : heightOfRow(doc, heads, widths, cells);
  let x = left(doc);
  for (const [at, { lines, to }] of cells.entries()) {
    const number = heads[at]?.number === true;
    if (head) doc.font(FONT.bold, TEXT_PT);
    else fontOf(doc, number);
    doc.fillColor(to === undefined ? INK.text : INK.link).text(textOf(lines), x, top + (number && !head ? TEXT_PT - FIGURE_PT : 0), { width: roomOf(doc, lines, widths[at] as number, tails[at]), align: number ? "right" : "left", ...(to === undefined ? {} : { goTo: to }) });
    x += (widths[at] as number) + GAP;
  }
  doc.y = top + height;
}

/** A figure that would be broken then ends at the edge. */
function roomOf(doc: Doc, lines: readonly string[], most: number, tails: ReadonlyMap<string, number> | undefined): number {
  const less = most - (tails?.get(lines[0] ?? "") ?? 0);
  return lines.length === 1 && doc.widthOfString(textOf(lines)) <= less ? less : most;
}

function heightOfRow(doc: Doc, heads: readonly Head[], widths: readonly number[], cells: readonly Cell[]): number {
  const heights = cells.map(({ lines }, at) => {
    const number = heads[at]?.number === true;
    fontOf(doc, number);
    return doc.heightOfString(textOf(lines), { width: widths[at] as number });
  });
  return Math.max(TEXT_PT + 2, ...heights) + 3;
}

function fontOf(doc: Doc, number: boolean): void {
  doc.font(number ? FONT.figure : FONT.text, number ? FIGURE_PT : TEXT_PT);
}

function parts(doc: Doc, { parts: all }: Extract<Block, { kind: "parts" }>): void {
  room(doc, 36);
  const top = doc.y;
  let x = left(doc);
  for (const [at, { label, share }] of all.entries()) {
    const wide = width(doc) * share;
    doc.rect(x, top, wide, 12).fill(INK.bars[at] ?? INK.bars[0]);
    doc.font(FONT.text, 8).fillColor(INK.note).text(written(label), x, top + 15, { width: wide });
    x += wide;
  }
  doc.y = top + 30;
}

function chart(doc: Doc, { days, unit }: Extract<Block, { kind: "days" }>): void {
  room(doc, CHART.height + 30);
  const [top, step] = [doc.y, width(doc) / DAYS];
  for (const { day, quantity } of days) {
    const height = Math.max(heightOf(quantity, days) * CHART.height, 0.5);
    const x = left(doc) + (Number(day.slice(8)) - 1) * step;
    doc.rect(x, top + CHART.height - height, step - CHART.gap, height).fill(INK.bars[0]);
    doc.goTo(x, top, step - CHART.gap, CHART.height, day);
  }
  rule(doc, top + CHART.height);
  doc.font(FONT.text, 7.5).fillColor(INK.note);
  for (const day of [1, 10, 20, 30]) doc.text(String(day), left(doc) + (day - 1) * step, top + CHART.height + 3, { lineBreak: false });
  const highest = days.reduce((most, one) => (Number(one.quantity) > Number(most) ? one.quantity : most), "0");
  doc.text(written(`highest: ${highest} ${unit}`), left(doc), top + CHART.height + 12, { width: width(doc) });
  doc.y += 4;
}

function numberPages(doc: Doc, title: string): void {
  const { start, count } = doc.bufferedPageRange();
  for (let page = start; page < start + count; page += 1) {
    doc.switchToPage(page);
    // Below the margin, where text would open another page.
    doc.page.margins.bottom = 0;
    doc.font(FONT.text, 8).fillColor(INK.note).text(written(`${title} · page ${page - start + 1} of ${count}`), left(doc), doc.page.height - 36, { width: width(doc), align: "right", lineBreak: false });
  }
}

function room(doc: Doc, height: number): void {
  if (doc.y + height > doc.page.height - PAGE.margins.bottom) doc.addPage();
}

function rule(doc: Doc, y: number): void {
  doc.moveTo(left(doc), y).lineTo(left(doc) + width(doc), y).lineWidth(0.5).stroke(INK.rule);
}

function left(doc: Doc): number {
  return doc.page.margins.left;
}

function width(doc: Doc): number {
  return doc.page.width - doc.page.margins.left - doc.page.margins.right;
}

function textOf(lines: readonly string[]): string {
  return written(lines.join("\n")) || " ";
}

/** The minus sign is not in Windows-1252, and whatever else is not there is shown as its code point, never as another letter. */
function written(text: string): string {
  return text.replaceAll("−", "–").replaceAll(/[^\n\x20-\x7e\xa1-\xff–•€×]/gu, (letter) => `U+${(letter.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, "0")}`);
}
