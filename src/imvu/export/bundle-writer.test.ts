import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { Readable } from "node:stream";
import { after, before, describe, test } from "node:test";
import { Decrypter, generateIdentity, identityToRecipient } from "age-encryption";
import { noteSigner, openNote, signNote } from "../../core/ledger/pure.ts";
import { imvuIdOf, run, runOk, sha256Hex } from "../../kernel/index.ts";
import { manifestNoteText } from "../../verify/index.ts";
import { BundleWriter, packBundle, writeVerifier } from "./index.ts";

let scratch = "";
before(async () => {
  scratch = await mkdtemp(join(tmpdir(), "nexus-writer-test-"));
});
after(() => rm(scratch, { recursive: true, force: true }));

const signer = noteSigner("log.example", generateKeyPairSync("ed25519").privateKey);
const facts = { imvu: imvuIdOf(42), createdAt: "2026-12-01T00:00:00.000Z", toolVersion: "0.1.0", ledger: { index: 3, checkpoint: "c\n" }, exit: null, sign: (text: string) => signNote(text, [signer]) };
const place = async () => join(await mkdtemp(join(scratch, "case-")), "IMVU-042-2026-12-01T000000Z");

async function small() {
  const dir = await place();
  const writer = await BundleWriter.create(dir);
  await Promise.all([
    writer.file("compute/big.bin", Readable.from([Buffer.alloc(70_000, 1), Buffer.alloc(0), Buffer.alloc(70_000, 2)])),
    writer.file("REPORT.md", "grüße\n"),
    writer.file("mail/empty.mbox", new Uint8Array(0)),
  ]);
  writer.omit("compute/vms", "there are none");
  return { dir, writer };
}

describe("BundleWriter", () => {
  test("hashes while it streams, lists by path, sums by section, signs, and appears whole", async () => {
    const { dir, writer } = await small();
    await assert.rejects(stat(dir), { code: "ENOENT" });
    const { manifest, manifestSha256 } = await writer.finish(facts);
    assert.deepEqual((await readdir(dirname(dir))), [basename(dir)]);
    assert.deepEqual(manifest.files.map(({ path, bytes, section }) => [path, bytes, section]), [["REPORT.md", 8, "bundle"], ["compute/big.bin", 140_000, "compute"], ["mail/empty.mbox", 0, "mail"]]);
    assert.deepEqual(manifest.sections, { bundle: { files: 1, bytes: 8 }, compute: { files: 1, bytes: 140_000 }, mail: { files: 1, bytes: 0 } });
    assert.deepEqual(manifest.notIncluded, [{ what: "compute/vms", why: "there are none" }]);
    for (const { path, sha256 } of manifest.files) assert.equal(sha256Hex(await readFile(join(dir, path))), sha256, path);
    const text = await readFile(join(dir, "MANIFEST.json"));
    assert.equal(sha256Hex(text), manifestSha256);
    const note = openNote(await readFile(join(dir, "MANIFEST.sig"), "utf8"), signer);
    assert.equal(note.ok && note.value.text, manifestNoteText("IMVU-042", text));
    assert.equal((await stat(dir)).mode & 0o777, 0o700);
    assert.equal((await stat(join(dir, "REPORT.md"))).mode & 0o777, 0o600);
  });

  test("refuses paths that leave it, come twice, or are its own", async () => {
    const { writer } = await small();
    for (const path of ["../x", "/x", "a/../../x", "MANIFEST.json", "MANIFEST.sig", "REPORT.md", "a\0", "é"]) await assert.rejects(writer.file(path, "x"), /bundle/, path);
    await writer.abandon();
  });

  test("a source that fails leaves a bundle that cannot be finished", async () => {
    const { dir, writer } = await small();
    const breaking = Readable.from((async function* () {
      yield "half";
      throw new Error("engine gone");
    })());
    await assert.rejects(writer.file("domains/x.zone", breaking), /engine gone/);
    await assert.rejects(writer.finish(facts), { code: "BUNDLE_UNFINISHED" });
    await assert.rejects(stat(dir), { code: "ENOENT" });
    await writer.abandon();
    assert.deepEqual(await readdir(dirname(dir)), []);
  });

  test("a file still being written leaves a bundle that cannot be finished", async () => {
    const { writer } = await small();
    const slow = new Readable({ read() {} });
    const writing = writer.file("mail/slow.mbox", slow);
    await assert.rejects(writer.finish(facts), { code: "BUNDLE_UNFINISHED" });
    slow.push(null);
    await writing;
    await writer.finish(facts);
  });

  test("begins anew over what a killed export left, never over a bundle", async () => {
    const dir = await place();
    await mkdir(`${dir}.partial/old`, { recursive: true });
    await writeFile(`${dir}.partial/old/x`, "x");
    await (await BundleWriter.create(dir)).finish(facts);
    assert.deepEqual((await readdir(dir)).sort(), ["MANIFEST.json", "MANIFEST.sig"]);
    await assert.rejects(BundleWriter.create(dir), { code: "BUNDLE_EXISTS" });
    await writeFile(`${dir}-file`, "");
    await assert.rejects(BundleWriter.create(`${dir}-file`), { code: "BUNDLE_EXISTS" });
  });

  test("says what to do when the verifier was not built", async () => {
    const { writer } = await small();
    await assert.rejects(writeVerifier(writer, join(scratch, "none")), { code: "VERIFIER_MISSING", hint: "npm run build" });
    await writeFile(join(scratch, "verify.mjs"), "x");
    await writeVerifier(writer, join(scratch, "verify.mjs"));
    await writer.abandon();
  });
});

describe("packBundle", () => {
  test("stock tools check and unpack it; the same bundle makes the same archive", async () => {
    const { writer } = await small();
    const finished = await writer.finish(facts);
    const packed = await packBundle(finished);
    assert.equal(packed.archive, `${finished.dir}.tar.zst`);
    assert.equal(packed.sha256, sha256Hex(await readFile(packed.archive)));
    assert.equal(packed.bytes, (await stat(packed.archive)).size);
    const cwd = dirname(finished.dir);
    await runOk(["sha256sum", "-c", `${basename(packed.archive)}.sha256`], { cwd });
    await mkdir(join(cwd, "out"));
    await runOk(["tar", "--zstd", "-xf", packed.archive, "-C", "out"], { cwd });
    const difference = await run(["diff", "-r", finished.dir, join(cwd, "out", basename(finished.dir))]);
    assert.deepEqual([difference.code, difference.stdout.toString()], [0, ""]);
    const list = await runOk(["tar", "--zstd", "-tf", packed.archive]);
    assert.equal(list.split("\n")[0], `${basename(finished.dir)}/MANIFEST.json`);
    assert.equal((await packBundle(finished)).sha256, packed.sha256);
  });

  test("encrypted to an age recipient only its identity reads it", async () => {
    const identity = await generateIdentity();
    const finished = await (await small()).writer.finish(facts);
    const plain = await packBundle(finished);
    const packed = await packBundle(finished, await identityToRecipient(identity));
    assert.equal(packed.archive, `${finished.dir}.tar.zst.age`);
    const sealed = await readFile(packed.archive);
    assert.equal(sealed.subarray(0, 21).toString(), "age-encryption.org/v1");
    const decrypter = new Decrypter();
    decrypter.addIdentity(identity);
    assert.equal(sha256Hex(await decrypter.decrypt(sealed)), plain.sha256);
  });

  test("a file that vanished leaves no archive", async () => {
    const finished = await (await small()).writer.finish(facts);
    await rm(join(finished.dir, "REPORT.md"));
    await assert.rejects(packBundle(finished), { code: "ENOENT" });
    assert.deepEqual(await readdir(dirname(finished.dir)), [basename(finished.dir)]);
    await assert.rejects(packBundle(finished, "age1nonsense"));
    assert.deepEqual(await readdir(dirname(finished.dir)), [basename(finished.dir)]);
  });

  test("memory stays flat over a bundle far larger than it", async () => {
    const dir = await place();
    const writer = await BundleWriter.create(dir);
    const chunk = randomBytes(1024 * 1024);
    const began = process.memoryUsage().rss;
    await writer.file("compute/volumes/web.tar.zst", Readable.from((function* () {
      for (let n = 0; n < 160; n += 1) yield chunk;
    })()));
    await packBundle(await writer.finish(facts));
    assert.ok(process.memoryUsage().rss - began < 120 * 1024 ** 2);
  });
});
