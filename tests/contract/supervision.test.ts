import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import type { EngineSpec } from "../../src/contract/index.ts";
import { Fault, sleep } from "../../src/kernel/index.ts";
import { markOf, superviseEngines } from "../../src/platform/supervision/index.ts";
import { ScratchSite } from "../harness/scratch-site.ts";

/** An engine that forks a grandchild which leaves its session, as a badly behaved daemon would. */
function sleeper(dir: string, more: Partial<EngineSpec> = {}): EngineSpec {
  const pidFile = join(dir, "run", "grandchild.pid");
  return {
    name: "sleeper",
    purpose: "test",
    prepare: async () => {},
    argv: () => ["/bin/sh", "-c", 'setsid sh -c "echo \\$\\$ > $1; exec sleep 600" & exec sleep 600', "sleeper", pidFile],
    ready: async () => existsSync(pidFile),
    ready_timeout_ms: 3_000,
    stopSignal: "SIGTERM",
    stop_timeout_ms: 1_000,
    version: async () => "1",
    ...more,
  };
}

test("an engine that dies is started again, and stop ends its whole family", async () => {
  await using scratch = await ScratchSite.create();
  const { dir } = scratch.site;
  const engines = await superviseEngines(scratch.site, [sleeper(dir)], () => {});
  const first = engines.views()[0]?.pid as number;
  process.kill(first, "SIGKILL");
  for (let tries = 0; tries < 100 && engines.views()[0]?.pid === first; tries += 1) await sleep(50);
  await sleep(200);
  const view = engines.views()[0];
  assert.notEqual(view?.pid, first);
  assert.equal(view?.restarts, 1);
  const grandchild = Number(await readFile(join(dir, "run", "grandchild.pid"), "utf8"));
  assert.ok(markOf(grandchild), "the grandchild runs");
  await engines.stop();
  assert.equal(markOf(grandchild), undefined, "the grandchild ended with its engine");
  assert.equal(markOf(view?.pid as number), undefined);
});

test("a second supervisor ends what a killed one left", async () => {
  await using scratch = await ScratchSite.create();
  const { dir } = scratch.site;
  await superviseEngines(scratch.site, [sleeper(dir, { childrenOutlive: false })], () => {}).then(async (engines) => {
    // The first supervisor is abandoned here as if it had been killed: nobody calls stop.
    const abandoned = engines.views()[0]?.pid as number;
    const second = await superviseEngines(scratch.site, [sleeper(dir)], () => {});
    assert.equal(markOf(abandoned), undefined);
    await engines.stop();
    await second.stop();
  });
});

test("an engine that cannot start is a fault with its log, and the others are stopped", async () => {
  await using scratch = await ScratchSite.create();
  const { dir } = scratch.site;
  const broken = sleeper(dir, { name: "broken", after: ["sleeper"], argv: () => ["/bin/sh", "-c", "echo no such thing >&2; exit 3"] });
  await assert.rejects(
    superviseEngines(scratch.site, [sleeper(dir), { ...broken, ready: async () => false }], () => {}),
    (error: unknown) => error instanceof Fault && error.code === "ENGINE_NOT_READY" && error.message.includes("no such thing"),
  );
  const grandchild = Number(await readFile(join(dir, "run", "grandchild.pid"), "utf8"));
  assert.equal(markOf(grandchild), undefined);
});
