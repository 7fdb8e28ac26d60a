import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { ensureFolder, writeFileAtomic } from "./atomic-file.ts";

let root = "";
let folder = "";
before(async () => {
  root = await mkdtemp(join(tmpdir(), "nexus-atomic-"));
});
beforeEach(async () => {
  folder = await mkdtemp(join(root, "case-"));
});
after(() => rm(root, { recursive: true, force: true }));

const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

describe("writeFileAtomic", () => {
  test("puts the new content in place of the old, with exactly the mode asked for, and leaves nothing beside it", async () => {
    const path = join(folder, "file");
    await writeFile(path, "old", { mode: 0o644 });
    await writeFileAtomic(path, "new");
    assert.equal(await readFile(path, "utf8"), "new");
    assert.equal(await modeOf(path), 0o600);
    await writeFileAtomic(path, new Uint8Array([1, 2]), 0o666);
    assert.equal(await modeOf(path), 0o666, "the process's umask must not narrow it");
    assert.deepEqual(await readdir(folder), ["file"]);
  });

  test("never changes the file that somebody holds open: a reader sees the old whole or the new whole", async () => {
    const path = join(folder, "file");
    await writeFile(path, "old");
    const { ino } = await stat(path);
    await writeFileAtomic(path, "new");
    assert.notEqual((await stat(path)).ino, ino);
  });

  test("many writers at once end with one writer's whole content", async () => {
    const path = join(folder, "file");
    const texts = Array.from({ length: 12 }, (_, n) => String.fromCharCode(97 + n).repeat(10_000));
    await Promise.all(texts.map((text) => writeFileAtomic(path, text)));
    assert.ok(texts.includes(await readFile(path, "utf8")));
    assert.deepEqual(await readdir(folder), ["file"]);
  });

  test("a write that fails leaves the old file and nothing beside it", async () => {
    const path = join(folder, "taken");
    await mkdir(join(path, "inside"), { recursive: true });
    await assert.rejects(writeFileAtomic(path, "new"));
    assert.deepEqual(await readdir(folder), ["taken"]);
    await assert.rejects(writeFileAtomic(join(folder, "nowhere", "file"), "new"), { code: "ENOENT" });
  });
});

describe("ensureFolder", () => {
  test("makes the way there, and sets the mode of a folder that stood there with another", async () => {
    const path = join(folder, "a", "b");
    await ensureFolder(path, 0o711);
    assert.equal(await modeOf(path), 0o711);
    await chmod(path, 0o777);
    await ensureFolder(path);
    assert.equal(await modeOf(path), 0o700);
  });
});
