import assert from "node:assert/strict";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { LIFE } from "../../src/cli/demo/life.ts";
import { openWorld } from "../../src/cli/demo/world.ts";
import { footprint } from "../harness/footprint.ts";

test("the life of an IMVU, from its first key to its life elsewhere, leaves the machine as it was", async (t) => {
  const before = await footprint();
  const root = await mkdtemp(join(tmpdir(), "nj-"));
  await chmod(root, 0o711);
  const world = await openWorld(root);
  try {
    let standing = true;
    for (const step of LIFE) {
      // Each step stands on the ones before: after the first failure the rest would only repeat it.
      if (!standing) break;
      await t.test(step.name, async (t2) => {
        standing = false;
        t2.diagnostic(await step.run(world));
        standing = true;
      });
    }
  } finally {
    for (const platform of [world.operator, world.elsewhere]) {
      const down = await platform.call("down", "--purge");
      assert.equal(down.code, 0, `down --purge: ${JSON.stringify(down.printed)} ${down.said}`);
    }
    await rm(root, { recursive: true, force: true });
  }
  assert.deepEqual(await footprint(), before);
});
