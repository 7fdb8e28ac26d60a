import assert from "node:assert/strict";
import { lstat, mkdtemp, readdir, readFile, readlink, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterEach, beforeEach, test } from "node:test";
import { type Header, pack } from "tar-stream";
import { Fault } from "../../kernel/index.ts";
import { tarOfTree } from "./tar-tree.ts";
import { type UnpackRules, unpackTar } from "./unpack.ts";

type Entry = Omit<Partial<Header>, "name"> & { name: string; body?: string };

let root = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "nx-unpack-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const uidBase = process.getuid?.() ?? 0;
const rules = (kind: UnpackRules["kind"], bytesMax = 1_000): UnpackRules => ({ kind, bytesMax, uidBase });

function tarOf(...entries: readonly Entry[]): Readable {
  const archive = pack();
  for (const { body, ...header } of entries) archive.entry({ mtime: new Date(1e12), ...header }, body ?? "");
  archive.finalize();
  return Readable.from(archive);
}

async function refused(kind: UnpackRules["kind"], code: string, ...entries: readonly Entry[]): Promise<void> {
  await assert.rejects(unpackTar(tarOf(...entries), root, rules(kind)), (error) => {
    assert.ok(error instanceof Fault, String(error));
    assert.equal(error.code, code, error.message);
    return true;
  });
}

test("content: modes are made plain, folders that nobody named are made", async () => {
  await unpackTar(tarOf({ name: "a/b/run", mode: 0o4711, body: "x" }, { name: "a/secret", mode: 0o000, body: "y" }, { name: "link", type: "symlink", linkname: "a/b/run" }), root, rules("content"));
  const mode = async (path: string) => ((await lstat(join(root, path))).mode & 0o7777).toString(8);
  assert.deepEqual([await mode("a/b"), await mode("a/b/run"), await mode("a/secret"), await readlink(join(root, "link"))], ["755", "755", "644", "a/b/run"]);
});

test("nothing is written through a link, over a file, or into a file as if it were a folder", async () => {
  for (const kind of ["content", "data"] as const) {
    await refused(kind, "ARCHIVE_LINK", { name: "l", type: "symlink", linkname: "." }, { name: "l/x", body: "x" });
    await rm(join(root, "l"));
    await refused(kind, "ARCHIVE_LINK", { name: "f", body: "x" }, { name: "f/x", body: "x" });
    await rm(join(root, "f"));
    await refused(kind, "ARCHIVE_ENTRY", { name: "f", body: "x" }, { name: "./f", body: "y" });
    assert.equal(await readFile(join(root, "f"), "utf8"), "x");
    await rm(join(root, "f"));
    await refused(kind, "ARCHIVE_ENTRY", { name: "f", body: "x" }, { name: "f/", type: "directory" });
    await rm(join(root, "f"));
    await refused(kind, "ARCHIVE_NAME", { name: "../f", body: "x" });
    await refused(kind, "ARCHIVE_ENTRY", { name: "d", type: "block-device", devmajor: 7, devminor: 0 });
    await refused(kind, "ARCHIVE_TOO_LARGE", { name: "one", body: "x".repeat(600) }, { name: "two", body: "x".repeat(600) });
    await rm(join(root, "one"));
  }
  assert.deepEqual(await readdir(root), []);
});

test("data: a hard link leads to a file of the same archive and nowhere else", async () => {
  await refused("data", "ARCHIVE_ENTRY", { name: "h", type: "link", linkname: "not-in-it" });
  await refused("data", "ARCHIVE_NAME", { name: "h", type: "link", linkname: "/etc/passwd" });
  await refused("data", "ARCHIVE_NAME", { name: "h", type: "link", linkname: "../x" });
  await refused("data", "ARCHIVE_ENTRY", { name: "l", type: "symlink", linkname: "/etc/passwd" }, { name: "h", type: "link", linkname: "l" });
});

test("data: what a tree is packed to unpacks to the same tree, closed modes and pipes too", async () => {
  await unpackTar(
    tarOf(
      { name: "./", type: "directory", mode: 0o711 },
      { name: "shut", mode: 0o0, body: "x" }, { name: "closed/", type: "directory", mode: 0o10000 }, { name: "closed/in", mode: 0o600, body: "y" },
      { name: "same", type: "link", linkname: "closed/in" }, { name: "out", type: "symlink", linkname: "/nowhere" }, { name: "pipe", type: "fifo", mode: 0o640 }, { name: `${"ä".repeat(60)}/${"b".repeat(120)}`, body: "z" },
    ),
    root,
    rules("data"),
  );
  const first = await buffer(tarOfTree(root, { uidBase, withRoot: true }));
  await rm(root, { recursive: true });
  root = await mkdtemp(join(tmpdir(), "nx-unpack-"));
  await unpackTar(Readable.from([first]), root, rules("data"));
  assert.ok((await buffer(tarOfTree(root, { uidBase, withRoot: true }))).equals(first));
  assert.equal((await lstat(join(root, "closed"))).mode & 0o7777, 0);
  assert.equal((await lstat(join(root, "same"))).nlink, 2);
  assert.ok((await lstat(join(root, "pipe"))).isFIFO());
});
