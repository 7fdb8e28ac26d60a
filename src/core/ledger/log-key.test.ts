import assert from "node:assert/strict";
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { openLogKey } from "./log-key.ts";

test("the log key is made once, also by many at once, and is private", async () => {
  const folder = await mkdtemp(join(tmpdir(), "nx-key-"));
  try {
    const path = join(folder, "log.pem");
    const keys = await Promise.all(Array.from({ length: 8 }, () => openLogKey(path)));
    const texts = new Set([...keys, await openLogKey(path)].map((key) => key.export({ type: "pkcs8", format: "pem" })));
    assert.equal(texts.size, 1);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.deepEqual(await readdir(folder), ["log.pem"]);
    await chmod(path, 0o640);
    await assert.rejects(openLogKey(path), /can be read by others/);
    await writeFile(path, "nonsense");
    await chmod(path, 0o600);
    await assert.rejects(openLogKey(path));
  } finally {
    await rm(folder, { recursive: true });
  }
});
