import assert from "node:assert/strict";
import { chmod, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import { createInterface } from "node:readline";
import { type ChildProcess, runOk, start } from "../../src/kernel/index.ts";
import { TestHouse } from "../harness/test-house.ts";

const MAIN = join(import.meta.dirname, "../../src/cli/main.ts");

/** Backup, restore of the newest state and of an older one, on the real cluster; and what clients see of each. */
test("a ledger that is backed up comes back whole; an older one is not taken, and who is shown it all the same finds out", async (t) => {
  await using house = await TestHouse.start();
  const archive = join(house.root, "wal");
  const copies = join(house.root, "copies");
  await mkdir(copies, { mode: 0o711 });
  await chmod(copies, 0o711);
  const platform = join(house.home, "platform");
  const owner = await house.creator("creator-8891");
  const size = async () => (await owner.call.ok("ledger", "checkpoint")).size as number;
  const read = async (id: string) => await owner.call.ok("meter", "read", "--imvu-id", id);
  const failing = async (...args: string[]) => {
    const called = await house.operator.call(...args);
    assert.notEqual(called.code, 0, args.join(" "));
    return called;
  };

  const witnessDir = join(house.root, "w1");
  const child = start([process.execPath, MAIN, "--json", "--home", house.root, "witness", "serve", "--dir", witnessDir, "--listen", "127.0.0.1:0", "--name", "w1.example"], { stdio: ["ignore", "pipe", "ignore"] });
  t.after(() => child.kill("SIGTERM"));
  const witness = await firstLine(child);
  const witnessing = async (wanted: (seen: { present: number; alarms: string[] }) => boolean) => {
    for (let tries = 0; ; tries += 1) {
      const { witnesses } = (await house.operator.ok("status")).ledger;
      if (wanted(witnesses)) return witnesses;
      assert.ok(tries < 120, JSON.stringify(witnesses));
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  };

  // The archive is switched on in the configuration, and only there.
  await house.operator.ok("down");
  await writeFile(join(house.home, "nexus.yaml"), `walArchive: ${archive}\nwitnesses:\n  required: 1\n  list:\n    - { vkey: ${witness.vkey}, url: "${witness.url}" }\n`);
  await house.operator.ok("witness", "add-log", "--dir", witnessDir, "--vkey", house.status.platform.logKey);
  await house.up();
  await witnessing(({ present }) => present === 1);
  const unit = await house.unit(owner, "ArtGallery");
  const id = unit.imvu.id as string;

  await t.test("a backup is a verified copy with the keys, and nobody but root can read it", async () => {
    const made = await house.operator.ok("backup", "--to", join(copies, "one"));
    assert.deepEqual((await readdir(made.path)).sort(), ["backup.json", "home.json", "keys", "nexus.yaml", "operators", "pg", "witnesses.json"]);
    for (const name of ["pg", "keys", "operators"]) assert.equal((await stat(join(made.path, name))).mode & 0o077, 0, name);
    assert.deepEqual(await readdir(copies), ["one"], "nothing half-done is left");
    assert.match((await failing("backup", "--to", join(copies, "one"))).printed.error.code, /^NOT_EMPTY$/);
    assert.match((await failing("restore", "--from", join(copies, "one"))).printed.error.code, /^HOME_IN_USE$/);
  });

  await read(id);
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  const between = new Date().toISOString();
  await new Promise((resolve) => setTimeout(resolve, 100));
  for (let n = 0; n < 3; n += 1) await read(id);
  const whole = await size();

  await t.test("the database is lost: backup and archived log bring everything back, fsck says whole, clients go on", async () => {
    await house.operator.ok("down");
    await rm(join(platform, "pg", "data"), { recursive: true });
    const restored = await house.operator.ok("restore", "--from", join(copies, "one"));
    assert.equal(restored.ok, true);
    assert.ok(restored.entries >= whole, `${restored.entries} of ${whole}`);
    await house.up();
    assert.equal((await house.operator.ok("ledger", "fsck")).ok, true);
    assert.equal((await house.operator.ok("ledger", "replay", "--check")).ok, true);
    await read(id);
    assert.ok((await size()) > whole, "the client's memory agrees, and the log grows");
  });

  await t.test("the supervisor and the cluster are killed and the data is damaged: what was acknowledged and not archived is in the data's own log", async () => {
    await read(id);
    const before = await size();
    await house.operator.ok("backup", "--to", join(copies, "two"));
    for (let n = 0; n < 2; n += 1) await read(id);
    const acknowledged = await size();
    assert.ok(acknowledged > before);
    const { supervisor, engines } = await house.operator.ok("status");
    process.kill(supervisor.pid, "SIGKILL");
    process.kill(engines.find((one: { name: string }) => one.name === "postgres").pid, "SIGKILL");
    await house.operator.call("down");
    await rm(join(platform, "pg", "data", "base"), { recursive: true });
    const restored = await house.operator.ok("restore", "--from", join(copies, "two"));
    assert.ok(restored.entries >= acknowledged, `${restored.entries} of ${acknowledged}`);
    assert.match(restored.before, /pg\/data\.before-/);
    await house.up();
    await read(id);
    assert.equal((await house.operator.ok("ledger", "fsck")).ok, true);
  });

  await t.test("an older state is recomputed, found older than what the key signed, and not taken", async () => {
    await house.operator.ok("down");
    const refused = await house.operator.call("restore", "--from", join(copies, "one"), "--at", between);
    assert.equal(refused.code, 1, JSON.stringify(refused.printed));
    assert.equal(refused.printed.ok, false);
    assert.match(refused.printed.failures[0].what, /the entry and all after it are missing: a checkpoint of \d+ entries was published/);
    assert.ok(refused.printed.entries > 0 && refused.printed.entries < whole);
    await house.up();
    assert.ok((await size()) > whole, "what was there before is back");
    // And what an operator does by hand, past the command, is refused at the start, before anything is signed.
    await house.operator.ok("down");
    await rename(join(platform, "pg", "data"), join(platform, "pg", "data.newest"));
    await runOk(["/bin/cp", "-a", refused.printed.refused, join(platform, "pg", "data")]);
    const up = await failing("up", "--detach");
    assert.match(JSON.stringify(up.printed.error), /a second history will not be signed/);
  });

  await t.test("without the key's memory, a checkpoint that somebody else has tells as much", async () => {
    await house.operator.call("down");
    await rename(join(platform, "keys", "log.signed"), join(platform, "keys", "log.signed.kept"));
    await rename(join(platform, "witnesses.json"), join(platform, "witnesses.kept"));
    const note = join(house.root, "note");
    const seen = join(house.root, "creator-8891", "logs-seen");
    const [file] = (await readdir(seen)).filter((name) => !name.startsWith("evidence-"));
    await writeFile(note, JSON.parse(await readFile(join(seen, file as string), "utf8")).checkpoint);
    const refused = await house.operator.call("restore", "--from", join(copies, "one"), "--at", between, "--known", note);
    assert.equal(refused.code, 1, JSON.stringify(refused.printed));
    assert.match(refused.printed.failures[0].what, /a checkpoint of \d+ entries was published/);
    await rename(join(platform, "witnesses.kept"), join(platform, "witnesses.json"));
  });

  await t.test("the key's memory is thrown away too: the platform runs, and its witness and every client that saw more says so, keeps the evidence, and stops", async () => {
    await house.up();
    const { alarms } = await witnessing((seen) => seen.alarms.some((alarm) => alarm.startsWith("w1.example")));
    assert.match(alarms.join("\n"), /cosigned by witnesses, and only \d+ are here: the log was rolled back/);
    assert.match(alarms.join("\n"), /w1\.example: it has vouched for a tree of \d+ entries of this log, and only \d+ are here/);
    assert.equal((await house.operator.ok("ledger", "fsck")).ok, true, "by itself the older log is sound");
    const seen = await owner.call.refused(1, /^LOG_FORKED$/, "ledger", "checkpoint");
    assert.match(seen.message, /DO NOT TRUST THIS PLATFORM/);
    const [evidence] = (await readdir(join(house.root, "creator-8891", "logs-seen"))).filter((name) => name.startsWith("evidence-"));
    assert.match(await readFile(join(house.root, "creator-8891", "logs-seen", evidence ?? ""), "utf8"), /LOG_FORKED/);
  });

  await t.test("the way back: the newest state again, and the clients that stopped go on", async () => {
    await house.operator.ok("down");
    await rm(join(platform, "pg", "data"), { recursive: true });
    await rename(join(platform, "pg", "data.newest"), join(platform, "pg", "data"));
    await rename(join(platform, "keys", "log.signed.kept"), join(platform, "keys", "log.signed"));
    await house.up();
    assert.ok((await size()) > whole);
    assert.equal((await house.operator.ok("ledger", "fsck")).ok, true);
    assert.deepEqual((await witnessing(({ present }) => present === 1)).alarms, []);
  });
});

async function firstLine(child: ChildProcess): Promise<{ vkey: string; url: string }> {
  for await (const line of createInterface({ input: child.stdout as NonNullable<ChildProcess["stdout"]> })) return JSON.parse(line);
  throw new Error("the witness did not start");
}
