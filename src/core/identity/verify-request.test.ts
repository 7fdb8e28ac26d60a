import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import test from "node:test";
import fc from "fast-check";
import type { KeyId } from "../../kernel/index.ts";
import { contentDigest, type SignedHeaders, signatureBase, signRequest } from "./http-signature.ts";
import { createIdentityKey } from "./key.ts";
import { NonceWindow } from "./nonce-window.ts";
import { type ReceivedRequest, type RequestChecks, verifyRequest } from "./verify-request.ts";

const NOW = 1_790_000_000_000;
const key = createIdentityKey();
const stranger = createIdentityKey();
const URI = "http://127.0.0.1:7000/v1/imvus/IMVU-001/services?limit=2";
const BODY = Buffer.from('{"a":1}');

function checks(more: Partial<RequestChecks> = {}): RequestChecks {
  return { now_ms: NOW, keyOf: (kid) => (kid === key.kid ? key.publicKey : undefined), nonces: new NonceWindow(), ...more };
}

function request(headers: SignedHeaders = signRequest({ method: "POST", targetUri: URI, body: BODY }, key, NOW), more: Partial<ReceivedRequest> = {}): ReceivedRequest {
  return { method: "POST", targetUri: URI, headers: { ...headers }, body: BODY, ...more };
}

async function codeOf(received: ReceivedRequest, how = checks()): Promise<string> {
  const verified = await verifyRequest(received, how);
  if (verified.ok) return "ok";
  assert.equal(verified.kind, "unauthenticated");
  assert.ok(verified.hint.length > 0);
  return verified.code;
}

test("RFC 9421 B.2.6: base and signature", () => {
  const privateKey = createPrivateKey({ key: Buffer.from("MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF", "base64"), format: "der", type: "pkcs8" });
  const base = signatureBase(
    [["date", "Tue, 20 Apr 2021 02:07:55 GMT"], ["@method", "POST"], ["@path", "/foo"], ["@authority", "example.com"], ["content-type", "application/json"], ["content-length", "18"]],
    '("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"',
  );
  assert.equal(sign(null, base, privateKey).toString("base64"), "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==");
  assert.ok(verify(null, base, createPublicKey(privateKey), sign(null, base, privateKey)));
});

test("RFC 9530, appendix D: Content-Digest of {\"hello\": \"world\"}", async () => {
  const { sha256 } = await import("../../kernel/index.ts");
  assert.equal(contentDigest(sha256('{"hello": "world"}')), "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:");
});

test("a signed request verifies and says who, when and over which body", async () => {
  const verified = await verifyRequest(request(), checks());
  assert.ok(verified.ok);
  assert.equal(verified.value.kid, key.kid);
  assert.equal(verified.value.created_ms, NOW);
});

test("an empty body is covered too, and a streamed one is left to the caller with its digest", async () => {
  const bare = signRequest({ method: "GET", targetUri: URI }, key, NOW);
  assert.equal(await codeOf({ method: "GET", targetUri: URI, headers: { ...bare } }), "ok");
  assert.equal(await codeOf({ method: "GET", targetUri: URI, headers: { ...bare }, body: BODY }), "BODY_DIGEST");
  const streamed = await verifyRequest(request(undefined, { body: "streamed" }), checks());
  assert.ok(streamed.ok && contentDigest(streamed.value.bodySha256) === contentDigest((await import("../../kernel/index.ts")).sha256(BODY)));
});

test("another method, target, body, key or an altered parameter does not verify", async () => {
  const headers = signRequest({ method: "POST", targetUri: URI, body: BODY }, key, NOW);
  assert.equal(await codeOf(request(headers, { method: "DELETE" })), "SIGNATURE_WRONG");
  assert.equal(await codeOf(request(headers, { targetUri: URI.replace("001", "002") })), "SIGNATURE_WRONG");
  assert.equal(await codeOf(request(headers, { targetUri: URI.replace("7000", "7001") })), "SIGNATURE_WRONG");
  assert.equal(await codeOf(request(headers, { body: Buffer.from("{}") })), "BODY_DIGEST");
  assert.equal(await codeOf(request(signRequest({ method: "POST", targetUri: URI, body: BODY }, stranger, NOW))), "SIGNATURE_WRONG");
  const claimed = headers["signature-input"].replace(key.kid, stranger.kid);
  assert.equal(await codeOf(request({ ...headers, "signature-input": claimed })), "SIGNATURE_WRONG");
  assert.equal(await codeOf(request(headers), checks({ keyOf: () => stranger.publicKey })), "SIGNATURE_WRONG");
  const lent = { ...key, privateKey: stranger.privateKey };
  const wrong = request(signRequest({ method: "POST", targetUri: URI, body: BODY }, lent, NOW));
  assert.equal(await codeOf(wrong, checks({ keyOf: () => stranger.publicKey })), "SIGNATURE_WRONG", "the registry answers a key that was not asked for");
  const later = headers["signature-input"].replace(/created=\d+/, `created=${NOW / 1000 + 1}`);
  assert.equal(await codeOf(request({ ...headers, "signature-input": later })), "SIGNATURE_WRONG");
});

test("too old or too far ahead is refused; at the limit it is not", async () => {
  for (const [away_ms, code] of [[-61_000, "REQUEST_STALE"], [-60_000, "ok"], [60_000, "ok"], [61_000, "REQUEST_STALE"]] as const) {
    assert.equal(await codeOf(request(signRequest({ method: "POST", targetUri: URI, body: BODY }, key, NOW + away_ms))), code, String(away_ms));
  }
});

test("a replay is refused as long as the request could pass otherwise, and a forged one does not use up the nonce", async () => {
  const nonces = new NonceWindow();
  const headers = signRequest({ method: "POST", targetUri: URI, body: BODY }, key, NOW + 60_000);
  assert.equal(await codeOf(request(headers, { method: "PUT" }), checks({ nonces })), "SIGNATURE_WRONG");
  assert.equal(await codeOf(request(headers), checks({ nonces })), "ok");
  assert.equal(await codeOf(request(headers), checks({ nonces })), "REQUEST_REPLAYED");
  assert.equal(await codeOf(request(headers), checks({ nonces, now_ms: NOW + 120_000 })), "REQUEST_REPLAYED");
});

test("the nonce memory is bounded, per key as well, and forgets what cannot come again", () => {
  const [a, b] = ["a" as KeyId, "b" as KeyId];
  const memory = new NonceWindow(3, 2);
  assert.equal(memory.use(a, "1", 10, 0), "fresh");
  assert.equal(memory.use(a, "2", 10, 0), "fresh");
  assert.equal(memory.use(a, "3", 10, 0), "full");
  assert.equal(memory.use(b, "1", 20, 0), "fresh");
  assert.equal(memory.use(b, "2", 20, 0), "full");
  assert.equal(memory.use(a, "1", 30, 11), "fresh");
});

test("absent, repeated, oversized or differently covered headers are refused by form", async () => {
  const good = signRequest({ method: "POST", targetUri: URI, body: BODY }, key, NOW);
  const input = good["signature-input"];
  for (const name of ["signature", "signature-input", "content-digest"] as const) {
    assert.equal(await codeOf(request(good, { headers: { ...good, [name]: undefined } })), "SIGNATURE_MISSING");
    assert.equal(await codeOf(request(good, { headers: { ...good, [name]: [good[name], good[name]] } })), "SIGNATURE_MISSING");
    assert.equal(await codeOf(request(good, { headers: { ...good, [name]: `${good[name]}${" ".repeat(2_000)}` } })), "SIGNATURE_MISSING");
  }
  const variants = [
    input.replace('"@method" ', ""), input.replace('"@method"', '"@method" "date"'), input.replace('"@method"', '"@method" "@method"'), input.replace("nexus=", "sig1="),
    input.replace(/;nonce="[^"]*"/, ""), input.replace(/;tag="[^"]*"/, ";tag=\"other\""), input.replace('alg="ed25519"', 'alg="hmac-sha256"'), `${input};expires=1`, `${input};alg="ed25519"`,
    input.replace(/created=\d+/, 'created="1"'), input.replace(/created=\d+/, "created=-1"), `${input}, other=()`, input.replace(/keyid="[^"]*"/, 'keyid="x"'), `${input}\n`, "", "nexus=()",
  ];
  for (const bad of variants) {
    assert.notEqual(bad, input);
    assert.equal(await codeOf(request(good, { headers: { ...good, "signature-input": bad } })), "SIGNATURE_FORM", bad);
  }
  assert.equal(await codeOf(request(good, { headers: { ...good, signature: good.signature.replace("nexus=", "x=") } })), "SIGNATURE_FORM");
  assert.equal(await codeOf(request(good, { headers: { ...good, "content-digest": "sha-512=:AAAA:" } })), "SIGNATURE_FORM");
});

test("components in another order, as other clients send them, verify", async () => {
  const made = signRequest({ method: "POST", targetUri: URI, body: BODY }, key, NOW);
  const parameters = `("content-digest" "@target-uri" "@method");keyid="${key.kid}";created=${NOW / 1000};nonce="${"B".repeat(22)}";tag="nexus-request"`;
  const base = signatureBase([["content-digest", made["content-digest"]], ["@target-uri", URI], ["@method", "POST"]], parameters);
  const signature = `nexus=:${sign(null, base, key.privateKey).toString("base64")}:`;
  assert.equal(await codeOf(request({ "content-digest": made["content-digest"], "signature-input": `nexus=${parameters}`, signature })), "ok");
});

test("any header text is answered by a value", async () => {
  const good = signRequest({ method: "POST", targetUri: URI, body: BODY }, key, NOW);
  const text = fc.oneof(fc.string(), fc.constantFrom(...Object.values(good)));
  await fc.assert(
    fc.asyncProperty(text, text, text, async (a, b, c) => {
      await verifyRequest({ method: "POST", targetUri: URI, headers: { "signature-input": a, signature: b, "content-digest": c }, body: BODY }, checks());
    }),
    { numRuns: 300 },
  );
});
