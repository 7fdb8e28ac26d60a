import assert from "node:assert/strict";
import test from "node:test";
import { OneRun } from "./one-run.ts";

test("whoever asks while it runs gets the same answer; afterwards it runs anew; keys do not share", async () => {
  const once = new OneRun<number>();
  let runs = 0;
  const work = async () => {
    runs += 1;
    await new Promise((resolve) => setImmediate(resolve));
    return runs;
  };
  assert.deepEqual(await Promise.all([once.of("a", work), once.of("a", work)]), [1, 1]);
  assert.equal(await once.of("a", work), 2);
  await Promise.all([once.of("a", work), once.of("b", work)]);
  assert.equal(runs, 4);
});

test("a failure reaches everybody who waited and is not kept", async () => {
  const once = new OneRun<number>();
  const fails = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    throw new Error("no");
  };
  const results = await Promise.allSettled([once.of("a", fails), once.of("a", fails)]);
  assert.deepEqual(results.map((result) => result.status), ["rejected", "rejected"]);
  assert.equal(await once.of("a", async () => 7), 7);
});
