import assert from "node:assert/strict";
import test from "node:test";
import type { Step } from "../../contract/index.ts";
import { Saga } from "./saga.ts";

function recorder(failAt: number, undoFailsAt = -1) {
  const log: string[] = [];
  const steps: Step[] = [0, 1, 2].map((n) => ({
    key: `s${n}`,
    sentence: `step ${n}`,
    do: async () => {
      log.push(`do${n}`);
      if (n === failAt) throw new Error("no");
    },
    undo: async () => {
      log.push(`undo${n}`);
      if (n === undoFailsAt) throw new Error("stuck");
    },
  }));
  return { log, steps };
}

for (const failAt of [0, 1, 2]) {
  test(`a failure in step ${failAt} undoes it and all before it, newest first`, async () => {
    const { log, steps } = recorder(failAt);
    const saga = new Saga(() => {});
    await assert.rejects(saga.run(steps));
    assert.deepEqual(await saga.undo(), []);
    const begun = [0, 1, 2].slice(0, failAt + 1);
    assert.deepEqual(log, [...begun.map((n) => `do${n}`), ...begun.toReversed().map((n) => `undo${n}`)]);
  });
}

test("an undo that fails is reported and does not stop the others", async () => {
  const { log, steps } = recorder(2, 1);
  const saga = new Saga(() => {});
  await assert.rejects(saga.run(steps));
  assert.deepEqual(await saga.undo(), ["step 1: stuck"]);
  assert.ok(log.includes("undo0"));
});
