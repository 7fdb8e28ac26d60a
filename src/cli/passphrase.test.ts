import assert from "node:assert/strict";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { IdentityName } from "../kernel/index.ts";
import { folderForEach } from "./folder.fixture.ts";
import { newPassphrase, passphraseFrom, passphraseOf } from "./passphrase.ts";

const folder = folderForEach();

describe("a passphrase", () => {
  const name = "creator-8891" as IdentityName;
  const holding = async (text: string, mode = 0o600) => {
    const path = join(folder(), "passphrase");
    await writeFile(path, text, { mode });
    await chmod(path, mode);
    return path;
  };
  after(() => {
    delete process.env.NEXUS_PASSPHRASE_FILE;
  });

  test("comes from a file of its owner's alone, without the line's end", async () => {
    process.env.NEXUS_PASSPHRASE_FILE = await holding("grüße und küsse\n");
    const read = await passphraseOf(name, false);
    assert.ok(read?.ok && read.value === "grüße und küsse");
    process.env.NEXUS_PASSPHRASE_FILE = await holding("correct horse", 0o640);
    const exposed = await passphraseOf(name, false);
    assert.ok(exposed?.ok === false && exposed.code === "PASSPHRASE_FILE" && exposed.hint.includes("chmod 600"));
    process.env.NEXUS_PASSPHRASE_FILE = join(folder(), "none");
    const none = await passphraseOf(name, false);
    assert.ok(none?.ok === false && none.code === "PASSPHRASE_FILE");
  });

  test("that is new has 8 to 1024 characters, and somebody to say it", async () => {
    for (const [text, ok] of [["1234567", false], ["12345678", true], ["x".repeat(1_024), true], ["x".repeat(1_025), false]] as const) assert.equal((await passphraseFrom(await holding(text))).ok, ok, String(text.length));
    delete process.env.NEXUS_PASSPHRASE_FILE;
    const nobody = await newPassphrase(name, false);
    assert.ok(!nobody.ok && nobody.code === "NO_PASSPHRASE");
  });
});
