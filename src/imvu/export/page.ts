import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import PDFDocument from "pdfkit";
import { unpackWoff } from "./woff.ts";

export type Doc = InstanceType<typeof PDFDocument>;

/** Points, 1/72 inch. A4. */
export const PAGE = { left: 56, right: 56, top: 44, bottom: 50, width: 595.28, height: 841.89 } as const;
export const WIDTH = PAGE.width - PAGE.left - PAGE.right;
export const RIGHT = PAGE.left + WIDTH;
export const INK = { text: "#1a1c20", note: "#5d6470", rule: "#d5d9e0", accent: "#1d5a88", band: "#f3f5f8" } as const;
export const FONT = { text: "text", bold: "bold" } as const;

/** Read when this file is loaded, which is when something is drawn. */
const FONTS = { text: fontFile("Regular"), bold: fontFile("Medium") } as const;

function fontFile(weight: string): Buffer {
  return unpackWoff(readFileSync(fileURLToPath(import.meta.resolve(`roboto-fontface/fonts/roboto/Roboto-${weight}.woff`))));
}

/** PDF/A-3: everything it is drawn with is inside, and so may its XML be. The title also goes into XML, unescaped: plain letters and figures alone. */
export function newDocument(title: string, made: Date): Doc {
  const margins = { top: PAGE.top, bottom: PAGE.bottom, left: PAGE.left, right: PAGE.right };
  const doc = new PDFDocument({ size: "A4", margins, bufferPages: true, pdfVersion: "1.7", subset: "PDF/A-3b", lang: "en", displayTitle: true, font: FONTS.text as unknown as string, info: { Title: title, Creator: "nexus", Producer: "nexus", CreationDate: made, ModDate: made } });
  doc.registerFont(FONT.text, FONTS.text).registerFont(FONT.bold, FONTS.bold);
  // What else stands in the information dictionary pdfkit says here too.
  metadata(doc, `
        <rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" rdf:about="">
            <xmp:ModifyDate>${made.toISOString().slice(0, 19)}Z</xmp:ModifyDate>
        </rdf:Description>`);
  return doc;
}

/** More of the document's XMP. */
export function metadata(doc: Doc, xml: string): void {
  (doc as unknown as { appendXML(xml: string): void }).appendXML(xml);
}

export async function bytesOf(doc: Doc): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const whole = new Promise<Buffer>((resolve, reject) => {
    doc.on("data", (chunk: Buffer) => chunks.push(chunk));
    doc.on("end", () => resolve(Buffer.concat(chunks)));
    doc.on("error", reject);
  });
  doc.end();
  return await whole;
}

export interface Style {
  readonly size?: number;
  readonly bold?: boolean;
  readonly ink?: string;
  readonly width?: number;
  readonly align?: "left" | "right";
}

/** @returns where the next line begins */
export function put(doc: Doc, text: string, x: number, y: number, { size = 9, bold = false, ink = INK.text, width = RIGHT - x, align = "left" }: Style = {}): number {
  doc.font(bold ? FONT.bold : FONT.text, size).fillColor(ink).text(written(text), x, y, { width, align, lineGap: 1.5 });
  return doc.y;
}

export function heightOf(doc: Doc, text: string, { size = 9, bold = false, width = WIDTH }: Style): number {
  return doc.font(bold ? FONT.bold : FONT.text, size).heightOfString(written(text), { width, lineGap: 1.5 });
}

export function rule(doc: Doc, y: number, from: number = PAGE.left, to: number = RIGHT, ink: string = INK.rule): void {
  doc.moveTo(from, y).lineTo(to, y).lineWidth(0.6).stroke(ink);
}

/** A fresh page where there is no room. @returns where to go on */
export function room(doc: Doc, y: number, height: number): number {
  if (y + height <= PAGE.height - PAGE.bottom) return y;
  doc.addPage();
  return PAGE.top;
}

/** Letters that the font has. Another one is shown as its code point, never as another letter, nor as nothing. */
const UNKNOWN = /[^\n\x20-\x7e\u00a0-\u017f\u01a0\u01a1\u01af\u01b0\u0218-\u021b\u0384-\u038a\u038c\u038e-\u03a1\u03a3-\u03ce\u0400-\u0482\u0488-\u0513\u1e80-\u1e85\u1ea0-\u1ef9\u2010\u2011\u2013-\u2015\u2018-\u201e\u2020-\u2022\u2026\u2030\u2039\u203a\u20ac\u2116\u2122\u2212]/gu;

function written(text: string): string {
  return text.normalize("NFC").replaceAll(UNKNOWN, (letter) => `U+${(letter.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, "0")}`);
}
