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

/**
 * The value that `text` is the canonical JSON of; throws TypeError or SyntaxError when it is that of none. Most texts are recognised by
 * the engine's own serialiser and a look at their keys and numbers, in a third of the time of writing them again.
 */
export function parseCanonicalJson(text: string): Json {
  const value = JSON.parse(text) as Json;
  // An escaped lone surrogate would come back as it went in.
  const plain = !text.includes("\\ud") && text.isWellFormed() && JSON.stringify(value) === text && isOrdered(value, 0);
  if (!plain && canonicalJson(value) !== text) throw new TypeError("canonical JSON: is written in another form");
  return value;
}

/** Of a value that JSON.stringify wrote as it was read: are its members sorted and its numbers safe integers? */
function isOrdered(value: Json, depth: number): boolean {
  if (typeof value === "number") return Number.isSafeInteger(value);
  if (typeof value !== "object" || value === null) return true;
  if (depth >= CANONICAL_DEPTH_MAX) return false;
  if (Array.isArray(value)) return value.every((item: Json) => isOrdered(item, depth + 1));
  let before: string | undefined;
  for (const key of Object.keys(value)) {
    if (before !== undefined && before >= key) return false;
    before = key;
    if (!isOrdered((value as { readonly [key: string]: Json })[key] as Json, depth + 1)) return false;
  }
  return true;
}

/** Strings are put together as they come, keys sorted only when they are not: bodies of entries are written for every command. */
function write(value: Json, depth: number): string {
  if (depth > CANONICAL_DEPTH_MAX) throw new TypeError("canonical JSON: nested too deep");
  if (typeof value === "string") return writeString(value);
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new TypeError(`canonical JSON: ${value} is not a safe integer`);
    return String(value === 0 ? 0 : value);
  }
  let text = "";
  if (Array.isArray(value)) {
    for (const item of value as readonly Json[]) text += `${text === "" ? "" : ","}${write(item, depth + 1)}`;
    return `[${text}]`;
  }
  if (typeof value !== "object") throw new TypeError(`canonical JSON: ${typeof value} has no form`);
  const record = value as { readonly [key: string]: Json };
  for (const key of sortedKeys(record)) {
    const member = record[key];
    if (member === undefined) throw new TypeError(`canonical JSON: "${key}" is undefined`);
    text += `${text === "" ? "" : ","}${writeString(key)}:${write(member, depth + 1)}`;
  }
  return `{${text}}`;
}

function sortedKeys(record: object): readonly string[] {
  const keys = Object.keys(record);
  for (let at = 1; at < keys.length; at += 1) if ((keys[at - 1] as string) > (keys[at] as string)) return keys.sort();
  return keys;
}

/** Printable ASCII without quotation mark and backslash: it is written as it is. */
const PLAIN = /^[ !#-[\]-~]*$/;

function writeString(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  if (!text.isWellFormed()) throw new TypeError("canonical JSON: a string holds a lone surrogate");
  return JSON.stringify(text);
}
