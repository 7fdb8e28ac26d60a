import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import test from "node:test";
import { ask, get, readMailbox } from "../../src/cli/demo/outside.ts";
import { eventually } from "../../src/cli/demo/world.ts";
import { footprint } from "../harness/footprint.ts";
import { TestHouse } from "../harness/test-house.ts";

test("kill -9 of the supervisor: workloads answer on, the next start adopts or ends what was left, nothing is lost", async (t) => {
  await using house = await TestHouse.start();
  const creator = await house.creator("creator-8891");
  const unit = await house.unit(creator, "ArtGallery");
  const kill = async () => {
    const { pid } = (await house.operator.ok("status")).supervisor;
    process.kill(pid, "SIGKILL");
    await eventually("the supervisor's end", 5_000, async () => ((await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "")).includes(") Z") || (await readFile(`/proc/${pid}/stat`).catch(() => undefined)) === undefined ? true : undefined));
  };
  const works = async () => {
    const { gatewayHttp, resolver, imap } = house.status.listen;
    assert.equal((await get(gatewayHttp, unit.imvu.zone, "/")).status, 200);
    assert.ok((await ask(resolver, `www.${unit.imvu.zone}`, "A")).authenticated);
    const password = (await readFile(unit.mail.passwordFile, "utf8")).trim();
    await readMailbox(imap, { address: unit.mail.address, password, ca: house.ca, servername: unit.mail.servername });
  };
  await t.test("idle: the service answers while nobody supervises, and everything works after the next start", async () => {
    const before = (await creator.call.ok("ledger", "checkpoint")).size;
    await kill();
    assert.equal((await get(house.status.listen.gatewayHttp, unit.imvu.zone, "/")).status, 200);
    await house.up().catch(async (error) => { throw new Error((await readFile(`${house.home}/platform/log/platform.log`, "utf8")).slice(-6000), { cause: error }); });
    await works();
    const after = (await creator.call.ok("ledger", "checkpoint")).size;
    assert.ok(after >= before, "the log shrank");
    assert.equal((await house.operator.ok("ledger", "fsck")).ok, true);
  });
  await t.test("in the middle of a create: it is finished or undone, and recorded once", async () => {
    for (const delay_ms of [150, 500, 900]) {
      const creating = house.unit(creator, "Second").then(
        () => undefined,
        () => undefined,
      );
      await new Promise((resolve) => setTimeout(resolve, delay_ms + 700));
      await kill();
      await creating;
      await house.up().catch(async (error) => { throw new Error((await readFile(`${house.home}/platform/log/platform.log`, "utf8")).slice(-6000), { cause: error }); });
      const { imvus } = await creator.call.ok("imvu", "list");
      for (const { id, status } of imvus) {
        assert.equal(status, "active", `${id} is ${status}`);
        const { entries } = await creator.call.ok("ledger", "entries", "--imvu-id", id, "--limit", "500");
        const accepted = entries.filter((entry: { type: string }) => entry.type === "command.accepted").length;
        const settled = entries.filter((entry: { type: string }) => entry.type === "effect.applied" || entry.type === "effect.failed").length;
        assert.equal(settled, accepted, `${id}: ${accepted} intents, ${settled} outcomes`);
      }
      await works();
    }
  });
  await t.test("in the middle of an exit: its rehearsal leaves nothing on the machine, the exit is recorded once, and the next one works", async () => {
    const before = await footprint();
    const exit = () => creator.call.call("imvu", "exit", "--imvu-id", unit.imvu.id, "--export-path", `${house.root}/exit`);
    const leaving = exit();
    await eventually("the rehearsal's engines", 60_000, async () => ((await footprint()).namespaces.length > before.namespaces.length ? true : undefined));
    await kill();
    await leaving;
    await house.up();
    const { namespaces, mounts, loops, cgroups, runtimeFolders } = await footprint();
    assert.deepEqual({ namespaces, loops, runtimeFolders }, { namespaces: before.namespaces, loops: before.loops, runtimeFolders: before.runtimeFolders });
    assert.deepEqual([mounts.length, cgroups.length], [before.mounts.length, before.cgroups.length]);
    assert.deepEqual((await readdir(house.home)).filter((name) => /^r[0-9a-f]{4}$/.test(name)), []);
    const { entries } = await creator.call.ok("ledger", "entries", "--imvu-id", unit.imvu.id, "--limit", "500");
    const many = (...types: string[]) => entries.filter((entry: { type: string }) => types.includes(entry.type)).length;
    assert.equal(many("effect.applied", "effect.failed"), many("command.accepted"));
    const again = await exit();
    assert.equal(again.code, 0, again.said);
    assert.equal(again.printed.rehearsal.equal, again.printed.rehearsal.compared);
    await works();
  });
  await t.test("killed engines come back by themselves", async () => {
    const { engines } = await house.operator.ok("status");
    for (const engine of engines) process.kill(engine.pid, "SIGKILL");
    await eventually("all engines run again", 60_000, async () => {
      const called = await house.operator.call("status");
      return called.code === 0 && called.printed.engines.every((engine: { state: string }) => engine.state === "running") ? true : undefined;
    });
    await works();
    assert.equal((await house.operator.ok("ledger", "fsck")).ok, true);
  });
});
