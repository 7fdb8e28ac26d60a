import { randomBytes, sign } from "node:crypto";
import { Buffer } from "node:buffer";
import { COMMAND_LIFETIME_MS_DEFAULT, type Op, type SignedCommand } from "../../contract/index.ts";
import { canonicalBytes, canonicalJson, type ImvuId, type Json, type KeyId, type Sha256, sha256Hex } from "../../kernel/index.ts";
import { decodeBase64url, encodeBase64url } from "./base64url.ts";
import type { SigningKey } from "./key.ts";

/** Explicit typing (RFC 8725 §3.11): a command's signature is good for nothing else. */
export const COMMAND_TYP = "nexus-command";
export const NONCE_BYTES = 16;

/** What the signer decides. `iat` and `exp` are milliseconds since the Unix epoch. */
export interface CommandFields {
  readonly op: Op;
  readonly imvu: ImvuId | null;
  readonly params: { readonly [name: string]: Json };
  readonly nonce: string;
  readonly iat: number;
  readonly exp: number;
}

export function newNonce(): string {
  return randomBytes(NONCE_BYTES).toString("base64url");
}

/** A payload that may be carried out from `now_ms` on, for `lifetime_ms`. */
export function commandFields(op: Op, imvu: ImvuId | null, params: CommandFields["params"], now_ms: number, nonce = newNonce(), lifetime_ms = COMMAND_LIFETIME_MS_DEFAULT): CommandFields {
  return { op, imvu, params, nonce, iat: now_ms, exp: now_ms + lifetime_ms };
}

/** JWS general JSON serialisation (RFC 7515 §7.2.1) over canonical JSON; this first signature is the actor's. */
export function signCommand(fields: CommandFields, key: SigningKey): SignedCommand {
  const { op, imvu, params, nonce, iat, exp } = fields;
  const payload = encodeBase64url(canonicalBytes({ op, imvu, params, nonce, iat, exp } satisfies Json));
  return { payload, signatures: [signatureOver(payload, key)] };
}

/** A further signature over the same payload: an approval. */
export function addApproval(signed: SignedCommand, key: SigningKey): SignedCommand {
  return { payload: signed.payload, signatures: [...signed.signatures, signatureOver(signed.payload, key)] };
}

/** What an approval names, and what an operation is known by: SHA-256 of the payload's bytes. */
export function commandDigest(signed: Pick<SignedCommand, "payload">): Sha256 {
  return sha256Hex(decodeBase64url(signed.payload) ?? Buffer.from(signed.payload));
}

export function signingInput(protectedHeader: string, payload: string): Buffer {
  return Buffer.from(`${protectedHeader}.${payload}`, "ascii");
}

function signatureOver(payload: string, key: SigningKey): SignedCommand["signatures"][number] {
  const header = protectedHeaderOf(key.kid);
  return { protected: header, signature: sign(null, signingInput(header, payload), key.privateKey).toString("base64url") };
}

function protectedHeaderOf(kid: KeyId): string {
  return encodeBase64url(canonicalJson({ alg: "EdDSA", kid, typ: COMMAND_TYP }));
}

