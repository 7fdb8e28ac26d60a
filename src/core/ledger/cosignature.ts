import { Buffer } from "node:buffer";
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { Fault, type Outcome, quoteForPeople } from "../../kernel/index.ts";
import { isKeyName, type Note, type NoteVerifier, parseTypedKey, verifierOf } from "./note.ts";

/**
 * C2SP tlog-cosignature, Ed25519, cosignature/v1: a witness says at which second this checkpoint was the largest consistent tree it had seen
 * of the log. As a signature line: key id ‖ u64 seconds, big-endian ‖ 64 bytes over "cosignature/v1\ntime <seconds>\n" and the note's text.
 */

const COSIGNATURE_TYPE = 4;
const TIME_BYTES = 8;
const SIGNATURE_BYTES = 64;
/** POSIX seconds; the format stops at 2^63 - 1, and nobody's clock is beyond this. */
const TIME_S_MAX = Number.MAX_SAFE_INTEGER;

/** A witness's key. Its id is not the one the same key would have as a log's. */
export interface WitnessVerifier extends NoteVerifier {
  readonly cosigns: true;
}

export interface Cosigner extends WitnessVerifier {
  readonly privateKey: KeyObject;
}

export interface Cosignature {
  readonly by: WitnessVerifier;
  /** When the witness signed, by its clock. */
  readonly time_s: number;
  /** With its newline, to be put below a note. */
  readonly line: string;
}

/** @throws Fault when the name or the key is none */
export function cosigner(name: string, key: KeyObject | string): Cosigner {
  if (!isKeyName(name)) throw new Fault("BAD_WITNESS_NAME", `witness name ${quoteForPeople(name)}: must be 1 to 255 characters without spaces and plus signs`);
  const privateKey = typeof key === "string" ? createPrivateKey(key) : key;
  if (privateKey.type !== "private" || privateKey.asymmetricKeyType !== "ed25519") throw new Fault("BAD_WITNESS_KEY", "the witness key must be an Ed25519 private key");
  return { ...verifierOf(name, createPublicKey(privateKey), COSIGNATURE_TYPE), cosigns: true, privateKey };
}

/** Reads a witness's vkey (`<name>+<key id>+<base64>`, type 0x04). */
export function parseWitnessKey(vkey: string): Outcome<WitnessVerifier> {
  const parsed = parseTypedKey(vkey, COSIGNATURE_TYPE, "use the line that 'nexus witness serve' prints, <name>+<id>+<base64>");
  return parsed.ok ? { ok: true, value: { ...parsed.value, cosigns: true } } : parsed;
}

/** The signature line. @param text of the checkpoint's note, with its final newline */
export function cosign(text: string, { name, keyId, privateKey }: Cosigner, time_s: number): string {
  if (!Number.isSafeInteger(time_s) || time_s < 0) throw new RangeError(`${time_s} is not a time in seconds`);
  const time = Buffer.alloc(TIME_BYTES);
  time.writeBigUInt64BE(BigInt(time_s));
  const signature = sign(null, signedMessage(text, time_s), privateKey);
  return `— ${name} ${Buffer.concat([Buffer.from(keyId, "hex"), time, signature]).toString("base64")}\n`;
}

/**
 * The cosignatures of `witnesses` that a note carries, at most one for each: lines of others are not counted, and false ones neither, so
 * that nobody can take a good cosignature away by adding a line.
 */
export function openCosignatures(note: Note, witnesses: readonly WitnessVerifier[]): readonly Cosignature[] {
  return witnesses.flatMap((by) => {
    for (const { name, keyId, signature } of note.signatures) {
      if (name !== by.name || keyId !== by.keyId || signature.length !== TIME_BYTES + SIGNATURE_BYTES) continue;
      const time = signature.readBigUInt64BE();
      if (time > BigInt(TIME_S_MAX)) continue;
      const time_s = Number(time);
      if (!verify(null, signedMessage(note.text, time_s), by.publicKey, signature.subarray(TIME_BYTES))) continue;
      return [{ by, time_s, line: `— ${name} ${Buffer.concat([Buffer.from(keyId, "hex"), signature]).toString("base64")}\n` }];
    }
    return [];
  });
}

/** A signed note with further signature lines below its own. */
export function withSignatureLines(note: string, lines: readonly string[]): string {
  return `${note}${lines.join("")}`;
}

function signedMessage(text: string, time_s: number): Buffer {
  return Buffer.from(`cosignature/v1\ntime ${time_s}\n${text}`, "utf8");
}
