import assert from "node:assert/strict";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { Caller } from "../../src/cli/demo/driver.ts";
import { Fault } from "../../src/kernel/index.ts";
import { down, openHome, startPlatform } from "../../src/platform/index.ts";
import { footprint, ofHome } from "../harness/footprint.ts";

/** A create is undone completely whichever step fails: before it begins, and after it is done. */
test("each step of a create fails in turn, and nothing of the unit remains", async (t) => {
  const root = await mkdtemp(join(tmpdir(), "nu-"));
  await chmod(root, 0o711);
  const cacheDir = process.env.NEXUS_CACHE ?? join(import.meta.dirname, "../../.runtime/cache");
  const homeFolder = join(root, "p");
  let failAt: { readonly at: number; readonly when: "before" | "after" } | undefined;
  let seen = 0;
  try {
    const home = await openHome(homeFolder, { cacheDir, create: true, checkPorts: true });
    const platform = await startPlatform(home, () => {}, { aroundStep: (step) => ({
      ...step,
      undo: () => step.undo(),
      do: async () => {
        const mine = seen;
        seen += 1;
        if (failAt?.at === mine && failAt.when === "before") throw new Fault("INJECTED", "a fault was injected");
        await step.do();
        if (failAt?.at === mine && failAt.when === "after") throw new Fault("INJECTED", "a fault was injected");
      },
    }) });
    try {
      const creator = new Caller(join(root, "c"), platform.apiOrigin);
      await creator.ok("identity", "create", "creator-8891");
      const create = ["imvu", "create", "--name", "ArtGallery", "--owner", "creator-8891", "--jurisdiction", "EU-GDPR", "--cpu", "0.5", "--memory", "0.25", "--storage", "0.25"];
      // The first one makes the base image, which stays; and it shows how many steps there are.
      const first = await creator.ok(...create);
      const steps = seen;
      assert.ok(steps >= 8, `${steps} steps`);
      const marks = [home.site.homeId, root];
      const before = ofHome(await footprint(), ...marks);
      assert.ok(before.namespaces.length > 0 && before.cgroups.length > 0 && before.loops.length > 0, "the look sees nothing");
      const zonesBefore = (await creator.ok("imvu", "list")).imvus.length;
      for (let at = 0; at < steps; at += 1)
        for (const when of ["before", "after"] as const)
          await t.test(`step ${at + 1} of ${steps} fails ${when === "before" ? "at once" : "when it is done"}`, async () => {
            seen = 0;
            failAt = { at, when };
            const called = await creator.call(...create);
            failAt = undefined;
            assert.equal(called.code, 6, JSON.stringify(called.printed));
            assert.equal(called.printed.error.code, "EFFECT_FAILED");
            assert.match(called.printed.error.hint, /everything was undone/);
            assert.equal((await creator.ok("imvu", "list")).imvus.length, zonesBefore);
            // The engines' own workers come and go.
            const { processes, ...now } = ofHome(await footprint(), ...marks);
            const { processes: processesBefore, ...expected } = before;
            assert.deepEqual(now, expected);
            assert.equal(processes.filter((line) => /conmon|busybox/.test(line)).length, processesBefore.filter((line) => /conmon|busybox/.test(line)).length);
          });
      await t.test("and the next create works", async () => {
        const second = await creator.ok(...create.map((word) => (word === "ArtGallery" ? "Second" : word)));
        assert.notEqual(second.imvu.id, first.imvu.id);
      });
    } finally {
      await platform.stop();
    }
  } finally {
    await down(homeFolder, { cacheDir, purge: true }, () => {});
    await rm(root, { recursive: true, force: true });
  }
});
