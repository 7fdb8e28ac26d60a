import { inflateSync } from "node:zlib";

const [WOFF_HEADER, WOFF_ROW, SFNT_HEADER, SFNT_ROW] = [44, 20, 12, 16];

/** The font that a WOFF file packs (W3C WOFF 1.0), unpacked once: what reads it table by table would unpack each table again and again. */
export function unpackWoff(woff: Buffer): Buffer {
  if (woff.toString("latin1", 0, 4) !== "wOFF") throw new TypeError("not a WOFF file");
  const count = woff.readUInt16BE(12);
  const rows = Array.from({ length: count }, (_, at) => {
    const row = WOFF_HEADER + at * WOFF_ROW;
    const [offset, packed, length] = [woff.readUInt32BE(row + 4), woff.readUInt32BE(row + 8), woff.readUInt32BE(row + 12)];
    const bytes = woff.subarray(offset, offset + packed);
    return { tag: woff.subarray(row, row + 4), checksum: woff.subarray(row + 16, row + 20), table: packed < length ? inflateSync(bytes) : bytes };
  });
  const power = 2 ** Math.floor(Math.log2(count));
  const header = Buffer.alloc(SFNT_HEADER + count * SFNT_ROW);
  woff.copy(header, 0, 4, 8);
  header.writeUInt16BE(count, 4);
  header.writeUInt16BE(power * SFNT_ROW, 6);
  header.writeUInt16BE(Math.log2(power), 8);
  header.writeUInt16BE((count - power) * SFNT_ROW, 10);
  const parts: Uint8Array[] = [header];
  let offset = header.length;
  for (const [at, { tag, checksum, table }] of rows.entries()) {
    const row = SFNT_HEADER + at * SFNT_ROW;
    tag.copy(header, row);
    checksum.copy(header, row + 4);
    header.writeUInt32BE(offset, row + 8);
    header.writeUInt32BE(table.length, row + 12);
    // Each table begins at a multiple of four.
    const padding = (4 - (table.length % 4)) % 4;
    parts.push(table, Buffer.alloc(padding));
    offset += table.length + padding;
  }
  return Buffer.concat(parts);
}
