import { Buffer } from "node:buffer";

/** A field of a row on its way in by COPY: number → bigint, string → text, bytes → bytea. */
export type CopyField = number | string | Uint8Array;

const SIGNATURE = Buffer.from("PGCOPY\n\u00ff\r\n\0", "latin1");
const HEADER_BYTES = SIGNATURE.length + 8;
const INT8_BYTES = 8;
const TWO_TO_32 = 2 ** 32;

/**
 * Rows in COPY's binary format (PostgreSQL manual, COPY, "Binary Format"): nothing is escaped on this side and nothing parsed on the
 * other. A file has a header before its first row and a trailer after its last. Throws RangeError for a number that is no safe integer.
 */
export function copyBytes(rows: readonly (readonly CopyField[])[], { header, trailer } = { header: true, trailer: true }): Buffer {
  let size = (header ? HEADER_BYTES : 0) + (trailer ? 2 : 0);
  for (const row of rows) {
    size += 2 + 4 * row.length;
    for (const field of row) size += bytesOf(field);
  }
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  if (header) {
    bytes.fill(0, 0, HEADER_BYTES);
    SIGNATURE.copy(bytes);
    at = HEADER_BYTES;
  }
  for (const row of rows) {
    at = bytes.writeInt16BE(row.length, at);
    for (const field of row) at = writeField(bytes, field, at);
  }
  if (trailer) bytes.writeInt16BE(-1, at);
  return bytes;
}

export function bytesOf(field: CopyField): number {
  if (typeof field === "number") return INT8_BYTES;
  return typeof field === "string" ? Buffer.byteLength(field) : field.length;
}

export function writeField(bytes: Buffer, field: CopyField, start: number): number {
  if (typeof field === "number") {
    if (!Number.isSafeInteger(field)) throw new RangeError(`${field} is no safe integer`);
    const at = bytes.writeInt32BE(INT8_BYTES, start);
    return bytes.writeUInt32BE(field - Math.floor(field / TWO_TO_32) * TWO_TO_32, bytes.writeInt32BE(Math.floor(field / TWO_TO_32), at));
  }
  if (typeof field === "string") {
    const written = bytes.write(field, start + 4);
    return bytes.writeInt32BE(written, start) + written;
  }
  bytes.set(field, start + 4);
  return bytes.writeInt32BE(field.length, start) + field.length;
}
