import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { sign } from "node:crypto";
import test from "node:test";
import fc from "fast-check";
import { GIB } from "../../contract/index.ts";
import type { ImvuId, Json } from "../../kernel/index.ts";
import { createIdentityKey, type SigningKey } from "./key.ts";
import { openCommand } from "./open-command.ts";
import { addApproval, type CommandFields, commandDigest, commandFields, signCommand } from "./signed-command.ts";
import { verifySignatures } from "./verify-signatures.ts";

const NOW = 1_790_000_000_000;
const actor = createIdentityKey();
const owner = createIdentityKey();
const fields = commandFields("dns.set", "IMVU-001" as ImvuId, { name: "www.imvu001.world", type: "A", ttl: 300, values: ["203.0.113.7"] }, NOW, "A".repeat(22));
const signed = signCommand(fields, actor);
const b64 = (text: string) => Buffer.from(text).toString("base64url");

function refusal(of: unknown): { code: string; message: string; hint: string } {
  const opened = openCommand(of);
  assert.ok(!opened.ok, "must be refused");
  assert.equal(opened.kind, "usage");
  assert.ok(opened.hint.length > 0);
  assert.ok(opened.message.length < 1_000 && /^[\x20-\x7e–]*$/.test(opened.message), opened.message);
  return opened;
}

/** Signs any header and payload text, as a hostile client would. */
function raw(payload: string, header: string, key: SigningKey = actor) {
  const parts = { payload: b64(payload), protected: b64(header) };
  const signature = sign(null, Buffer.from(`${parts.protected}.${parts.payload}`), key.privateKey).toString("base64url");
  return { payload: parts.payload, signatures: [{ protected: parts.protected, signature }] };
}

const payloadText = Buffer.from(signed.payload, "base64url").toString();
const header = (more: Record<string, unknown> = {}) => JSON.stringify({ alg: "EdDSA", kid: actor.kid, typ: "nexus-command", ...more });

test("a signed command opens with its parsed params, its digest and its signers, and each signature verifies", () => {
  const both = addApproval(signed, owner);
  const opened = openCommand(JSON.parse(JSON.stringify(both)));
  assert.ok(opened.ok);
  assert.equal(opened.value.command.op, "dns.set");
  assert.equal(opened.value.digest, commandDigest(both));
  assert.deepEqual(opened.value.signatures.map(({ kid }) => kid), [actor.kid, owner.kid]);
  const keys = new Map([actor, owner].map((key) => [key.kid, key.publicKey]));
  assert.deepEqual(verifySignatures(opened.value, (kid) => keys.get(kid)).map(({ valid }) => valid), [true, true]);
  assert.deepEqual(verifySignatures(opened.value, (kid) => (kid === actor.kid ? actor.publicKey : undefined)).map(({ valid }) => valid), [true, false]);
});

test("a signature by another key, over another payload, or answered with another key is not valid", () => {
  const opened = openCommand(signed);
  assert.ok(opened.ok);
  const other = { ...signed, payload: signCommand({ ...fields, exp: fields.exp - 1 }, actor).payload };
  const moved = openCommand(other);
  assert.ok(moved.ok);
  assert.equal(verifySignatures(moved.value, () => actor.publicKey)[0]?.valid, false);
  assert.equal(verifySignatures(opened.value, () => owner.publicKey)[0]?.valid, false);
  const borrowed = openCommand(raw(payloadText, header({ kid: owner.kid }), actor));
  assert.ok(borrowed.ok);
  assert.equal(verifySignatures(borrowed.value, () => actor.publicKey)[0]?.valid, false, "the registry answers a key that was not asked for");
});

test("what was verified once is not asked of another key: neither a false signature nor another key counts", () => {
  const opened = openCommand(addApproval(signed, owner));
  const other = openCommand({ ...signed, payload: signCommand({ ...fields, exp: fields.exp - 1 }, actor).payload });
  assert.ok(opened.ok && other.ok);
  const keys = new Map([actor, owner].map(({ kid, publicKey }) => [kid, publicKey]));
  assert.deepEqual(verifySignatures(opened.value, () => owner.publicKey).map(({ valid }) => valid), [false, true]);
  assert.deepEqual(verifySignatures(opened.value, (kid) => keys.get(kid)).map(({ valid }) => valid), [true, true]);
  assert.deepEqual(verifySignatures(opened.value, (kid) => (kid === owner.kid ? owner.publicKey : undefined)).map(({ valid }) => valid), [false, true]);
  assert.deepEqual(verifySignatures(other.value, (kid) => keys.get(kid)).map(({ valid }) => valid), [false]);
});

test("the header of another spelling without typ, in another order, is accepted", () => {
  assert.ok(openCommand(raw(payloadText, JSON.stringify({ kid: actor.kid, alg: "EdDSA" }))).ok);
});

for (const [what, text] of Object.entries({
  "alg none": header({ alg: "none" }),
  "alg HS256": header({ alg: "HS256" }),
  "crit": header({ crit: ["exp"] }),
  "a key of its own": header({ jwk: { kty: "OKP" } }),
  "a foreign typ": header({ typ: "JWT" }),
  "a member twice": `{"alg":"none","alg":"EdDSA","kid":"${actor.kid}"}`,
  "white space": `{ "alg":"EdDSA","kid":"${actor.kid}"}`,
  "no kid": '{"alg":"EdDSA"}',
  "a kid that is none": header({ kid: "../../etc/passwd" }),
  "an array": "[]",
  "null": "null",
  "__proto__": `{"alg":"EdDSA","kid":"${actor.kid}","__proto__":{}}`,
})) {
  test(`a protected header with ${what} is refused`, () => void refusal(raw(payloadText, text)));
}

for (const [what, text] of Object.entries({
  "white space": ` ${payloadText}`,
  "members in another order": JSON.stringify(Object.fromEntries(Object.entries(fields).reverse())),
  "a member twice": payloadText.replace('{"exp"', '{"exp":1,"exp"'),
  "a number of another spelling": payloadText.replace(`"exp":${fields.exp}`, `"exp":${fields.exp}.0`),
  "an escaped letter": payloadText.replace("www", "\\u0077ww"),
  "a lone surrogate": payloadText.replace("www", "\\ud800"),
  "a member more": payloadText.replace('"params"', '"admin":true,"params"'),
  "a byte order mark": `\ufeff${payloadText}`,
  "no JSON": "hello",
})) {
  test(`a payload with ${what} is refused`, () => void refusal(raw(text, header())));
}

test("padding, or unused bits in base64url, are refused: one payload has one spelling", () => {
  refusal({ ...signed, payload: `${signed.payload}=` });
  refusal({ ...signed, payload: `${signed.payload}\n` });
  const [first] = signed.signatures;
  refusal({ ...signed, signatures: [{ ...first, signature: `${first?.signature}=` }] });
  refusal({ ...signed, signatures: [{ ...first, signature: first?.signature.slice(0, 80) }] });
});

test("the same key twice, no signature, nine signatures, an unprotected header: refused", () => {
  refusal({ ...signed, signatures: [...signed.signatures, ...signed.signatures] });
  refusal({ ...signed, signatures: [] });
  refusal({ ...signed, signatures: Array.from({ length: 9 }, () => createIdentityKey()).reduce(addApproval, signed).signatures });
  refusal({ ...signed, signatures: [{ ...signed.signatures[0], header: { kid: actor.kid } }] });
});

test("imvu is there exactly when the op needs one", () => {
  assert.match(refusal(signCommand({ ...fields, imvu: null }, actor)).message, /^imvu: dns\.set needs/);
  const register = { ...fields, op: "identity.register", params: { name: "creator-1", publicKey: actor.publicKey.text } } satisfies CommandFields;
  assert.match(refusal(signCommand(register, actor)).message, /^imvu: identity\.register names none/);
});

test("a key that may not be registered is named as such", () => {
  const small = Buffer.alloc(32).toString("base64url");
  const over = Buffer.from(`f0${"ff".repeat(30)}7f`, "hex").toString("base64url");
  const good = actor.publicKey.text;
  const refused = (op: CommandFields["op"], params: CommandFields["params"]) => refusal(signCommand({ ...fields, op, imvu: null, params }, actor)).code;
  assert.equal(refused("identity.register", { name: "creator-1", publicKey: small }), "KEY_SMALL_ORDER");
  assert.equal(refused("identity.register", { name: "creator-1", publicKey: over }), "KEY_NON_CANONICAL");
  assert.equal(refused("identity.register", { name: "creator-1", publicKey: good, recoveryKey: small }), "KEY_SMALL_ORDER");
  assert.equal(refused("identity.key.add", { publicKey: small, device: "laptop" }), "KEY_SMALL_ORDER");
  assert.equal(refused("identity.key.rotate", { publicKey: over }), "KEY_NON_CANONICAL");
  assert.equal(refused("identity.recovery.set", { recoveryKey: small }), "KEY_SMALL_ORDER");
  assert.equal(refused("identity.recovery.begin", { name: "creator-1", publicKey: small }), "KEY_SMALL_ORDER");
});

test("a refusal names the field, the limit, what was seen, and what to type", () => {
  const envelope = { cpuMillis: 7, memoryBytes: 4 * GIB, storageBytes: GIB, iops: 100, bandwidthBps: 1_000_000, processes: 64, burst: null };
  const refused = refusal(signCommand({ ...fields, op: "imvu.scale", params: { envelope } }, actor));
  assert.equal(refused.code, "BAD_PARAMS");
  assert.match(refused.message, /params\.envelope\.cpuMillis: .*50.*\(got 7\)/);
  assert.equal(refused.hint, "run 'nexus imvu scale --help' for the fields and their limits");
});

test("hostile names are refused, shown escaped and short", () => {
  const hostile = ["'; DROP TABLE x;--", "a\nb", "../../etc", "$(id)", "`id`", "\u202eevil", "x".repeat(10_000), "ехample.world", "a..b", "-a.world", "A.world", "a b", "a\0b", "localhost\r\nX: y"];
  for (const name of hostile) {
    const refused = refusal(signCommand({ ...fields, params: { ...(fields.params as Record<string, Json>), name } }, actor));
    assert.match(refused.message, /params\.name/);
  }
});

test("a hostile key of an object is shown escaped", () => {
  const refused = refusal(signCommand({ ...fields, params: { ...(fields.params as Record<string, Json>), "\u202e\n$(id)": 1 } }, actor));
  assert.match(refused.message, /params/);
});

test("more than the limit is refused before it is parsed", () => {
  refusal({ ...signed, payload: "A".repeat(25 * 1024) });
});

test("anything at all is answered by a value", () => {
  fc.assert(fc.property(fc.anything({ withNullPrototype: true, maxDepth: 4 }), (value) => !openCommand(value).ok), { numRuns: 300 });
  const part = fc.oneof(fc.string(), fc.json(), fc.base64String(), fc.constant(signed.payload), fc.constant(signed.signatures[0]?.protected ?? ""));
  const shaped = fc.record({ payload: part, signatures: fc.array(fc.record({ protected: part, signature: part }), { maxLength: 3 }) });
  fc.assert(fc.property(shaped, (value) => typeof openCommand(value).ok === "boolean"), { numRuns: 500 });
});
