import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { watch } from "node:fs";
import { appendFile, chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import test from "node:test";
import { Caller, type Printed } from "../../src/cli/demo/driver.ts";
import { get } from "../../src/cli/demo/outside.ts";
import { eventually } from "../../src/cli/demo/world.ts";
import { Fault } from "../../src/kernel/index.ts";
import { down, openHome, startPlatform } from "../../src/platform/index.ts";
import { TestHouse } from "../harness/test-house.ts";

/** Tells what it sees from inside; `/boot` is another word after each start. */
const SERVER = `const fs=require("fs"),boot=String(Math.random());if(fs.existsSync("/data/state")&&fs.readFileSync("/data/state","utf8")==="poison")process.exit(3);
const see={"/state":()=>fs.readFileSync("/data/state","utf8"),"/boot":()=>boot,"/mounts":()=>fs.readFileSync("/proc/self/mountinfo","utf8"),"/data":()=>JSON.stringify(fs.readdirSync("/data")),
"/up":()=>{try{return JSON.stringify(fs.readdirSync("/data/..").concat(fs.readdirSync("/data/../snapshots")))}catch(e){return e.code}},"/path":(q)=>{try{return fs.readdirSync(decodeURIComponent(q)).join()}catch(e){return e.code}}};
require("http").createServer((q,s)=>{const [path,arg]=q.url.split("?");if(path==="/write")fs.writeFileSync("/data/state",arg);const a=see[path];s.end(path==="/write"?"ok":a?a(arg):"?")}).listen(process.env.PORT);`;

const settledIn = (entries: readonly { readonly type: string }[], ...types: readonly string[]) => entries.filter(({ type }) => types.includes(type)).length;

test("snapshots: taken, put back, kept from harm, and gone when their owner says so", async (t) => {
  await using house = await TestHouse.start();
  const [owner, maintainer, stranger] = [await house.creator("creator-8891"), await house.creator("creator-7702"), await house.creator("creator-6666")];
  for (const one of [maintainer, stranger]) await one.call.ok("identity", "register");
  const unit = await house.unit(owner, "ArtGallery");
  const id: string = unit.imvu.id;
  const of = ["--imvu-id", id] as const;
  const volume = join(house.home, "platform/compute/volumes/1");
  const site = join(house.root, "site");
  await mkdir(site);
  await writeFile(join(site, "server.js"), SERVER);
  await owner.call.ok("deploy", ...of, "--dir", site, "--service", "web", "--runtime", "node");
  const inside = async (path: string) => (await get(house.status.listen.gatewayHttp, unit.imvu.zone, path)).body;
  const gate12 = async () => (await house.operator.call("verify", "gates", ...of)).printed.gates.find((row: Printed) => row.gate === 12);
  const says = async (verdict: string, say: RegExp) => {
    const { verdict: seen, evidence } = await gate12();
    assert.equal(seen, verdict, evidence);
    assert.match(evidence, say);
  };
  const snapshot = (...words: string[]) => ["imvu", "snapshot", words[0] as string, ...of, ...words.slice(1)];
  const list = async () => (await owner.call.ok(...snapshot("list"))).snapshots as Printed[];
  const entries = async () => (await owner.call.ok("ledger", "entries", ...of, "--limit", "500")).entries as Printed[];

  await t.test("without any, the probe captures, restores and compares by doing it", async () => {
    await inside("/write?first");
    assert.deepEqual(await list(), []);
    await says("holds", /no snapshot; one that was taken now \(1 files, 5 bytes\) was put back/);
  });

  await t.test("one is taken while services run, and its digest is in the ledger", async () => {
    const boot = await inside("/boot");
    const made = await owner.call.ok(...snapshot("create", "--label", "first light"));
    assert.deepEqual([made.snapshot.id, made.snapshot.files, made.snapshot.bytes, made.snapshot.label], ["S1", 1, 5, "first light"]);
    assert.equal(await inside("/boot"), boot);
    const told = (await entries()).findLast((entry) => entry.type === "effect.applied");
    assert.deepEqual(told.data.learned.snapshot, made.snapshot);
    assert.deepEqual(await list(), [made.snapshot]);
    await says("holds", /S1 \(1 files, 5 bytes\) was put back beside/);
    assert.equal((await house.operator.ok("ledger", "replay", "--check")).ok, true);
  });

  await t.test("from inside nobody sees one: it is in no mount, and at no path", async () => {
    const mounts = (await inside("/mounts")).split("\n").filter((line) => line.includes("btrfs"));
    assert.ok(mounts.length > 0);
    for (const line of mounts) assert.match(line, / \/(?:data|content)\//);
    assert.deepEqual(JSON.parse(await inside("/data")), ["state"]);
    assert.equal(await inside("/up"), "ENOENT");
    for (const path of [volume, join(volume, "snapshots"), "/proc/1/root/snapshots", "/snapshots"]) assert.equal(await inside(`/path?${encodeURIComponent(path)}`), "ENOENT", path);
    assert.equal(execFileSync("/usr/bin/stat", ["--format=%u %a", join(volume, "snapshots")], { encoding: "utf8" }).trim(), "0 700");
  });

  await t.test("a restore captures what is there first, and brings back what was", async () => {
    await inside("/write?second");
    const boot = await inside("/boot");
    const done = await owner.call.ok(...snapshot("restore", "--id", "S1"));
    assert.deepEqual([done.restored, done.rests, done.before.id, done.before.label], ["S1", "S2", "S2", "before S1"]);
    assert.equal(await inside("/state"), "first");
    assert.notEqual(await inside("/boot"), boot);
    assert.ok((await list())[1].restedOn);
    await owner.call.ok(...snapshot("restore", "--id", "S2"));
    assert.equal(await inside("/state"), "second");
    assert.deepEqual((await readdir(volume)).sort(), ["content", "data", "scratch", "snapshots"]);
    assert.deepEqual(await readdir(join(volume, "scratch")), []);
    await says("holds", /S3/);
    assert.equal((await house.operator.ok("ledger", "replay", "--check")).ok, true);
  });

  await t.test("what is replaced must stand in a fresh one, and that one stays for a while", async () => {
    const asked = (await owner.call.call(...snapshot("restore", "--id", "S1"), "--dry-run")).printed;
    assert.deepEqual([asked.allowed, asked.refusal.code], [false, "GATE_12_RESTORE_WITHOUT_SNAPSHOT"]);
    const refused = await owner.call.refused(3, /^GATE_12_SNAPSHOT_RESTED_ON$/, ...snapshot("remove", "--id", "S3"));
    assert.ok(refused.ledgerIndex > 0);
    await owner.call.ok(...snapshot("create"));
    assert.equal((await owner.call.call(...snapshot("restore", "--id", "S1"), "--dry-run")).printed.allowed, true);
    await owner.call.ok("dns", "set", ...of, "--name", "www", "--type", "TXT", "--value", "changed", "--ttl", "300");
    assert.equal((await owner.call.call(...snapshot("restore", "--id", "S1"), "--dry-run")).printed.refusal.code, "GATE_12_RESTORE_WITHOUT_SNAPSHOT");
    await owner.call.refused(4, /^NO_SUCH_SNAPSHOT$/, ...snapshot("restore", "--id", "S77"));
    await owner.call.refused(2, /./, ...snapshot("restore", "--id", "../S1"));
    await owner.call.refused(2, /./, ...snapshot("create", "--label", "$(id)"));
  });

  await t.test("a maintainer captures, and replaces and removes nothing; a stranger learns nothing", async () => {
    await owner.call.ok("imvu", "member", "add", "creator-7702", ...of, "--role", "maintainer");
    await maintainer.call.ok(...snapshot("create"));
    await maintainer.call.refused(3, /^GATE_01_ROLE$/, ...snapshot("restore", "--id", "S1"));
    await maintainer.call.refused(3, /^GATE_01_ROLE$/, ...snapshot("remove", "--id", "S1"));
    for (const verb of ["restore", "remove"]) await stranger.call.refused(3, /^GATE_16_FORBIDDEN$/, ...snapshot(verb, "--id", "S1"));
    await stranger.call.refused(4, /^NO_SUCH_IMVU$/, ...snapshot("list"));
  });

  await t.test("what root alters is named, and not put in place; nothing is stopped for it", async () => {
    const data = join(volume, "snapshots/S1/data/web");
    execFileSync("/usr/bin/btrfs", ["property", "set", "-ts", data, "ro", "false"]);
    await appendFile(join(data, "state"), " and a lie");
    execFileSync("/usr/bin/btrfs", ["property", "set", "-ts", data, "ro", "true"]);
    await says("broken", /S1 has the digest [0-9a-f]{64}, in the ledger stands/);
    const boot = await inside("/boot");
    const refused = await owner.call.refused(6, /^EFFECT_FAILED$/, ...snapshot("restore", "--id", "S1"));
    assert.match(refused.message, /S1 has the digest.*nothing was stopped/);
    assert.ok(refused.ledgerIndex > 0);
    assert.deepEqual([await inside("/boot"), await inside("/state")], [boot, "second"]);
    await owner.call.ok(...snapshot("remove", "--id", "S1"));
    await says("holds", /./);
    execFileSync("/usr/bin/btrfs", ["subvolume", "snapshot", "-r", join(volume, "data/web"), join(volume, "snapshots/S99")], { stdio: "ignore" });
    await says("broken", /snapshots\/S99 lies on the volume, and no entry tells of it/);
    execFileSync("/usr/bin/btrfs", ["subvolume", "delete", join(volume, "snapshots/S99")], { stdio: "ignore" });
  });

  await t.test("a service that does not come up on what was put back has its own data again", async () => {
    await inside("/write?poison");
    const { snapshot: poison } = await owner.call.ok(...snapshot("create"));
    await inside("/write?second");
    const refused = await owner.call.refused(6, /^EFFECT_FAILED$/, ...snapshot("restore", "--id", poison.id));
    assert.match(refused.message, /web does not answer.*exit code 3/);
    assert.match(refused.hint, /everything was undone/);
    assert.equal(await inside("/state"), "second");
    assert.deepEqual((await readdir(volume)).sort(), ["content", "data", "scratch", "snapshots"]);
    await says("holds", /put back beside/);
  });

  await t.test("a full volume takes none, and says what to do", async () => {
    await assert.rejects(async () => {
      for (;;) await appendFile(join(volume, "data/web/full"), Buffer.alloc(1024 ** 2, 1));
    }, { code: "ENOSPC" });
    const refused = await owner.call.refused(3, /^GATE_07_QUOTA_EXCEEDED$/, ...snapshot("create"));
    assert.deepEqual(Object.keys(refused.allowed), ["storageBytes"]);
    await rm(join(volume, "data/web/full"));
  });

  await t.test("they are there after the platform was down, and an exit lists them", async () => {
    const before = await list();
    await house.operator.ok("down");
    await house.up();
    assert.deepEqual(await list(), before);
    await says("holds", /put back beside/);
    const left = await owner.call.ok("imvu", "exit", ...of, "--export-path", join(house.root, "exit"));
    assert.equal(left.rehearsal.equal, left.rehearsal.compared);
    assert.deepEqual(JSON.parse(await readFile(join(left.path, "compute/snapshots.json"), "utf8")).snapshots, before);
    assert.ok(JSON.parse(await readFile(join(left.path, "MANIFEST.json"), "utf8")).notIncluded.some((one: Printed) => one.what === "compute/snapshots"));
  });

  await t.test("kill -9 in the middle: the old data or the new, and the command is finished", async () => {
    await inside("/write?third");
    const made = (await owner.call.ok(...snapshot("create"))).snapshot.id;
    // Each time at another place: while its own capture is made, while what comes is made, when the old data was set aside, when the service is there again.
    for (const reached of ["snapshots/S", "incoming-", "aside-", "data"] as const) {
      await inside("/write?fourth");
      const { pid } = (await house.operator.ok("status")).supervisor;
      const folder = join(volume, dirname(reached));
      const seen = new Promise<void>((resolve) => {
        const watcher = watch(folder, (_event, name) => {
          if (!name?.startsWith(basename(reached))) return;
          process.kill(pid, "SIGKILL");
          watcher.close();
          resolve();
        });
      });
      const restoring = owner.call.call(...snapshot("restore", "--id", made));
      await seen;
      await eventually("the supervisor's end", 5_000, async () => ((await readFile(`/proc/${pid}/stat`, "utf8").catch(() => ") Z")).includes(") Z") ? true : undefined));
      await restoring;
      await house.up();
      const all = await entries();
      assert.equal(settledIn(all, "effect.applied", "effect.failed"), settledIn(all, "command.accepted"), reached);
      const last = all.findLast((entry) => entry.type === "effect.applied" || entry.type === "effect.failed");
      assert.equal(last.type, "effect.applied", reached);
      const expected = last.data.op === "imvu.snapshot.restore" ? "third" : "fourth";
      assert.equal(await eventually("the service", 20_000, async () => (await inside("/state").catch(() => "")) || undefined), expected, reached);
      assert.deepEqual((await readdir(volume)).sort(), ["content", "data", "scratch", "snapshots"], reached);
      await says("holds", /put back beside/);
    }
  });
});

test("each step of a snapshot command fails in turn, and the unit is as before", async (t) => {
  const root = await mkdtemp(join(tmpdir(), "ns-"));
  await chmod(root, 0o711);
  const cacheDir = process.env.NEXUS_CACHE ?? join(import.meta.dirname, "../../.runtime/cache");
  const homeFolder = join(root, "p");
  let fail: { readonly key: RegExp; readonly when: "before" | "after" } | undefined;
  try {
    const home = await openHome(homeFolder, { cacheDir, create: true, checkPorts: true });
    const platform = await startPlatform(home, () => {}, { aroundStep: (step) => ({
      ...step,
      undo: () => step.undo(),
      do: async () => {
        const mine = fail?.key.test(step.key) ? fail : undefined;
        if (mine?.when === "before") throw new Fault("INJECTED", "a fault was injected");
        await step.do();
        if (mine?.when === "after") throw new Fault("INJECTED", "a fault was injected");
      },
    }) });
    try {
      const owner = new Caller(join(root, "c"), platform.apiOrigin);
      await owner.ok("identity", "create", "creator-8891");
      const unit = await owner.ok("imvu", "create", "--name", "ArtGallery", "--owner", "creator-8891", "--jurisdiction", "EU-GDPR", "--cpu", "0.5", "--memory", "0.25", "--storage", "0.25");
      const of = ["--imvu-id", unit.imvu.id];
      const volume = join(homeFolder, "platform/compute/volumes/1");
      const state = join(volume, "data/web/state");
      await writeFile(state, "first");
      await owner.ok("imvu", "snapshot", "create", ...of);
      await writeFile(state, "second");
      const seen = async () => ({
        snapshots: (await readdir(join(volume, "snapshots"))).filter((name) => name === "S1" || name.endsWith(".new")),
        folders: (await readdir(volume)).sort(),
        state: await readFile(state, "utf8"),
        services: (await owner.ok("service", "list", ...of)).services.length,
      });
      const before = await seen();
      for (const [verb, key, when] of [["create", /snapshot/, "before"], ["create", /snapshot/, "after"], ["restore", /\/restore\//, "before"], ["restore", /\/restore\//, "after"]] as const)
        await t.test(`${verb} fails ${when === "before" ? "at once" : "when it is done"}`, async () => {
          fail = { key, when };
          const called = await owner.call("imvu", "snapshot", verb, ...of, ...(verb === "restore" ? ["--id", "S1"] : []));
          fail = undefined;
          assert.equal(called.code, 6, JSON.stringify(called.printed));
          assert.match(called.printed.error.hint, /everything was undone/);
          assert.deepEqual(await seen(), before);
          const { gates } = (await owner.call("verify", "gates", ...of)).printed;
          assert.equal(gates[11].verdict, "holds", gates[11].evidence);
        });
      await t.test("and then it works", async () => {
        await owner.ok("imvu", "snapshot", "restore", ...of, "--id", "S1");
        assert.equal(await readFile(state, "utf8"), "first");
      });
    } finally {
      await platform.stop();
    }
  } finally {
    await down(homeFolder, { cacheDir, purge: true }, () => {});
    await rm(root, { recursive: true, force: true });
  }
});
