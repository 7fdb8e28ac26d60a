import assert from "node:assert/strict";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { Fault, type MailAddress } from "../kernel/index.ts";
import { storageMeter } from "./meter.ts";

const LATER_MS = 10_000;

test("a box is summed again when a message came, went, was marked or moved, or a folder did; never while it lies as it was", async () => {
  const home = await mkdtemp(join(tmpdir(), "nx-box-"));
  try {
    const account = { address: "a@imvu001.world" as MailAddress, home };
    let [asked, bytes, late_ms] = [0, 0n, LATER_MS];
    const read = storageMeter(async (addresses) => {
      asked += 1;
      bytes += 1n;
      return new Map(addresses.map((address) => [address, bytes]));
    }, { now: () => Date.now() + late_ms });
    const root = join(home, "Maildir");
    const make = (folder: string) => Promise.all(["new", "cur", "tmp"].map((place) => mkdir(join(root, folder, place), { recursive: true })));
    const again = async (what: string) => {
      const before = asked;
      assert.equal(await read(account), bytes, what);
      assert.equal(asked, before + 1, what);
      for (let n = 0; n < 3; n += 1) assert.equal(await read(account), bytes);
      assert.equal(asked, before + 1, `once for ${what}`);
    };
    await again("a box that was never used");
    await make("");
    await again("a box that came into being");
    await writeFile(join(root, "tmp/1.a"), "x");
    await rename(join(root, "tmp/1.a"), join(root, "new/1.a"));
    await again("a message that came");
    await rename(join(root, "new/1.a"), join(root, "cur/1.a:2,"));
    await again("a message that was seen");
    await rename(join(root, "cur/1.a:2,"), join(root, "cur/1.a:2,F"));
    await again("a mark");
    await make(".Sent");
    await again("a new folder");
    await rename(join(root, "cur/1.a:2,F"), join(root, ".Sent/cur/1.a:2,F"));
    await again("a message in another folder");
    await rename(join(root, ".Sent"), join(root, ".Gone"));
    await again("a folder's new name");
    await rm(join(root, ".Gone"), { recursive: true });
    await again("a folder that went");
    await make(".Sent");
    late_ms = 0;
    const before = asked;
    for (let n = 0; n < 3; n += 1) await read(account);
    assert.equal(asked, before + 3, "just after a change another could leave the same stamp: nothing is kept");
    late_ms = LATER_MS;
    await again("a box whose last change is some time ago");
    assert.equal(await storageMeter(async (of) => new Map(of.map((address) => [address, 7n])), { now: Date.now })({ ...account }), 7n, "another account's sum is its own");
  } finally {
    await rm(home, { recursive: true });
  }
});

test("a sum is of the time of its stamp: what changes while Dovecot sums is summed again", async () => {
  const home = await mkdtemp(join(tmpdir(), "nx-box-"));
  try {
    await mkdir(join(home, "Maildir/new"), { recursive: true });
    let asked = 0;
    const read = storageMeter(async (addresses) => {
      asked += 1;
      if (asked === 1) await writeFile(join(home, "Maildir/new/late"), "x");
      return new Map(addresses.map((address) => [address, BigInt(asked)]));
    }, { now: () => Date.now() + LATER_MS });
    const account = { address: "a@imvu001.world" as MailAddress, home };
    assert.deepEqual([await read(account), await read(account), await read(account)], [1n, 2n, 2n]);
  } finally {
    await rm(home, { recursive: true });
  }
});

test("boxes of one turn are asked about in one question; one without an answer is a fault of its own", async () => {
  const asked: (readonly string[])[] = [];
  const read = storageMeter(async (addresses) => {
    asked.push(addresses);
    return new Map(addresses.map((address) => [address, address.startsWith("bad") ? new Fault("MAIL_STORAGE", "no answer") : 5n]));
  }, { now: Date.now });
  const of = (address: string) => read({ address: address as MailAddress, home: "/nowhere" }).catch((error: Error) => error.message);
  assert.deepEqual(await Promise.all(["a@x.world", "bad@x.world", "b@x.world"].map(of)), [5n, "no answer", 5n]);
  assert.deepEqual(asked, [["a@x.world", "bad@x.world", "b@x.world"]]);
});
