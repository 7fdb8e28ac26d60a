import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { Fault, type ImvuId } from "../../kernel/index.ts";
import { layoutOf } from "../layout.ts";
import { startSigning, verifySignatures } from "./dkim.ts";
import { ensureKeys, importKey, isSelector, removeKeys, signingKey } from "./keys.ts";
import { deleteHeader, insertHeader, negotiate, packet, PacketReader, replyCode, textsOf } from "./milter-protocol.ts";

const IMVU = "IMVU-001" as ImvuId;
const pem = (type: "rsa" | "ed25519", bits = 2_048) =>
  (type === "rsa" ? generateKeyPairSync("rsa", { modulusLength: bits }) : generateKeyPairSync("ed25519")).privateKey.export({ type: "pkcs8", format: "pem" }).toString();

test("a signed message verifies with both keys; a changed one, or one with a second From, with none", async () => {
  const keys = [signingKey("r", pem("rsa")), signingKey("e", pem("ed25519"))];
  const head = "From: hello@imvu001.world\r\nTo: a@x.example\r\nSubject: one\r\n two\r\nDate: Mon, 23 Nov 2026 07:40:57 +0000\r\nMessage-ID: <1@x>\r\n";
  const body = "\r\nline \r\n\r\n.\r\nlast\r\n\r\n\r\n";
  const signer = startSigning("imvu001.world", keys, new Date());
  signer.input.write(head);
  signer.input.end(body);
  const values = await signer.signatures;
  assert.equal(values.length, 2);
  assert.match(values[0] ?? "", /h=[^;]*From:\s+From/);
  const signed = values.map((value) => `DKIM-Signature:${value}\r\n`).join("");
  const resolver = async (name: string) => [[keys.find((key) => name === `${key.selector}._domainkey.imvu001.world`)?.txt ?? ""]];
  const good = async (message: string) => (await verifySignatures(Buffer.from(message), resolver)).filter((one) => one.passes && one.domain === "imvu001.world").map((one) => one.algorithm);
  assert.deepEqual(await good(signed + head + body), ["rsa-sha256", "ed25519-sha256"]);
  assert.deepEqual(await good(signed + head + body.replace("last", "lost")), []);
  assert.deepEqual(await good(`From: boss@imvu001.world\r\n${signed}${head}${body}`), []);
  assert.deepEqual(await good(`${signed}Subject: other\r\n${head}${body}`), []);
  assert.deepEqual(await good(head + body), []);
});

test("a key that cannot sign is a fault, not a missing signature", async () => {
  const signer = startSigning("imvu001.world", [{ ...signingKey("r", pem("ed25519")), algorithm: "rsa-sha256" }], new Date());
  signer.input.end("From: a@imvu001.world\r\n\r\nx\r\n");
  await assert.rejects(signer.signatures, (error: unknown) => error instanceof Fault && error.code === "DKIM_SIGN");
});

test("keys: one of each algorithm, private, found again; imported ones are read as hostile", async () => {
  const dir = await mkdtemp(join(tmpdir(), "nx-k-"));
  try {
    const layout = layoutOf({ dir });
    const made = await ensureKeys(layout, IMVU);
    assert.deepEqual(made.map((key) => [key.selector, key.algorithm]), [["nexus-ed25519", "ed25519-sha256"], ["nexus-rsa", "rsa-sha256"]]);
    assert.match(made[0]?.txt ?? "", /^v=DKIM1; k=ed25519; p=[A-Za-z0-9+/]{43}=$/);
    assert.match(made[1]?.txt ?? "", /^v=DKIM1; k=rsa; p=[A-Za-z0-9+/]{392}$/);
    assert.deepEqual(await ensureKeys(layout, IMVU), made);
    assert.equal((await stat(join(layout.dkim, IMVU, "nexus-rsa.pem"))).mode & 0o777, 0o600);
    for (const [selector, text] of [["../x", pem("ed25519")], ["a.b", pem("ed25519")], ["ok", "no key"], ["ok", pem("rsa", 1_024)]] as const) {
      await assert.rejects(importKey(layout, IMVU, selector, text), (error: unknown) => error instanceof Fault && error.code === "DKIM_KEY", selector);
    }
    await removeKeys(layout, IMVU);
    await importKey(layout, IMVU, "s2020", pem("rsa"));
    assert.deepEqual((await ensureKeys(layout, IMVU)).map((key) => key.selector), ["nexus-ed25519", "s2020"], "an imported RSA key needs no second");
  } finally {
    await rm(dir, { recursive: true });
  }
  assert.deepEqual(["a", "a-b", "A", "-a", "a.b", "a\n", "", "x".repeat(64)].map(isSelector), [true, true, false, false, false, false, false, false]);
});

test("the milter's packets: split and joined, bounded, with what was agreed", () => {
  const reader = new PacketReader();
  const wire = Buffer.concat([packet("L", Buffer.from("From\0 a\0")), packet("N"), packet("E", Buffer.from("x"))]);
  const seen = [...wire].flatMap((byte) => reader.push(Buffer.from([byte])).map(({ command, data }) => [command, textsOf(data)]));
  assert.deepEqual(seen, [["L", ["From", " a"]], ["N", []], ["E", []]]);
  assert.throws(() => new PacketReader().push(Buffer.from([0x7f, 0, 0, 0, 0x4c])), RangeError);
  assert.throws(() => new PacketReader().push(Buffer.from([0, 0, 0, 0, 0x4c])), RangeError);
  const offer = (version: number, actions: number, protocol: number) => {
    const data = Buffer.alloc(12);
    data.writeUInt32BE(version);
    data.writeUInt32BE(actions, 4);
    data.writeUInt32BE(protocol, 8);
    return data;
  };
  assert.equal(negotiate(offer(6, 0x1ff, 0x1fffff)).toString("hex"), "0000000d4f00000006000000110018438b");
  assert.throws(() => negotiate(offer(2, 0x1ff, 0x1fffff)), RangeError);
  assert.throws(() => negotiate(offer(6, 0, 0x1fffff)), RangeError);
  assert.throws(() => negotiate(offer(6, 0x1ff, 0)), RangeError);
  assert.equal(replyCode("550 5.7.1 100% no\r\nmore").subarray(5).toString(), "550 5.7.1 100%% no  more\0");
  assert.equal(insertHeader(0, "X", " a\r\n b").subarray(4).toString(), "i\0\0\0\0X\0 a\n b\0");
  assert.equal(deleteHeader("X", 2).subarray(4).toString(), "m\0\0\0\u0002X\0\0");
});
