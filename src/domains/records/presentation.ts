import type { DnsRecordSet, DnsType } from "../../contract/index.ts";

const TXT_CHUNK_BYTES = 255;

/** One value in the form the DNS server takes and shows; TXT as quoted strings of at most 255 bytes (RFC 1035 §3.3.14). */
export function serverForm(type: DnsType, value: string): string {
  return type === "TXT" ? txtForm(value) : value;
}

function txtForm(text: string): string {
  const bytes = Buffer.from(text, "utf8");
  const chunks: string[] = [];
  for (let at = 0; at < bytes.length || at === 0; at += TXT_CHUNK_BYTES) {
    let out = "";
    for (const byte of bytes.subarray(at, at + TXT_CHUNK_BYTES)) {
      if (byte === 0x22 || byte === 0x5c) out += `\\${String.fromCharCode(byte)}`;
      else if (byte >= 0x20 && byte < 0x7f) out += String.fromCharCode(byte);
      // RFC 1035 §5.1: any other byte as a decimal escape.
      else out += `\\${String(byte).padStart(3, "0")}`;
    }
    chunks.push(`"${out}"`);
  }
  return chunks.join(" ");
}

/** The sets as comparable lines: `owner ttl type value`, sorted. */
export function linesOf(sets: readonly DnsRecordSet[]): readonly string[] {
  return sets.flatMap((set) => set.values.map((value) => `${set.name} ${set.ttl} ${set.type} ${serverForm(set.type, value)}`)).sort();
}
