import { Buffer } from "node:buffer";
import { createHash, hash } from "node:crypto";
import { createReadStream } from "node:fs";

declare const sha256Brand: unique symbol;
/** Lower-case hexadecimal SHA-256, 64 characters. */
export type Sha256 = string & { readonly [sha256Brand]: true };

/** By way of a Latin-1 string: Node's own Buffer result is memory outside its heap for each digest, which costs three times the hashing. */
export function sha256(data: string | NodeJS.ArrayBufferView): Buffer {
  return Buffer.from(hash("sha256", data, "binary"), "latin1");
}

export function sha256Hex(data: string | NodeJS.ArrayBufferView): Sha256 {
  return hash("sha256", data, "hex") as Sha256;
}

export function parseSha256(text: string): Sha256 | undefined {
  return /^[0-9a-f]{64}$/.test(text) ? (text as Sha256) : undefined;
}

/** Streams a file through SHA-256; memory stays flat. */
export async function sha256File(path: string): Promise<Sha256> {
  const hasher = createHash("sha256");
  for await (const chunk of createReadStream(path)) hasher.update(chunk as Buffer);
  return hasher.digest("hex") as Sha256;
}
