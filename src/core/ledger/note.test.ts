import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import test from "node:test";
import { formatCheckpoint, openCheckpoint, parseCheckpoint, signCheckpoint } from "./checkpoint.ts";
import { NOTE_SIGNATURES_MAX, noteSigner, openNote, parseNote, parseVerifierKey, signNote } from "./note.ts";
import { formatTlogProof, parseTlogProof } from "./tlog-proof.ts";
import { leafHash } from "./tree.ts";

const signer = noteSigner("log.example/nexus", generateKeyPairSync("ed25519").privateKey);
const root = leafHash(Buffer.alloc(32));

// The example in the documentation of Go's golang.org/x/mod/sumdb/note.
const GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const GO_NOTE =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n" +
  "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

test("a note signed by Go's implementation opens, and only unchanged", () => {
  const verifier = parseVerifierKey(GO_VKEY);
  assert.ok(verifier.ok);
  assert.equal(verifier.value.vkey, GO_VKEY);
  assert.ok(openNote(GO_NOTE, verifier.value).ok);
  assert.ok(!openNote(GO_NOTE.replace("answer", "Answer"), verifier.value).ok);
  assert.ok(!openNote(GO_NOTE, signer).ok, "somebody else's signature is none of ours");
});

test("what we sign opens with the key's own line, beside signatures of others", () => {
  const other = noteSigner("witness.example", generateKeyPairSync("ed25519").privateKey);
  const note = signNote("hello\n\nworld\n", [signer, other]);
  const verifier = parseVerifierKey(signer.vkey);
  assert.ok(verifier.ok);
  const opened = openNote(note, verifier.value);
  assert.ok(opened.ok);
  assert.equal(opened.value.text, "hello\n\nworld\n");
  assert.equal(opened.value.signatures.length, 2);
  const [, mine = "", theirs = ""] = note.split(/(?=— )/);
  assert.ok(openNote(`hello\n\nworld\n\n${theirs}${mine}`, verifier.value).ok);
  const twice = openNote(
    `hello\n\nworld\n\n${mine}${mine.replace(/ (\S+)\n$/, (_, b) => ` ${Buffer.from(b, "base64").fill(7, 10, 20).toString("base64")}\n`)}`,
    verifier.value,
  );
  assert.equal(twice.ok ? "" : twice.code, "BAD_NOTE_SIGNATURE", "one false signature of a known key spoils the note");
});

test("malformed notes and keys are refused", () => {
  const line = GO_NOTE.slice(GO_NOTE.indexOf("—"));
  for (const note of [
    "",
    "a\n",
    "a\n\n",
    `a\n${line}`,
    `a\n\n${line.trimEnd()}`,
    `a\n\n${line.replace("—", "-")}`,
    `a\r\n\n${line}`,
    `a\0\n\n${line}`,
    `a\n\n${line.replace("=", "")}`,
    `a\n\n— x AAAA\n`,
    `\ud800\n\n${line}`,
    `a\n\n${line.repeat(NOTE_SIGNATURES_MAX + 1)}`,
    `${"a".repeat(70_000)}\n\n${line}`,
  ])
    assert.equal(parseNote(note).ok, false, JSON.stringify(note.slice(0, 80)));
  const [name, id, key] = GO_VKEY.split("+") as [string, string, string];
  const typed = Buffer.from(key, "base64");
  const small = Buffer.concat([Buffer.from([1]), Buffer.from("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "hex")]).toString(
    "base64",
  );
  for (const bad of [
    "",
    GO_VKEY.slice(1),
    `${name}+${id}`,
    `${name}+00000000+${key}`,
    `${name}+${id}+${key.slice(0, -4)}`,
    `a b+${id}+${key}`,
    `${name}+${id}+${Buffer.from(typed.fill(4, 0, 1)).toString("base64")}`,
    `${name}+${id}+${small}`,
    `${GO_VKEY}\n`,
  ])
    assert.equal(parseVerifierKey(bad).ok, false, bad);
  for (const origin of ["", "a b", "a+b", "a\nb", "a\u00a0b"]) assert.throws(() => noteSigner(origin, signer.privateKey), /origin/);
  assert.throws(() => noteSigner("a", generateKeyPairSync("x25519").privateKey), /Ed25519/);
  assert.throws(() => signNote("no newline", [signer]));
});

test("a checkpoint is three lines and a signature, and belongs to the log that is named", () => {
  assert.equal(formatCheckpoint({ origin: "log.example", size: 7, root }), `log.example\n7\n${root.toString("base64")}\n`);
  const note = signCheckpoint({ origin: signer.name, size: 20_852_163, root }, signer);
  const opened = openCheckpoint(note, signer);
  assert.ok(opened.ok);
  assert.deepEqual(opened.value, { origin: signer.name, size: 20_852_163, root });
  assert.equal(
    openCheckpoint(signNote(formatCheckpoint({ origin: "other", size: 1, root }), [signer]), signer).ok,
    false,
    "another origin under our key",
  );
  const text = (size: string, hash = root.toString("base64"), more = "") => `log\n${size}\n${hash}\n${more}`;
  assert.ok(parseCheckpoint(text("0", undefined, "extension\n")).ok);
  for (const bad of [
    "",
    "log\n",
    text("01"),
    text("-1"),
    text("1.0"),
    text("9007199254740993"),
    text("1", "AAAA"),
    text("1", `${root.toString("base64")} `),
    text("1", undefined, "\n"),
    `\n1\n${root.toString("base64")}\n`,
  ])
    assert.equal(parseCheckpoint(bad).ok, false, JSON.stringify(bad));
});

test("a tlog-proof text goes there and back, and no other spelling is one", () => {
  const checkpoint = signCheckpoint({ origin: signer.name, size: 2, root }, signer);
  const text = formatTlogProof({ index: 1, hashes: [root], checkpoint });
  assert.equal(text, `c2sp.org/tlog-proof@v1\nindex 1\n${root.toString("base64")}\n\n${checkpoint}`);
  assert.deepEqual(parseTlogProof(text), { ok: true, value: { index: 1, hashes: [root], checkpoint } });
  assert.deepEqual(parseTlogProof(formatTlogProof({ index: 0, hashes: [], checkpoint, extra: Buffer.from("x") })), {
    ok: true,
    value: { index: 0, hashes: [], checkpoint, extra: Buffer.from("x") },
  });
  for (const bad of [
    "",
    text.replace("@v1", "@v2"),
    text.replace("index 1", "index 01"),
    text.replace("index 1", "index -1"),
    text.replace("index 1\n", ""),
    text.replace("=\n\n", "\n\n"),
    text.split("\n\n")[0] as string,
    text.replace("index", "extra *\nindex"),
    text.replace("index 1\n", `index 1\n${`${root.toString("base64")}\n`.repeat(64)}`),
  ])
    assert.equal(parseTlogProof(bad).ok, false, JSON.stringify(bad.slice(0, 80)));
});
