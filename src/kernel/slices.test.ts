import assert from "node:assert/strict";
import test from "node:test";
import { inSlices } from "./index.ts";

test("work for many is done in order, lets others have their turns, and a failure is its own", async () => {
  const slice = inSlices();
  const done: number[] = [];
  let [turns, going] = [0, true];
  const counting = () => {
    turns += 1;
    if (going) setImmediate(counting);
  };
  setImmediate(counting);
  const all = Array.from({ length: 60 }, (_, at) =>
    slice(() => {
      for (const until = performance.now() + 1; performance.now() < until; );
      done.push(at);
      if (at === 7) throw new Error("no answer");
      return at;
    }).catch((error: Error) => error.message),
  );
  assert.deepEqual(done, [], "never before the asker goes on");
  const answers = await Promise.all(all);
  going = false;
  assert.deepEqual(done, answers.map((_, at) => at));
  assert.deepEqual([answers[6], answers[7], answers[8]], [6, "no answer", 8]);
  assert.ok(turns >= 8, `${turns} turns in 60 ms`);
});
