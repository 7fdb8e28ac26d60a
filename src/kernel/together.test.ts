import assert from "node:assert/strict";
import test from "node:test";
import { together, togetherOf } from "./index.ts";

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

test("one question names all who are asked about in a turn, each once; who is asked about later stands in the next", async () => {
  const asked: (readonly string[])[] = [];
  const open: (() => void)[] = [];
  const lengthOf = togetherOf(async (names: readonly string[]) => {
    asked.push(names);
    await new Promise<void>((resolve) => open.push(resolve));
    if (names.includes("bad")) throw new Error("no answer");
    return new Map(names.filter((name) => name !== "unknown").map((name) => [name, name.length]));
  });
  const first = [lengthOf("a"), lengthOf("bb"), lengthOf("a"), lengthOf("unknown")];
  while (open.length < 1) await new Promise(setImmediate);
  const second = [lengthOf("a"), lengthOf("bad")].map((one) => one.catch((error: Error) => error.message));
  open[0]?.();
  assert.deepEqual(await Promise.all(first), [1, 2, 1, undefined]);
  while (open.length < 2) await new Promise(setImmediate);
  open[1]?.();
  assert.deepEqual(await Promise.all(second), ["no answer", "no answer"]);
  assert.deepEqual(asked, [["a", "bb", "unknown"], ["a", "bad"]]);
});
