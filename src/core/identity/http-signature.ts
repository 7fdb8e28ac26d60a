import { Buffer } from "node:buffer";
import { sign } from "node:crypto";
import { sha256 } from "../../kernel/index.ts";
import type { SigningKey } from "./key.ts";
import { newNonce } from "./signed-command.ts";

/** Our profile of RFC 9421: one signature, Ed25519, over exactly these components, with exactly these parameters. */
export const COVERED = ["@method", "@target-uri", "content-digest"] as const;
export const SIGNATURE_LABEL = "nexus";
export const SIGNATURE_TAG = "nexus-request";
export const EMPTY_BODY = new Uint8Array(0);

export interface RequestToSign {
  readonly method: string;
  /** Absolute, as it is sent: scheme, authority, path and query. */
  readonly targetUri: string;
  /** Absent: an empty body. */
  readonly body?: Uint8Array;
  /** Instead of `body` for one that is streamed: its SHA-256, 32 bytes. */
  readonly bodySha256?: Uint8Array;
}

// A type alias: assignable to any record of headers.
export type SignedHeaders = {
  readonly "content-digest": string;
  readonly "signature-input": string;
  readonly signature: string;
};

/** The headers to add. `now_ms` is the signer's wall clock. */
export function signRequest(request: RequestToSign, key: SigningKey, now_ms: number, nonce = newNonce()): SignedHeaders {
  const digest = contentDigest(request.bodySha256 ?? sha256(request.body ?? EMPTY_BODY));
  const list = COVERED.map((name) => `"${name}"`).join(" ");
  const parameters = `(${list});created=${Math.floor(now_ms / 1000)};nonce="${nonce}";keyid="${key.kid}";alg="ed25519";tag="${SIGNATURE_TAG}"`;
  const base = signatureBase(coveredValues(COVERED, request.method, request.targetUri, digest), parameters);
  return {
    "content-digest": digest,
    "signature-input": `${SIGNATURE_LABEL}=${parameters}`,
    signature: `${SIGNATURE_LABEL}=:${sign(null, base, key.privateKey).toString("base64")}:`,
  };
}

/** RFC 9530: the `sha-256` member of a Content-Digest. */
export function contentDigest(bodySha256: Uint8Array): string {
  return `sha-256=:${Buffer.from(bodySha256).toString("base64")}:`;
}

export function coveredValues(names: readonly string[], method: string, targetUri: string, digest: string): readonly (readonly [string, string])[] {
  const values: Record<string, string> = { "@method": method.toUpperCase(), "@target-uri": targetUri, "content-digest": digest };
  return names.map((name) => [name, values[name] ?? ""] as const);
}

/** RFC 9421 §2.5: one line for each component, then the parameters exactly as they travel. */
export function signatureBase(components: readonly (readonly [name: string, value: string])[], parameters: string): Buffer {
  const lines = components.map(([name, value]) => `"${name}": ${value}`);
  return Buffer.from([...lines, `"@signature-params": ${parameters}`].join("\n"), "utf8");
}
