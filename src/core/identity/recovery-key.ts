import { Buffer } from "node:buffer";
import { createPrivateKey } from "node:crypto";
import { bech32 } from "@scure/base";
import { accept, type Outcome, refuse } from "../../kernel/index.ts";
import { privateJwkOf, type SigningKey, signingKeyFromPrivate } from "./key.ts";

/**
 * A recovery key as it is written on paper: Bech32 (BIP-173) like an age identity, in capitals, with a checksum that finds up to four wrong
 * characters. It holds the 32-byte Ed25519 seed (RFC 8032 §5.1.5).
 */
const PREFIX = "nexus-recovery-key-";
const CHARS_MAX = 90;
const SEED_BYTES = 32;
/** RFC 8410 §7: PKCS #8 around an Ed25519 seed. */
const PKCS8_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");

export function formatRecoveryKey(key: SigningKey): string {
  return bech32.encode(PREFIX, bech32.toWords(Buffer.from(privateJwkOf(key).d, "base64url")), CHARS_MAX).toUpperCase();
}

/** White space is for readers, and capitals are one with small letters. What was typed is not repeated in the refusal. */
export function parseRecoveryKey(text: string): Outcome<SigningKey> {
  const typed = text.replace(/\s/g, "").toLowerCase();
  const decoded = bech32.decodeUnsafe(typed, CHARS_MAX);
  const seed = decoded && decoded.prefix === PREFIX ? bech32.fromWordsUnsafe(decoded.words) : undefined;
  if (!seed || seed.length !== SEED_BYTES) return refuse("usage", "BAD_RECOVERY_KEY", "that is not a recovery key, or a character of it is wrong", "it begins with NEXUS-RECOVERY-KEY-1 and stands where you wrote it when you made the identity");
  return accept(signingKeyFromPrivate(createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: "der", type: "pkcs8" })));
}
