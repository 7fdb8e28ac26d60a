import { Buffer } from "node:buffer";
import { bytesOf, type CopyField, writeField } from "./copy-format.ts";

const HEADER_BYTES = 12;
const DIMENSION_BYTES = 8;
const NULL_LENGTH = -1;
const OID = { bytea: 17, bigint: 20, text: 25 } as const;

/**
 * Parameters that are arrays of one dimension, in PostgreSQL's binary format (array_recv in src/backend/utils/adt/arrayfuncs.c): nothing is
 * escaped on this side and nothing parsed on the other. The statement must say the type: `$1::text[]`.
 */
export function textArray(values: readonly (string | null)[]): Buffer {
  return arrayOf(OID.text, values);
}

/** Throws RangeError for a number that is no safe integer. */
export function bigintArray(values: readonly (number | null)[]): Buffer {
  return arrayOf(OID.bigint, values);
}

export function byteaArray(values: readonly (Uint8Array | null)[]): Buffer {
  return arrayOf(OID.bytea, values);
}

function arrayOf(oid: number, values: readonly (CopyField | null)[]): Buffer {
  let size = HEADER_BYTES + (values.length > 0 ? DIMENSION_BYTES : 0) + 4 * values.length;
  for (const value of values) if (value !== null) size += bytesOf(value);
  const bytes = Buffer.allocUnsafe(size);
  let at = bytes.writeInt32BE(values.length > 0 ? 1 : 0);
  at = bytes.writeInt32BE(values.includes(null) ? 1 : 0, at);
  at = bytes.writeInt32BE(oid, at);
  if (values.length === 0) return bytes;
  // So many, counted from 1.
  at = bytes.writeInt32BE(values.length, at);
  at = bytes.writeInt32BE(1, at);
  for (const value of values) at = value === null ? bytes.writeInt32BE(NULL_LENGTH, at) : writeField(bytes, value, at);
  return bytes;
}
