import assert from "node:assert/strict";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Done } from "./client.ts";
import { folderForEach } from "./folder.fixture.ts";
import { keepPassword } from "./passwords.ts";
import { keepReceipt } from "./receipts.ts";

const folder = folderForEach();
const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

describe("what a person keeps", () => {
  test("both receipts of a command, under the outcome's number, so that a folder lists them in order", async () => {
    const receipt = (index: number) => ({ index, body: "{}", proof: "p" });
    const path = await keepReceipt(folder(), { receipt: receipt(41), outcome: { receipt: receipt(42), result: null } } as unknown as Done);
    assert.equal(path, join(folder(), "receipts", "000000042.json"));
    assert.deepEqual(JSON.parse(await readFile(path, "utf8")), { intent: receipt(41), outcome: receipt(42) });
    assert.deepEqual([await modeOf(path), await modeOf(join(folder(), "receipts"))], [0o600, 0o700]);
  });

  test("a password for nobody else's eyes; a new one replaces the old", async () => {
    await keepPassword(folder(), "hello@imvu001.world", "first");
    const path = await keepPassword(folder(), "hello@imvu001.world", "second");
    assert.equal(await readFile(path, "utf8"), "second\n");
    assert.deepEqual([await modeOf(path), await modeOf(join(folder(), "mailboxes"))], [0o600, 0o700]);
  });
});
