import { Buffer } from "node:buffer";
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { accept, Fault, type Outcome, quoteForPeople, refuse, sha256 } from "../../kernel/index.ts";
import { publicKeyFromText } from "../identity/index.ts";
import { parseBase64 } from "./base64.ts";

/** C2SP signed-note with Ed25519 signatures (type 0x01); other types are carried and ignored. */

export const NOTE_BYTES_MAX = 64 * 1024;
export const NOTE_SIGNATURES_MAX = 64;

const ED25519_TYPE = 1;
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const KEY_ID_BYTES = 4;

export interface NoteSignature {
  readonly name: string;
  /** Eight hexadecimal digits. */
  readonly keyId: string;
  readonly signature: Buffer;
}

export interface Note {
  /** With its final newline: what is signed. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

export interface NoteVerifier {
  readonly name: string;
  readonly keyId: string;
  readonly publicKey: KeyObject;
  /** `<name>+<key id>+<base64>`, as Go's sumdb/note writes it. */
  readonly vkey: string;
}

export interface NoteSigner extends NoteVerifier {
  readonly privateKey: KeyObject;
}

/** A key name has no white space and no plus sign (C2SP signed-note, Format). */
export function isKeyName(name: string): boolean {
  return name.length > 0 && name.length <= 255 && name.isWellFormed() && !/[\s\p{White_Space}\p{Cc}+]/u.test(name);
}

/** Name, key id and vkey of an Ed25519 key. `type` is what its signatures are (C2SP signed-note, Signature types): one key has another id for each. */
export function verifierOf(name: string, publicKey: KeyObject, type = ED25519_TYPE): NoteVerifier {
  const { x } = publicKey.export({ format: "jwk" });
  const typed = Buffer.concat([Buffer.from([type]), Buffer.from(x as string, "base64url")]);
  const keyId = sha256(Buffer.concat([Buffer.from(`${name}\n`, "utf8"), typed]))
    .subarray(0, KEY_ID_BYTES)
    .toString("hex");
  return { name, keyId, publicKey, vkey: `${name}+${keyId}+${typed.toString("base64")}` };
}

export function noteSigner(name: string, key: KeyObject | string): NoteSigner {
  if (!isKeyName(name))
    throw new Fault("BAD_LOG_ORIGIN", `log origin ${quoteForPeople(name)}: must be 1 to 255 characters without spaces and plus signs`);
  const privateKey = typeof key === "string" ? createPrivateKey(key) : key;
  if (privateKey.type !== "private" || privateKey.asymmetricKeyType !== "ed25519")
    throw new Fault("BAD_LOG_KEY", "the log key must be an Ed25519 private key");
  return { ...verifierOf(name, createPublicKey(privateKey)), privateKey };
}

/** Reads a vkey. A key under which forgeries verify is refused: nobody could be held to what it signed. */
export function parseVerifierKey(vkey: string): Outcome<NoteVerifier> {
  return parseTypedKey(vkey, ED25519_TYPE, "use the line printed at /log/, <name>+<id>+<base64>");
}

/** Reads a vkey whose signatures are of `type`, and of no other: a log's key must not count as a witness's. */
export function parseTypedKey(vkey: string, type: number, hint: string): Outcome<NoteVerifier> {
  const bad = (why: string) => refuse("usage", "BAD_VERIFIER_KEY", `verifier key ${quoteForPeople(vkey)}: ${why}`, hint);
  const match = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/.exec(vkey);
  if (!match || !isKeyName(match[1] as string)) return bad("is not of the form <name>+<8 hexadecimal digits>+<base64>");
  const typed = parseBase64(match[3] as string);
  if (typed?.length !== 1 + KEY_BYTES || typed[0] !== type) return bad(`is not an Ed25519 key of type ${type}`);
  const key = publicKeyFromText(typed.subarray(1).toString("base64url"));
  if (!key.ok) return bad(`its key is not one that can be trusted: ${key.message}`);
  const verifier = verifierOf(match[1] as string, key.value.key, type);
  return verifier.keyId === match[2] ? accept(verifier) : bad(`its id should be ${verifier.keyId}`);
}

/** Below U+0020 only the newline has a place in a note. */
function hasControls(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x20 && code !== 0x0a) return true;
  }
  return false;
}

export function signNote(text: string, signers: readonly NoteSigner[]): string {
  if (!text.endsWith("\n") || hasControls(text)) throw new Fault("BAD_NOTE", "a note's text ends with a newline and has no control characters");
  const lines = signers.map((signer) => {
    const signature = sign(null, Buffer.from(text, "utf8"), signer.privateKey);
    return `— ${signer.name} ${Buffer.concat([Buffer.from(signer.keyId, "hex"), signature]).toString("base64")}\n`;
  });
  return `${text}\n${lines.join("")}`;
}

/** Takes a note apart without trusting it. */
export function parseNote(note: string): Outcome<Note> {
  const bad = (why: string) => refuse("engine", "BAD_NOTE", `signed note: ${why}`, "ask the log again");
  if (Buffer.byteLength(note) > NOTE_BYTES_MAX) return bad(`is longer than ${NOTE_BYTES_MAX} bytes`);
  if (!note.isWellFormed() || hasControls(note)) return bad("holds control characters");
  const split = note.lastIndexOf("\n\n");
  if (split < 0 || !note.endsWith("\n")) return bad("has no signatures");
  const lines = note.slice(split + 2, -1).split("\n");
  if (lines.length > NOTE_SIGNATURES_MAX) return bad(`has more than ${NOTE_SIGNATURES_MAX} signatures`);
  const signatures: NoteSignature[] = [];
  for (const line of lines) {
    const match = /^— ([^ ]+) ([A-Za-z0-9+/]+=*)$/.exec(line);
    const bytes = match && isKeyName(match[1] as string) ? parseBase64(match[2] as string) : undefined;
    if (!match || !bytes || bytes.length <= KEY_ID_BYTES) return bad("has a malformed signature line");
    signatures.push({ name: match[1] as string, keyId: bytes.subarray(0, KEY_ID_BYTES).toString("hex"), signature: bytes.subarray(KEY_ID_BYTES) });
  }
  return accept({ text: note.slice(0, split + 1), signatures });
}

/** The note, when `verifier` signed it. Signatures of keys that are not known here are ignored; a bad one of this key is not. */
export function openNote(note: string, verifier: NoteVerifier): Outcome<Note> {
  const parsed = parseNote(note);
  if (!parsed.ok) return parsed;
  const own = parsed.value.signatures.filter((one) => one.name === verifier.name && one.keyId === verifier.keyId);
  const text = Buffer.from(parsed.value.text, "utf8");
  const good =
    own.length > 0 && own.every((one) => one.signature.length === SIGNATURE_BYTES && verify(null, text, verifier.publicKey, one.signature));
  if (good) return parsed;
  const why = own.length === 0 ? "is not signed by" : "carries a false signature of";
  return refuse("engine", "BAD_NOTE_SIGNATURE", `signed note: ${why} ${verifier.vkey}`, "keep the note as evidence, and ask the log again");
}
