import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { sha256 } from "../../kernel/index.ts";
import { signCheckpoint } from "./checkpoint.ts";
import { noteSigner } from "./note.ts";
import { SignedMemory } from "./signed-memory.ts";

const signerOf = (name: string) => noteSigner(name, generateKeyPairSync("ed25519").privateKey);
const signer = signerOf("log.example/own");
const noteOf = (size: number, by = signer) => signCheckpoint({ origin: by.name, size, root: sha256(`${size}`) }, by);
const code = (expected: string) => (error: unknown) => (error as { code?: unknown }).code === expected;

test("what was signed last is known at the next start, however often it changed meanwhile", async (t) => {
  const dir = await mkdtemp(join(tmpdir(), "nx-signed-"));
  t.after(() => rm(dir, { recursive: true }));
  const path = join(dir, "log.signed");
  const first = await SignedMemory.open(path, signer);
  assert.equal(first.known, undefined);
  first.refuseOlder(0);
  first.keep(undefined);
  for (let size = 1; size <= 499; size += 1) first.keep(noteOf(size));
  while ((await readFile(path, "utf8").catch(() => "")) !== noteOf(499)) await turn();
  first.keep(noteOf(500));
  await first.close();
  assert.equal(await readFile(path, "utf8"), noteOf(500));
  const second = await SignedMemory.open(path, signer);
  assert.deepEqual([second.known?.size, second.known?.root], [500, sha256("500")]);
  second.refuseOlder(500);
  second.refuseOlder(501);
  assert.throws(() => second.refuseOlder(499), code("LEDGER_ROLLED_BACK"));
  await second.close();
});

test("a memory that is no checkpoint of this log is a fault, not an empty memory", async (t) => {
  const dir = await mkdtemp(join(tmpdir(), "nx-signed-"));
  t.after(() => rm(dir, { recursive: true }));
  const path = join(dir, "log.signed");
  for (const text of ["", "nonsense", noteOf(3, signerOf("log.example/own")), noteOf(3).replace("\n3\n", "\n4\n")]) {
    await writeFile(path, text);
    await assert.rejects(SignedMemory.open(path, signer), code("LOG_MEMORY_BAD"));
  }
});

test("a file that cannot be written is said at the end, and does not stop the log before", async () => {
  const memory = await SignedMemory.open("/nonexistent-folder/log.signed", signer);
  memory.keep(noteOf(1));
  memory.keep(noteOf(2));
  await assert.rejects(memory.close(), /ENOENT/);
});
