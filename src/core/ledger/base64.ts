import { Buffer } from "node:buffer";

/** RFC 4648 §4, strictly: one spelling for each value. undefined for anything else. */
export function parseBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : undefined;
}
