import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { zstdCompressSync } from "node:zlib";
import { type Header, pack } from "tar-stream";
import { unpackBundle } from "./unpack.ts";

let scratch = "";
before(async () => {
  scratch = await mkdtemp(join(tmpdir(), "nexus-unpack-test-"));
});
after(() => rm(scratch, { recursive: true, force: true }));

type Item = Partial<Header> & { readonly name: string; readonly content?: string | Buffer };

async function tarOf(items: readonly Item[]): Promise<Buffer> {
  const tar = pack();
  for (const { content, ...header } of items) {
    if (content === undefined) tar.entry({ ...header, name: header.name });
    else tar.entry({ ...header, name: header.name }, content);
  }
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const limits = { files_max: 10, bytes_max: 100_000 };

async function unpack(archive: Buffer, bounds = limits) {
  const dir = await mkdtemp(join(scratch, "case-"));
  await writeFile(join(dir, "archive"), archive);
  const into = await mkdtemp(join(dir, "into-"));
  return { outcome: await unpackBundle(join(dir, "archive"), into, bounds), into, dir };
}

const good: readonly Item[] = [
  { name: "IMVU-001-x/MANIFEST.json", content: "{}" },
  { name: "IMVU-001-x/compute/", type: "directory" },
  { name: "IMVU-001-x/compute/a.bin", content: randomBytes(50_000) },
  { name: `IMVU-001-x/mail/${"long-".repeat(35)}/INBOX.mbox`, content: "" },
];

test("a plain and a compressed archive unpack below their top folder, closed to others", async () => {
  const tar = await tarOf(good);
  for (const archive of [tar, zstdCompressSync(tar)]) {
    const { outcome, into } = await unpack(archive);
    assert.deepEqual(outcome, { ok: true, value: { files: 3, bytes: 50_002 } });
    assert.deepEqual((await readdir(into)).sort(), ["MANIFEST.json", "compute", "mail"]);
    assert.deepEqual(await readFile(join(into, "compute/a.bin")), good[2]?.content);
  }
});

const hostile: Record<string, readonly Item[]> = {
  "a path upwards": [{ name: "top/../../evil", content: "x" }],
  "a path upwards in the top folder": [{ name: "../evil", content: "x" }],
  "an absolute path": [{ name: "/tmp/evil", content: "x" }],
  "a NUL in an extended header": [{ name: "top/a", pax: { path: "top/a\0/../../evil" }, content: "x" }],
  "a path upwards in an extended header": [{ name: "top/a", pax: { path: "top/../../evil" }, content: "x" }],
  "a direction mark": [{ name: "top/a\u202etxt.exe", content: "x" }],
  "a symbolic link": [{ name: "top/link", type: "symlink", linkname: "/etc/passwd" }],
  "a link, then a file through it": [{ name: "top/dir", type: "symlink", linkname: "/tmp" }, { name: "top/dir/evil", content: "x" }],
  "a hard link": [{ name: "top/a", content: "x" }, { name: "top/b", type: "link", linkname: "top/a" }],
  "a character device": [{ name: "top/null", type: "character-device", devmajor: 1, devminor: 3 }],
  "a block device": [{ name: "top/sda", type: "block-device", devmajor: 8, devminor: 0 }],
  "a pipe": [{ name: "top/fifo", type: "fifo" }],
  "one path twice": [{ name: "top/a", content: "x" }, { name: "top/a", content: "y" }],
  "a file where a folder is": [{ name: "top/a/b", content: "x" }, { name: "top/a", content: "y" }],
  "a folder where a file is": [{ name: "top/a", content: "x" }, { name: "top/a/b", content: "y" }],
  "two top folders": [{ name: "top/a", content: "x" }, { name: "other/b", content: "x" }],
  "a file beside the top folder": [{ name: "evil", content: "x" }],
  "more files than allowed": Array.from({ length: 11 }, (_, n) => ({ name: `top/${n}`, content: "" })),
  "more folders than allowed": Array.from({ length: 21 }, (_, n) => ({ name: `top/${n}`, type: "directory" as const })),
  "more bytes than allowed": [{ name: "top/a", content: Buffer.alloc(60_000) }, { name: "top/b", content: Buffer.alloc(60_000) }],
};

for (const [what, items] of Object.entries(hostile)) {
  test(`refused: ${what}`, async () => {
    const { outcome, dir } = await unpack(await tarOf(items));
    assert.equal(outcome.ok, false);
    assert.match(outcome.ok ? "" : outcome.message, /^bundle (archive|path)[\x20-\x7e]+$/);
    assert.deepEqual((await readdir(dir)).length, 2, "nothing beside the folder it was to go to");
  });
}

test("refused: bombs – zeros that compress to nothing, a size that the header claims, headers without end", async () => {
  const began = process.memoryUsage().rss;
  const zeros = zstdCompressSync(Buffer.alloc(64 * 1024 ** 2));
  assert.ok(zeros.length < 10_000);
  assert.equal((await unpack(zeros)).outcome.ok, false);
  const claims = await tarOf([{ name: "top/a", content: "x" }]);
  Buffer.from("77777777777\0").copy(claims, 124);
  fixChecksum(claims);
  assert.equal((await unpack(claims)).outcome.ok, false);
  const one = (await tarOf([{ name: "top/a/", type: "directory" }])).subarray(0, 512);
  assert.equal((await unpack(zstdCompressSync(Buffer.concat(Array.from({ length: 20_000 }, () => one))))).outcome.ok, false);
  assert.ok(process.memoryUsage().rss - began < 200 * 1024 ** 2);
});

test("refused: damage anywhere – cut short, noise, a bit in the compressed stream", async () => {
  const tar = await tarOf(good);
  const archive = zstdCompressSync(tar);
  for (const damaged of [tar.subarray(0, 1_000), tar.subarray(0, 20_000), archive.subarray(0, archive.length >> 1), randomBytes(4_096), Buffer.concat([archive.subarray(0, 4), randomBytes(500)])]) {
    assert.equal((await unpack(damaged)).outcome.ok, false);
  }
});

function fixChecksum(header: Buffer): void {
  header.fill(" ", 148, 156);
  let sum = 0;
  for (let at = 0; at < 512; at += 1) sum += header[at] ?? 0;
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
}
