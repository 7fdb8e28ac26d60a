import assert from "node:assert/strict";
import { chmod, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { accept, type IdentityName } from "../../kernel/index.ts";
import { createIdentityKey } from "./key.ts";
import { createStoredIdentity, listStoredIdentities, loadRetiredKey, loadStoredIdentity, nextStoredKey, protectStoredIdentity, setAsideNextKey, takeUpNextKey, waitingStoredKey } from "./keystore.ts";

const NAME = "creator-8891" as IdentityName;

async function inFolder(body: (dir: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "nx-keys-"));
  try {
    await body(join(dir, "identities"));
  } finally {
    await rm(dir, { recursive: true });
  }
}

test("made, listed, loaded: the same key; the file is its owner's alone", () =>
  inFolder(async (dir) => {
    const made = await createStoredIdentity(dir, NAME);
    assert.ok(made.ok);
    const loaded = await loadStoredIdentity(dir, NAME);
    assert.ok(loaded.ok);
    assert.equal(loaded.value.key.kid, made.value.key.kid);
    assert.deepEqual(await listStoredIdentities(dir), [{ name: NAME, kid: made.value.key.kid, publicKey: made.value.key.publicKey.text, protected: false }]);
    assert.equal((await stat(join(dir, `${NAME}.json`))).mode & 0o777, 0o600);
    assert.equal((await stat(dir)).mode & 0o777, 0o700);
  }));

test("a key is never overwritten", () =>
  inFolder(async (dir) => {
    await createStoredIdentity(dir, NAME);
    const before = await readFile(join(dir, `${NAME}.json`), "utf8");
    const again = await createStoredIdentity(dir, NAME);
    assert.ok(!again.ok && again.code === "IDENTITY_EXISTS");
    assert.equal(await readFile(join(dir, `${NAME}.json`), "utf8"), before);
  }));

for (const mode of [0o640, 0o604, 0o660, 0o644, 0o610]) {
  test(`a file of mode ${mode.toString(8)} is refused with the command that mends it`, () =>
    inFolder(async (dir) => {
      await createStoredIdentity(dir, NAME);
      await chmod(join(dir, `${NAME}.json`), mode);
      const loaded = await loadStoredIdentity(dir, NAME);
      assert.ok(!loaded.ok && loaded.code === "IDENTITY_EXPOSED" && loaded.hint.includes("chmod 600"));
      assert.deepEqual(await listStoredIdentities(dir), []);
    }));
}

test("absent, damaged, mixed or linked files are refused, and no secret is in the answer", () =>
  inFolder(async (dir) => {
    const absent = await loadStoredIdentity(dir, NAME);
    assert.ok(!absent.ok && absent.kind === "not-found" && absent.hint.includes("nexus identity create"));
    const [one, two] = [await createStoredIdentity(dir, NAME), await createStoredIdentity(dir, "creator-2" as IdentityName)];
    assert.ok(one.ok && two.ok);
    const path = join(dir, `${NAME}.json`);
    const whole = JSON.parse(await readFile(path, "utf8"));
    const other = JSON.parse(await readFile(join(dir, "creator-2.json"), "utf8"));
    for (const text of ["", "{", "null", JSON.stringify({ ...whole, name: "creator-2" }), JSON.stringify({ ...whole, privateKey: other.privateKey }), JSON.stringify({ ...whole, kid: other.kid }), "x".repeat(5_000)]) {
      await writeFile(path, text);
      const loaded = await loadStoredIdentity(dir, NAME);
      assert.ok(!loaded.ok && loaded.code === "IDENTITY_DAMAGED", text.slice(0, 40));
      assert.ok(!JSON.stringify(loaded).includes(whole.privateKey.d));
    }
    await writeFile(join(dir, "elsewhere"), JSON.stringify(whole), { mode: 0o600 });
    await rm(path);
    await symlink(join(dir, "elsewhere"), path);
    const linked = await loadStoredIdentity(dir, NAME);
    assert.ok(!linked.ok && linked.code === "IDENTITY_DAMAGED");
  }));

test("a folder that is not there holds no identities", async () => {
  assert.deepEqual(await listStoredIdentities("/nonexistent/identities"), []);
});

test("sealed with a passphrase: no private half in the file, listed without it, and opened by it alone", () =>
  inFolder(async (dir) => {
    const made = await createStoredIdentity(dir, NAME, { passphrase: "correct horse battery" });
    assert.ok(made.ok);
    const path = join(dir, `${NAME}.json`);
    const file = JSON.parse(await readFile(path, "utf8")) as { sealed: string };
    assert.deepEqual(Object.keys(file), ["name", "kid", "publicKey", "sealed"]);
    assert.match(file.sealed, /^-----BEGIN AGE ENCRYPTED FILE-----\n/);
    assert.deepEqual(await listStoredIdentities(dir), [{ name: NAME, kid: made.value.key.kid, publicKey: made.value.key.publicKey.text, protected: true }]);
    const answers = (passphrase: string) => async () => accept(passphrase);
    const locked = await loadStoredIdentity(dir, NAME);
    assert.ok(!locked.ok && locked.code === "IDENTITY_LOCKED" && locked.hint.includes("NEXUS_PASSPHRASE_FILE"));
    const wrong = await loadStoredIdentity(dir, NAME, answers("correct horse batterx"));
    assert.ok(!wrong.ok && wrong.code === "WRONG_PASSPHRASE");
    const loaded = await loadStoredIdentity(dir, NAME, answers("correct horse battery"));
    assert.ok(loaded.ok && loaded.value.key.kid === made.value.key.kid);

    const other = createIdentityKey();
    await writeFile(path, JSON.stringify({ ...file, kid: other.kid, publicKey: other.publicKey.text }));
    const mixed = await loadStoredIdentity(dir, NAME, answers("correct horse battery"));
    assert.ok(!mixed.ok && mixed.code === "IDENTITY_DAMAGED");

    await protectStoredIdentity(dir, loaded.value, undefined);
    const bare = await loadStoredIdentity(dir, NAME);
    assert.ok(bare.ok && bare.value.key.kid === made.value.key.kid);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
  }));

test("a next key waits beside the present one, is found again, and takes its place in one step", () =>
  inFolder(async (dir) => {
    const made = await createStoredIdentity(dir, NAME, { device: "desk" });
    const next = await nextStoredKey(dir, NAME, { device: "desk" });
    const again = await nextStoredKey(dir, NAME, { device: "desk" });
    assert.ok(made.ok && next.ok && again.ok);
    assert.equal(again.value.key.kid, next.value.key.kid);
    assert.deepEqual((await listStoredIdentities(dir)).map(({ kid }) => kid), [made.value.key.kid]);
    await takeUpNextKey(dir, NAME);
    const loaded = await loadStoredIdentity(dir, NAME);
    assert.ok(loaded.ok && loaded.value.key.kid === next.value.key.kid && loaded.value.device === "desk");
    const retired = await loadRetiredKey(dir, NAME, made.value.key.kid);
    assert.ok(retired.ok && retired.value.key.kid === made.value.key.kid);
    assert.equal((await stat(join(dir, "retired", `${NAME}.${made.value.key.kid}.json`))).mode & 0o777, 0o600);
    assert.ok(!(await waitingStoredKey(dir, NAME)).ok);
    const dropped = await nextStoredKey(dir, NAME, {});
    assert.ok(dropped.ok);
    await setAsideNextKey(dir, dropped.value);
    assert.ok(!(await waitingStoredKey(dir, NAME)).ok && (await loadRetiredKey(dir, NAME, dropped.value.key.kid)).ok);
  }));
