import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync, verify } from "node:crypto";
import test from "node:test";
import { sha256 } from "../../kernel/index.ts";
import { formatCheckpoint, openCheckpoint, signCheckpoint } from "./checkpoint.ts";
import { cosign, cosigner, openCosignatures, parseWitnessKey, withSignatureLines } from "./cosignature.ts";
import { type Note, noteSigner, parseNote, parseVerifierKey } from "./note.ts";
import { leafHash } from "./tree.ts";

const key = generateKeyPairSync("ed25519").privateKey;
const witness = cosigner("witness.example/w1", key);
const log = noteSigner("log.example/nexus", generateKeyPairSync("ed25519").privateKey);
const checkpoint = { origin: log.name, size: 7, root: leafHash(Buffer.alloc(32)) };
const text = formatCheckpoint(checkpoint);
const note = signCheckpoint(checkpoint, log);
const TIME_S = 1_679_315_147;
const parsed = (of: string): Note => {
  const opened = parseNote(of);
  assert.ok(opened.ok);
  return opened.value;
};

test("a cosignature is built as the specification says, byte for byte", () => {
  const line = cosign(text, witness, TIME_S);
  const [dash, name, base64] = line.trimEnd().split(" ");
  assert.deepEqual([dash, name], ["—", "witness.example/w1"]);
  const bytes = Buffer.from(base64 as string, "base64");
  assert.equal(bytes.length, 4 + 8 + 64);
  const raw = Buffer.from(createPublicKey(key).export({ format: "jwk" }).x as string, "base64url");
  assert.equal(bytes.subarray(0, 4).toString("hex"), sha256(Buffer.concat([Buffer.from("witness.example/w1\n\x04"), raw])).subarray(0, 4).toString("hex"));
  // The time in the example of c2sp.org/tlog-cosignature: jWbPPwAAAABkGFDL…
  assert.equal(bytes.subarray(4, 12).toString("hex"), Buffer.from("jWbPPwAAAABkGFDLEZMHwSRa", "base64").subarray(4, 12).toString("hex"));
  assert.ok(verify(null, Buffer.from(`cosignature/v1\ntime 1679315147\nlog.example/nexus\n7\n${checkpoint.root.toString("base64")}\n`), createPublicKey(key), bytes.subarray(12)));
});

test("a note with cosignatures opens for whoever knows only the log, and its cosignatures for whoever knows the witness", () => {
  const other = cosigner("witness.example/w2", generateKeyPairSync("ed25519").privateKey);
  const full = withSignatureLines(note, [cosign(text, witness, TIME_S), cosign(text, other, TIME_S + 1)]);
  assert.deepEqual(openCheckpoint(full, log), { ok: true, value: checkpoint });
  const known = parseWitnessKey(witness.vkey);
  assert.ok(known.ok);
  const found = openCosignatures(parsed(full), [known.value]);
  assert.deepEqual(found.map(({ by, time_s, line }) => [by.name, time_s, line]), [[witness.name, TIME_S, cosign(text, witness, TIME_S)]]);
  assert.equal(openCosignatures(parsed(full), [witness, other]).length, 2);
  assert.equal(openCosignatures(parsed(note), [witness, other]).length, 0);
});

test("what is not this witness's cosignature of this checkpoint does not count, and takes no good one away", () => {
  const good = cosign(text, witness, TIME_S);
  const bytes = Buffer.from(good.trimEnd().split(" ")[2] as string, "base64");
  const line = (changed: Buffer, name = witness.name) => `— ${name} ${changed.toString("base64")}\n`;
  const flipped = (at: number) => Buffer.from(bytes.map((byte, n) => (n === at ? byte ^ 1 : byte)));
  const wrong: Record<string, string> = {
    "another checkpoint": cosign(formatCheckpoint({ ...checkpoint, size: 8 }), witness, TIME_S),
    "another time": line(flipped(11)),
    "one bit of the signature": line(flipped(40)),
    "another key id": line(flipped(0)),
    "another name": line(bytes, "witness.example/w3"),
    "another key under the name": cosign(text, cosigner(witness.name, generateKeyPairSync("ed25519").privateKey), TIME_S),
    "a time beyond 2^53": line(flipped(4)),
    "cut short": line(bytes.subarray(0, 75)),
    "one byte more": line(Buffer.concat([bytes, Buffer.alloc(1)])),
    "the witness's key as a log's signature": signCheckpoint(checkpoint, noteSigner(witness.name, key)).slice(note.lastIndexOf("\n\n") + 2),
  };
  for (const [what, bad] of Object.entries(wrong)) {
    assert.equal(openCosignatures(parsed(withSignatureLines(note, [bad])), [witness]).length, 0, what);
    assert.equal(openCosignatures(parsed(withSignatureLines(note, [bad, good])), [witness]).length, 1, `${what}, before a good one`);
  }
  assert.equal(openCosignatures(parsed(withSignatureLines(note, [good, good])), [witness]).length, 1, "twice is once");
});

test("a log's key is no witness's, and a witness's no log's", () => {
  assert.ok(parseVerifierKey(log.vkey).ok && parseWitnessKey(witness.vkey).ok);
  for (const refused of [parseVerifierKey(witness.vkey), parseWitnessKey(log.vkey), parseWitnessKey(noteSigner(witness.name, key).vkey), parseWitnessKey("x"), parseWitnessKey(witness.vkey.replace("w1", "w2"))])
    assert.equal(refused.ok ? "" : refused.code, "BAD_VERIFIER_KEY");
  const [name = "", id = ""] = witness.vkey.split("+");
  const typed = witness.vkey.slice(name.length + id.length + 2);
  const logsType = parseWitnessKey(`${name}+${id}+${Buffer.from(Buffer.from(typed, "base64").map((byte, at) => (at === 0 ? 1 : byte))).toString("base64")}`);
  assert.match(logsType.ok ? "" : logsType.message, /not an Ed25519 key of type 4/, "a log's type under a witness's id");
  assert.throws(() => cosigner("two words", key), { code: "BAD_WITNESS_NAME" });
  assert.throws(() => cosigner("w", generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey), { code: "BAD_WITNESS_KEY" });
  assert.throws(() => cosign(text, witness, 1.5), RangeError);
});
