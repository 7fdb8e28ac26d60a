import { Buffer } from "node:buffer";

/** What canonical JSON can carry. Numbers must be safe integers: money and counters travel as strings. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export const CANONICAL_DEPTH_MAX = 64;

/**
 * RFC 8785 (JCS) over the subset we allow: keys sorted by UTF-16 code unit, no white space, integers only.
 * `depth`: how deep in a larger text the value will stand. Throws TypeError for a float, an unsafe integer, undefined, a lone surrogate, or nesting beyond the bound.
 */
export function canonicalJson(value: Json, depth = 0): string {
  return write(value, depth);
}

export function canonicalBytes(value: Json): Buffer {
  return Buffer.from(canonicalJson(value), "utf8");
}

function write(value: Json, depth: number): string {
  if (depth > CANONICAL_DEPTH_MAX) throw new TypeError("canonical JSON: nested too deep");
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new TypeError(`canonical JSON: ${value} is not a safe integer`);
    return String(value === 0 ? 0 : value);
  }
  if (typeof value === "string") return writeString(value);
  if (Array.isArray(value)) return `[${value.map((item: Json) => write(item, depth + 1)).join(",")}]`;
  if (typeof value !== "object") throw new TypeError(`canonical JSON: ${typeof value} has no form`);
  const record = value as { readonly [key: string]: Json };
  const members: string[] = [];
  for (const key of Object.keys(record).sort()) {
    const member = record[key];
    if (member === undefined) throw new TypeError(`canonical JSON: "${key}" is undefined`);
    members.push(`${writeString(key)}:${write(member, depth + 1)}`);
  }
  return `{${members.join(",")}}`;
}

function writeString(text: string): string {
  if (!text.isWellFormed()) throw new TypeError("canonical JSON: a string holds a lone surrogate");
  return JSON.stringify(text);
}
