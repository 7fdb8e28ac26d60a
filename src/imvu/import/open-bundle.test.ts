import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { noteSigner, signNote } from "../../core/ledger/pure.ts";
import { imvuIdOf } from "../../kernel/index.ts";
import { KEYS_PATH, keysFile } from "../../verify/index.ts";
import { BundleWriter, packBundle } from "../export/index.ts";
import { type OpenedBundle, openBundle } from "./index.ts";

let scratch = "";
before(async () => {
  scratch = await mkdtemp(join(tmpdir(), "nexus-import-test-"));
});
after(() => rm(scratch, { recursive: true, force: true }));

const signer = noteSigner("log.example", generateKeyPairSync("ed25519").privateKey);
const big = Buffer.alloc(300_000, "content ");

async function bundle() {
  const dir = join(await mkdtemp(join(scratch, "case-")), "IMVU-042-x");
  const writer = await BundleWriter.create(dir);
  await writer.file(KEYS_PATH, keysFile(signer.vkey, []));
  await writer.file("mail/mailboxes/a@b.world/INBOX.mbox", big);
  await writer.file("mail/dkim/s1.txt", "v=DKIM1");
  return await writer.finish({ imvu: imvuIdOf(42), createdAt: "2026-12-01T00:00:00.000Z", toolVersion: "0.1.0", ledger: { index: 0, checkpoint: "" }, exit: null, sign: (text) => signNote(text, [signer]) });
}

async function open(path: string, more: object = {}): Promise<OpenedBundle> {
  const opened = await openBundle(path, { scratchDir: scratch, ...more });
  assert.ok(opened.ok, opened.ok ? "" : opened.message);
  return opened.value;
}

test("hands out what the manifest lists, from a folder and from an archive, and closes without a trace", async () => {
  const finished = await bundle();
  const { archive } = await packBundle(finished);
  for (const path of [finished.dir, archive]) {
    const before = await readdir(scratch);
    const opened = await open(path, { logKey: signer.vkey });
    assert.deepEqual(opened.manifest, finished.manifest);
    assert.equal(opened.manifestSha256, finished.manifestSha256);
    assert.equal(opened.logKey, signer.vkey);
    assert.deepEqual(opened.list("mail/"), ["mail/dkim/s1.txt", "mail/mailboxes/a@b.world/INBOX.mbox"]);
    assert.equal(Buffer.from(await opened.read("mail/dkim/s1.txt")).toString(), "v=DKIM1");
    assert.deepEqual(await buffer(opened.stream("mail/mailboxes/a@b.world/INBOX.mbox")), big);
    await assert.rejects(opened.read("MANIFEST.sig"), { code: "BUNDLE_NO_FILE" });
    await assert.rejects(opened.read("../x"), { code: "BUNDLE_NO_FILE" });
    await opened.close();
    assert.deepEqual(await readdir(scratch), before);
  }
  assert.ok((await readdir(finished.dir)).includes("MANIFEST.json"), "a folder that was given stays");
});

test("an altered bundle is refused before anything is handed out, and its scratch is gone", async () => {
  const finished = await bundle();
  await writeFile(join(finished.dir, "mail/dkim/s1.txt"), "v=DKIM2");
  const before = await readdir(scratch);
  for (const path of [finished.dir, (await packBundle(finished)).archive]) {
    const opened = await openBundle(path, { scratchDir: scratch });
    assert.ok(!opened.ok);
    assert.match(opened.message, /mail\/dkim\/s1\.txt/);
  }
  const stranger = await openBundle((await bundle()).dir, { scratchDir: scratch, logKey: noteSigner("log.example", generateKeyPairSync("ed25519").privateKey).vkey });
  assert.ok(!stranger.ok);
  assert.match(stranger.message, /MANIFEST\.sig/);
  const bounded = await openBundle((await bundle()).dir, { scratchDir: scratch, limits: { files_max: 2, bytes_max: 1_000_000 } });
  assert.ok(!bounded.ok);
  assert.equal((await openBundle(join(scratch, "nowhere"), { scratchDir: scratch })).ok, false);
  assert.equal((await readdir(scratch)).filter((name) => name.startsWith("bundle-")).length, 0);
  assert.ok(before.length > 0);
});

test("what changes after it was checked does not pass for what was signed", async () => {
  const { dir } = await bundle();
  const opened = await open(dir);
  const path = "mail/mailboxes/a@b.world/INBOX.mbox";
  const changed = Buffer.from(big);
  changed[299_999] = 0;
  await writeFile(join(dir, path), changed);
  await assert.rejects(opened.read(path), { code: "BUNDLE_CHANGED" });
  await assert.rejects(buffer(opened.stream(path)), { code: "BUNDLE_CHANGED" });
  await writeFile(join(dir, path), big.subarray(0, 1_000));
  await assert.rejects(buffer(opened.stream(path)), { code: "BUNDLE_CHANGED" });
  await writeFile(join(dir, path), Buffer.concat([big, big]));
  await assert.rejects(buffer(opened.stream(path)), { code: "BUNDLE_CHANGED" });
  await rename(join(dir, path), join(scratch, "elsewhere"));
  await writeFile(join(scratch, "elsewhere"), big);
  await symlink(join(scratch, "elsewhere"), join(dir, path));
  await assert.rejects(opened.read(path), { code: "BUNDLE_CHANGED" });
  await assert.rejects(buffer(opened.stream(path)), { code: "BUNDLE_CHANGED" });
  assert.deepEqual(await readFile(join(scratch, "elsewhere")), big);
});
