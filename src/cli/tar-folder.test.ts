import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { chmod, mkdir, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { extract } from "tar-stream";
import { EXIT, type Failure } from "./failure.ts";
import { folderForEach } from "./folder.fixture.ts";
import { tarFolder } from "./tar-folder.ts";

const folder = folderForEach();

describe("a folder to deploy", () => {
  async function entriesOf(tar: Buffer) {
    const entries: (readonly [string, string, string, number, string])[] = [];
    const reader = extract();
    reader.end(tar);
    for await (const entry of reader) {
      const { name, type, mode, mtime, uid, uname } = entry.header;
      assert.deepEqual([mtime?.getTime(), uid, uname], [0, 0, ""]);
      const chunks: Buffer[] = [];
      for await (const chunk of entry) chunks.push(chunk as Buffer);
      entries.push([name, type ?? "", (mode ?? 0).toString(8), chunks.length, Buffer.concat(chunks).toString()] as const);
    }
    return entries.map(([name, type, mode, , text]) => [name, type, mode, text]);
  }

  test("becomes the same tar whoever made it when: sorted, without owner, time and version control", async () => {
    await mkdir(join(folder(), "b/.git"), { recursive: true });
    await mkdir(join(folder(), ".git"));
    await writeFile(join(folder(), ".git/config"), "secret");
    await writeFile(join(folder(), "b/run.sh"), "#!/bin/sh\n", { mode: 0o700 });
    await writeFile(join(folder(), "a.html"), "grüße", { mode: 0o600 });
    await writeFile(join(folder(), ".well-known"), "x");
    const first = await tarFolder(folder());
    await utimes(join(folder(), "a.html"), 1, 1);
    await chmod(join(folder(), "a.html"), 0o640);
    assert.ok(first.equals(await tarFolder(folder())));
    assert.deepEqual(await entriesOf(first), [[".well-known", "file", "644", "x"], ["a.html", "file", "644", "grüße"], ["b/", "directory", "755", ""], ["b/run.sh", "file", "755", "#!/bin/sh\n"]]);
  });

  test("with a link in it is refused by the link's name: it could lead to anything on this machine", async () => {
    await mkdir(join(folder(), "in"));
    await symlink("/etc/passwd", join(folder(), "in/pass\nwd"));
    await assert.rejects(tarFolder(folder()), (failure: Failure) => failure.exitCode === EXIT.usage && failure.message.includes('"in/pass\\nwd"'));
  });

  test("that is empty, missing, a file or a link is refused", async () => {
    await assert.rejects(tarFolder(folder()), /empty/);
    await mkdir(join(folder(), ".git"));
    await assert.rejects(tarFolder(folder()), /empty/);
    await writeFile(join(folder(), "file"), "");
    await symlink(folder(), join(folder(), "link"));
    for (const name of ["none", "file", "link"]) await assert.rejects(tarFolder(join(folder(), name)), /is not a folder/);
  });
});
