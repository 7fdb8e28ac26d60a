import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { accept, canonicalBytes, type KeyId, type Outcome, quoteForPeople, refuse, sha256 } from "../../kernel/index.ts";
import { decodeBase64url, encodeBase64url } from "./base64url.ts";
import { type PointFlaw, pointFlaw } from "./ed25519-point.ts";

/** An Ed25519 public key that passed the door: canonical, on the curve, not of small order. */
export interface PublicKey {
  readonly kid: KeyId;
  /** 32 bytes, base64url: how it travels. */
  readonly text: string;
  readonly key: KeyObject;
}

/** A key pair on its owner's side. It never crosses to the server. */
export interface SigningKey {
  readonly kid: KeyId;
  readonly publicKey: PublicKey;
  readonly privateKey: KeyObject;
}

/** OKP private key as RFC 8037 §2 writes it. */
export interface PrivateJwk {
  readonly kty: "OKP";
  readonly crv: "Ed25519";
  readonly x: string;
  readonly d: string;
}

const FLAWS: Record<PointFlaw, { readonly code: string; readonly says: string }> = {
  length: { code: "BAD_KEY", says: "is not 32 bytes" },
  "non-canonical": { code: "KEY_NON_CANONICAL", says: "is a non-canonical encoding (y is not below 2^255-19)" },
  "small-order": { code: "KEY_SMALL_ORDER", says: "is a point of small order: anyone could sign for it" },
  "off-curve": { code: "KEY_OFF_CURVE", says: "is not a point of the curve" },
};

/** RFC 7638 thumbprint of the OKP JWK: its required members in canonical order are crv, kty, x. */
export function kidOf(publicKey: string | Pick<PublicKey, "text">): KeyId {
  const x = typeof publicKey === "string" ? publicKey : publicKey.text;
  return encodeBase64url(sha256(canonicalBytes({ crv: "Ed25519", kty: "OKP", x }))) as KeyId;
}

/** Keys that passed the door lately, the one that was not asked for longest first: the check of a point costs three signatures' worth. */
const PASSED = new Map<string, PublicKey>();
const PASSED_MAX = 8_192;

/** The only way from outside text to a key that verifies anything. */
export function publicKeyFromText(text: unknown): Outcome<PublicKey> {
  const passed = typeof text === "string" ? PASSED.get(text) : undefined;
  if (passed) {
    PASSED.delete(passed.text);
    PASSED.set(passed.text, passed);
    return accept(passed);
  }
  const bytes = typeof text === "string" && text.length <= 64 ? decodeBase64url(text) : undefined;
  const flaw = bytes ? pointFlaw(bytes) : "length";
  if (bytes === undefined || flaw !== undefined) {
    const seen = typeof text === "string" ? quoteForPeople(text) : typeof text;
    const { code, says } = FLAWS[flaw ?? "length"];
    return refuse("usage", code, `public key ${seen}: ${says}`, "use the key that 'nexus identity create' made: 43 characters, base64url");
  }
  const x = encodeBase64url(bytes);
  const key: PublicKey = { kid: kidOf(x), text: x, key: createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" }) };
  PASSED.set(x, key);
  if (PASSED.size > PASSED_MAX) PASSED.delete(PASSED.keys().next().value as string);
  return accept(key);
}

export function createIdentityKey(): SigningKey {
  return signingKeyFromPrivate(generateKeyPairSync("ed25519").privateKey);
}

export function signingKeyFromJwk(jwk: PrivateJwk): SigningKey {
  const made = signingKeyFromPrivate(createPrivateKey({ key: { ...jwk }, format: "jwk" }));
  if (made.publicKey.text !== jwk.x) throw new TypeError("private key: x does not belong to d");
  return made;
}

export function privateJwkOf(key: SigningKey): PrivateJwk {
  const { d } = key.privateKey.export({ format: "jwk" });
  if (d === undefined) throw new TypeError("not a private key");
  return { kty: "OKP", crv: "Ed25519", x: key.publicKey.text, d };
}

export function signingKeyFromPrivate(privateKey: KeyObject): SigningKey {
  const { x } = createPublicKey(privateKey).export({ format: "jwk" });
  const publicKey = publicKeyFromText(x);
  if (!publicKey.ok) throw new TypeError(publicKey.message);
  return { kid: publicKey.value.kid, publicKey: publicKey.value, privateKey };
}
