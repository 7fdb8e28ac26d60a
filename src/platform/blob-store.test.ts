import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, before, beforeEach, describe, test } from "node:test";
import type { Imvu } from "../contract/index.ts";
import { type IdentityName, type Sha256, sha256Hex } from "../kernel/index.ts";
import { BlobShelf, blobsOf, WAITING_FILES_MAX, WAITING_MS_MAX } from "./blob-shelf.ts";
import { BlobStore } from "./blob-store.ts";

let root = "";
let folder = "";
before(async () => {
  root = await mkdtemp(join(tmpdir(), "nexus-blobs-"));
});
beforeEach(async () => {
  folder = await mkdtemp(join(root, "case-"));
});
after(() => rm(root, { recursive: true, force: true }));

const digest = sha256Hex("content");
const bytes = (text: string) => [Buffer.from(text)];

describe("BlobStore", () => {
  test("keeps what has the announced digest, for its owner's eyes only", async () => {
    const store = new BlobStore(folder);
    assert.equal(await store.has(digest), false);
    assert.deepEqual(await store.put(digest, Readable.from([Buffer.from("con"), Buffer.from("tent")])), { ok: true, value: 7 });
    assert.equal(await store.has(digest), true);
    assert.equal(await readFile(store.path(digest), "utf8"), "content");
    assert.equal((await stat(store.path(digest))).mode & 0o777, 0o600);
  });

  test("an upload that is something else is refused, says what it was, and leaves nothing", async () => {
    const store = new BlobStore(folder);
    const refused = await store.put(digest, bytes("contents"));
    assert.ok(!refused.ok);
    assert.equal(refused.code, "BLOB_DIGEST");
    assert.ok(refused.message.includes(sha256Hex("contents")));
    assert.deepEqual(await readdir(folder), []);
  });

  test("an upload that is too large is refused while it streams, not after", async () => {
    let read = 0;
    const endless = Readable.from(
      (function* () {
        for (; read < 1_000; read += 1) yield Buffer.alloc(10);
      })(),
      { highWaterMark: 1 },
    );
    const refused = await new BlobStore(folder).put(digest, endless, 25);
    assert.ok(!refused.ok && refused.code === "BLOB_TOO_LARGE");
    assert.ok(read < 100, `${read} chunks were read`);
    assert.deepEqual(await new BlobStore(folder).put(digest, bytes("content"), 7), { ok: true, value: 7 });
  });

  test("an upload that breaks off leaves nothing", async () => {
    const broken = Readable.from(
      (async function* () {
        yield Buffer.from("con");
        throw new Error("connection lost");
      })(),
    );
    await assert.rejects(new BlobStore(folder).put(digest, broken), /connection lost/);
    assert.deepEqual(await readdir(folder), []);
  });

  test("a wrong upload never harms the right one that stands there, nor do two at once", async () => {
    const store = new BlobStore(folder);
    await Promise.all([store.put(digest, bytes("content")), store.put(digest, bytes("content")), store.put(digest, bytes("evil"))]);
    assert.equal(await readFile(store.path(digest), "utf8"), "content");
    assert.deepEqual(await readdir(folder), [digest]);
  });

  test("nothing at all has a digest too", async () => assert.deepEqual(await new BlobStore(folder).put(sha256Hex(""), []), { ok: true, value: 0 }));
});

describe("room for uploads", () => {
  const anna = "anna" as IdentityName;

  test("what the disk must keep free is not taken, and nothing is left of what did not fit", async () => {
    const shelf = new BlobShelf(folder, 2 ** 60);
    const refused = await shelf.putBy(anna, digest, Readable.from(bytes("content")));
    assert.ok(!refused.ok && refused.code === "NO_ROOM");
    assert.deepEqual(await readdir(folder), ["by"]);
  });

  test("uploads that no unit uses may wait up to a number; those in use do not count", async () => {
    const shelf = new BlobShelf(folder);
    await mkdir(join(folder, "by", "anna"), { recursive: true });
    const names = Array.from({ length: WAITING_FILES_MAX }, (_, at) => sha256Hex(String(at)));
    for (const name of names) for (const path of [join(folder, name), join(folder, "by", "anna", name)]) await writeFile(path, "x");
    const refused = await shelf.putBy(anna, digest, Readable.from(bytes("content")));
    assert.ok(!refused.ok && refused.code === "UPLOADS_WAIT" && refused.message.includes(String(WAITING_FILES_MAX)));
    assert.ok((await shelf.putBy(anna, digest, Readable.from(bytes("content")), new Set(names.slice(0, 1)))).ok);
    assert.ok((await shelf.putBy("bert" as IdentityName, digest, Readable.from(bytes("content")))).ok);
  });

  test("what nobody used for a day goes, with every right to it; what is used, or young, stays", async () => {
    const shelf = new BlobShelf(folder);
    const [old, used, young] = ["old", "used", "young"].map((text) => sha256Hex(text)) as [Sha256, Sha256, Sha256];
    for (const text of ["old", "used", "young"]) await shelf.putBy(anna, sha256Hex(text), Readable.from(bytes(text)));
    await writeFile(join(folder, ".0123456789abcdef.new"), "broken off");
    const then = new Date(Date.now() - 2 * WAITING_MS_MAX);
    for (const name of [old, used, ".0123456789abcdef.new"]) await utimes(join(folder, name), then, then);
    assert.deepEqual(await shelf.sweep(new Set([used]), Date.now() - WAITING_MS_MAX), [old]);
    assert.deepEqual((await readdir(folder)).sort(), ["by", used, young].sort());
    assert.deepEqual((await readdir(join(folder, "by", "anna"))).sort(), [used, young].sort());
    assert.equal((await shelf.fact(old, "anna", undefined)).readable, false);
  });
});

describe("BlobShelf", () => {
  const anna = "anna" as IdentityName;
  const imvuWith = (used: Sha256) => ({ services: [{ source: { kind: "oci", archive: used } }], mailboxes: [] }) as unknown as Imvu;

  test("a digest is readable to who uploaded it and to the unit that uses it, and to nobody who merely knows it", async () => {
    const shelf = new BlobShelf(folder);
    await shelf.putBy(anna, digest, Readable.from(bytes("content")));
    assert.deepEqual(await shelf.fact(digest, "anna", undefined), { digest, readable: true, bytes: 7 });
    assert.equal((await shelf.fact(digest, "bert", undefined)).readable, false);
    assert.equal((await shelf.fact(digest, null, undefined)).readable, false);
    assert.equal((await shelf.fact(digest, "bert", imvuWith(digest))).readable, true);
    assert.equal((await shelf.fact(digest, "bert", imvuWith(sha256Hex("x")))).readable, false);
  });

  test("a second person who uploads the same has the right to it as well", async () => {
    const shelf = new BlobShelf(folder);
    for (const name of ["anna", "bert"] as IdentityName[]) await shelf.putBy(name, digest, Readable.from(bytes("content")));
    assert.equal((await shelf.fact(digest, "bert", undefined)).readable, true);
  });

  test("who uploads something else than announced gets no right to what is announced", async () => {
    const shelf = new BlobShelf(folder);
    await shelf.putBy(anna, digest, Readable.from(bytes("content")));
    assert.ok(!(await shelf.putBy("bert" as IdentityName, digest, Readable.from(bytes("guess")))).ok);
    assert.equal((await shelf.fact(digest, "bert", undefined)).readable, false);
  });

  test("a right to a file that is gone is no file", async () => {
    const shelf = new BlobShelf(folder);
    await mkdir(join(folder, "by", "anna"), { recursive: true });
    await shelf.putBy(anna, digest, Readable.from(bytes("content")));
    await rm(shelf.path(digest));
    assert.deepEqual(await shelf.fact(digest, "anna", imvuWith(digest)), { digest, readable: false, bytes: 0 });
  });

  test("a unit names its content, its archives and its mailboxes' hashes, each once; images are not ours", () => {
    const [a, b, c] = ["a", "b", "c"].map((letter) => letter.repeat(64)) as [Sha256, Sha256, Sha256];
    const unit = {
      services: [{ source: { kind: "runtime", content: a } }, { source: { kind: "oci", archive: b } }, { source: { kind: "image", ref: "nginx" } }, { source: { kind: "oci", archive: "../../etc/passwd" } }],
      mailboxes: [{ passwordHash: c }, { passwordHash: a }],
    } as unknown as Imvu;
    assert.deepEqual([...blobsOf(unit)].sort(), [a, b, c]);
  });
});
