import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { sign, verify } from "node:crypto";
import test from "node:test";
import { createIdentityKey, kidOf, privateJwkOf, publicKeyFromText, signingKeyFromJwk } from "./key.ts";

// RFC 8037, appendix A.
const RFC = { kty: "OKP", crv: "Ed25519", d: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" } as const;

test("RFC 8037 A.3: the thumbprint", () => {
  assert.equal(kidOf(RFC.x), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
});

test("RFC 8037 A.4 and A.5: the signature", () => {
  const key = signingKeyFromJwk(RFC);
  const input = Buffer.from("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc");
  const signature = sign(null, input, key.privateKey);
  assert.equal(signature.toString("base64url"), "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
  assert.ok(verify(null, input, key.publicKey.key, signature));
});

test("a made key survives the way through its JWK", () => {
  const key = createIdentityKey();
  const again = signingKeyFromJwk(privateJwkOf(key));
  assert.equal(again.kid, key.kid);
  assert.equal(kidOf(key.publicKey), key.kid);
});

test("a private key whose x is another's is refused", () => {
  assert.throws(() => signingKeyFromJwk({ ...RFC, x: createIdentityKey().publicKey.text }));
});

test("a small-order key, for which anybody can sign, is refused by name", () => {
  const identityPoint = Buffer.from(`01${"00".repeat(31)}`, "hex");
  const refused = publicKeyFromText(identityPoint.toString("base64url"));
  assert.ok(!refused.ok && /small order/.test(refused.message), JSON.stringify(refused));
});

test("hostile texts are refused with a hint and never echoed raw", () => {
  const good = createIdentityKey().publicKey.text;
  const lastChar = good.at(-1) as string;
  // The last character carries two unused bits: the same bytes with other bits are another text.
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const twin = good.slice(0, -1) + alphabet[alphabet.indexOf(lastChar) + 1];
  for (const text of ["", "A", `${good}=`, `${good}A`, twin, `${good.slice(0, 42)}\n`, "\u202e".repeat(43), "x".repeat(10_000), 7, null, undefined, {}]) {
    const refused = publicKeyFromText(text);
    assert.ok(!refused.ok, String(text));
    assert.ok(refused.hint.length > 0 && refused.message.length < 300 && /^[\x20-\x7e]*$/.test(refused.message));
  }
});
