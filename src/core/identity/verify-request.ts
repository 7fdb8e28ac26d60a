import { Buffer } from "node:buffer";
import { verify } from "node:crypto";
import { accept, type KeyId, type Outcome, parseKeyId, refuse, type Refusal, sha256 } from "../../kernel/index.ts";
import { COVERED, coveredValues, EMPTY_BODY, SIGNATURE_LABEL, SIGNATURE_TAG, signatureBase } from "./http-signature.ts";
import type { PublicKey } from "./key.ts";

/** How far `created` may lie from our clock, either way. */
export const REQUEST_SKEW_MS_MAX = 60_000;
const HEADER_CHARS_MAX = 1_024;
const SIGNATURE_BYTES = 64;
const SHA256_BYTES = 32;

export interface ReceivedRequest {
  readonly method: string;
  /** Absolute, built from the server's OWN origin and the raw path and query, never from a forwarded header. */
  readonly targetUri: string;
  /** Node's form: lower-case names; a repeated header is an array. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** "streamed": the caller compares `bodySha256` of the answer with what it hashes while reading. Absent: an empty body. */
  readonly body?: Uint8Array | "streamed";
}

/** Remembers nonces as long as their request could come again. */
export interface NonceMemory {
  /** "fresh" only the first time for this key and nonce; "full" when it cannot remember more. */
  use(kid: KeyId, nonce: string, until_ms: number, now_ms: number): "fresh" | "seen" | "full";
}

export interface RequestChecks {
  readonly now_ms: number;
  /** Live keys only. */
  keyOf(kid: KeyId): PublicKey | undefined | Promise<PublicKey | undefined>;
  readonly nonces: NonceMemory;
}

export interface VerifiedRequest {
  readonly kid: KeyId;
  readonly created_ms: number;
  readonly nonce: string;
  /** What the signer says the body hashes to. */
  readonly bodySha256: Uint8Array;
}

/** Refusals are "unauthenticated" and do not tell an unknown key from a wrong signature. */
export async function verifyRequest(request: ReceivedRequest, checks: RequestChecks): Promise<Outcome<VerifiedRequest>> {
  const headers = signedHeadersOf(request);
  if (!headers.ok) return headers;
  const { parameters, components, created_s, nonce, kid, signature, digest, bodySha256 } = headers.value;
  const created_ms = created_s * 1000;
  const away_ms = Math.abs(checks.now_ms - created_ms);
  if (away_ms > REQUEST_SKEW_MS_MAX) {
    return no("REQUEST_STALE", `created is ${Math.round(away_ms / 1000)} s away from the platform's clock, at most ${REQUEST_SKEW_MS_MAX / 1000} s`, "set this machine's clock, then send it again");
  }
  if (request.body !== "streamed" && !sha256(request.body ?? EMPTY_BODY).equals(bodySha256)) {
    return no("BODY_DIGEST", "content-digest does not belong to the body that arrived", "send the very bytes that were signed");
  }
  const publicKey = await checks.keyOf(kid);
  const base = signatureBase(coveredValues(components, request.method, request.targetUri, digest), parameters);
  if (publicKey === undefined || publicKey.kid !== kid || !verify(null, base, publicKey.key, signature)) {
    return no("SIGNATURE_WRONG", "the signature is not one of a live key over this request", "sign with a registered identity; see 'nexus identity list'");
  }
  // Only now, so that nobody without a key can fill the memory.
  const use = checks.nonces.use(kid, nonce, created_ms + 2 * REQUEST_SKEW_MS_MAX, checks.now_ms);
  if (use === "seen") return no("REQUEST_REPLAYED", "this nonce was used before", "sign each request anew");
  if (use === "full") return no("REQUEST_TOO_MANY", "more signed requests within two minutes than the platform remembers", "wait a minute, then send it again");
  return accept({ kid, created_ms, nonce, bodySha256 });
}

interface SignedParts {
  readonly parameters: string;
  readonly components: readonly string[];
  readonly created_s: number;
  readonly nonce: string;
  readonly kid: KeyId;
  readonly signature: Buffer;
  readonly digest: string;
  readonly bodySha256: Buffer;
}

const INPUT = new RegExp(`^${SIGNATURE_LABEL}=(\\(((?:"[a-z@-]+"(?: (?!\\)))?)*)\\)((?:;[a-z]+=(?:"[\\x20\\x21\\x23-\\x5b\\x5d-\\x7e]*"|[0-9]{1,15}))*))$`);
const BYTES = /^:([A-Za-z0-9+/]+={0,2}):$/;
const PARAMETERS: ReadonlySet<string> = new Set(["created", "nonce", "keyid", "alg", "tag"]);

function signedHeadersOf(request: ReceivedRequest): Outcome<SignedParts> {
  const input = oneHeader(request, "signature-input");
  const signatureText = oneHeader(request, "signature");
  const digest = oneHeader(request, "content-digest");
  if (input === undefined || signatureText === undefined || digest === undefined) {
    return no("SIGNATURE_MISSING", "needs one signature-input, one signature and one content-digest header", "sign the request (RFC 9421, label nexus); 'nexus' does it for you");
  }
  const match = INPUT.exec(input);
  if (!match) return form("signature-input is not one signature labelled nexus");
  const [, parameters = "", list = "", pairs = ""] = match;
  const components = list === "" ? [] : list.split(" ").map((name) => name.slice(1, -1));
  if (components.length !== COVERED.length || !COVERED.every((name) => components.includes(name))) return form(`must cover exactly ${COVERED.join(", ")}`);
  const given = parametersOf(pairs);
  if (!given) return form(`must have the parameters ${[...PARAMETERS].join(", ")}, each once and no other (alg may be absent)`);
  const kid = parseKeyId(given.get("keyid"));
  const nonce = given.get("nonce") ?? "";
  const created = given.get("created") ?? "";
  if (!kid.ok) return form("keyid is not an RFC 7638 thumbprint");
  if (!/^[A-Za-z0-9_-]{22}$/.test(nonce)) return form("nonce must be 16 random bytes, base64url");
  if (!/^[0-9]{1,12}$/.test(created)) return form("created must be seconds since the Unix epoch");
  if ((given.get("alg") ?? "ed25519") !== "ed25519" || given.get("tag") !== SIGNATURE_TAG) return form(`alg must be ed25519 and tag ${SIGNATURE_TAG}`);
  const signature = memberBytes(signatureText, SIGNATURE_LABEL, SIGNATURE_BYTES);
  const bodySha256 = memberBytes(digest, "sha-256", SHA256_BYTES);
  if (!signature) return form(`signature must be ${SIGNATURE_LABEL}=:${SIGNATURE_BYTES} bytes in base64:`);
  if (!bodySha256) return form("content-digest must be sha-256=:32 bytes in base64: (RFC 9530)");
  return accept({ parameters, components, created_s: Number(created), nonce, kid: kid.value, signature, digest, bodySha256 });
}

function parametersOf(pairs: string): Map<string, string> | undefined {
  const given = new Map<string, string>();
  for (const [, name = "", value = ""] of pairs.matchAll(/;([a-z]+)=("[^"]*"|[0-9]+)/g)) {
    // RFC 9421 §2.3: created is an integer, the others are strings.
    if (!PARAMETERS.has(name) || given.has(name) || value.startsWith('"') === (name === "created")) return undefined;
    given.set(name, name === "created" ? value : value.slice(1, -1));
  }
  return given;
}

function oneHeader(request: ReceivedRequest, name: string): string | undefined {
  const value = request.headers[name];
  const text = Array.isArray(value) && value.length === 1 ? (value as readonly string[])[0] : value;
  return typeof text === "string" && text.length <= HEADER_CHARS_MAX ? text : undefined;
}

function memberBytes(header: string, label: string, bytes: number): Buffer | undefined {
  const match = header.startsWith(`${label}=`) ? BYTES.exec(header.slice(label.length + 1)) : null;
  const decoded = match?.[1] === undefined ? undefined : Buffer.from(match[1], "base64");
  return decoded?.length === bytes && decoded.toString("base64") === match?.[1] ? decoded : undefined;
}

function form(message: string): Refusal {
  return no("SIGNATURE_FORM", message, "sign as RFC 9421 says; 'nexus' does it for you");
}

function no(code: string, message: string, hint: string): Refusal {
  return refuse("unauthenticated", code, `request signature: ${message}`, hint);
}
