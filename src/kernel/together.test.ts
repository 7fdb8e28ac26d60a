import assert from "node:assert/strict";
import test from "node:test";
import { together } from "./index.ts";

test("who asks in one turn shares a question; who comes while it is answered waits for the next; a failure is theirs alone", async () => {
  const began: number[] = [];
  let [asked, under, most] = [0, 0, 0];
  const open: (() => void)[] = [];
  const question = together(async () => {
    asked += 1;
    under += 1;
    most = Math.max(most, under);
    const number = asked;
    began.push(number);
    await new Promise<void>((resolve) => open.push(resolve));
    under -= 1;
    if (number === 2) throw new Error("no answer");
    return number;
  });
  const first = [question(), question(), question()];
  while (open.length < 1) await new Promise(setImmediate);
  const second = [question(), question()].map((one) => one.catch((error: Error) => error.message));
  await new Promise(setImmediate);
  assert.deepEqual(began, [1], "the second waits for the first to end");
  open[0]?.();
  assert.deepEqual(await Promise.all(first), [1, 1, 1]);
  while (open.length < 2) await new Promise(setImmediate);
  open[1]?.();
  assert.deepEqual(await Promise.all(second), ["no answer", "no answer"]);
  const third = question();
  while (open.length < 3) await new Promise(setImmediate);
  open[2]?.();
  assert.equal(await third, 3);
  assert.equal(most, 1);
});
