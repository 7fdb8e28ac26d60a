import assert from "node:assert/strict";
import test from "node:test";
import { Gather, oneBatch } from "./gather.ts";

test("what is asked together is asked once, and each gets its own answer", async () => {
  const batches: number[][] = [];
  const gather = new Gather<number, number>(
    async (keys) => {
      batches.push([...keys]);
      return keys.map((key) => key * 2);
    },
    oneBatch(100),
  );
  assert.deepEqual(await Promise.all([1, 2, 3].map((key) => gather.ask(key))), [2, 4, 6]);
  assert.equal(await gather.ask(4), 8);
  assert.deepEqual(batches, [[1, 2, 3], [4]]);
});

test("one batch at a time: who comes meanwhile is in the next one, in order, as many as may go together", async () => {
  let open = () => {};
  const batches: number[][] = [];
  const gather = new Gather<number, number>(
    async (keys) => {
      batches.push([...keys]);
      if (batches.length === 1) await new Promise<void>((resolve) => {
        open = resolve;
      });
      return keys;
    },
    oneBatch(2),
  );
  const first = gather.ask(1);
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  const rest = [2, 3, 4].map((key) => gather.ask(key));
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(batches, [[1]]);
  open();
  await Promise.all([first, ...rest]);
  assert.deepEqual(batches, [[1], [2, 3], [4]]);
});

test("a batch that fails fails for its own askers, and the next one is asked", async () => {
  let calls = 0;
  const gather = new Gather<number, number>(
    async (keys) => {
      calls += 1;
      if (calls === 1) throw new Error("no");
      return keys;
    },
    oneBatch(100),
  );
  const refused = await Promise.allSettled([gather.ask(1), gather.ask(2)]);
  assert.deepEqual(refused.map(({ status }) => status), ["rejected", "rejected"]);
  assert.equal(await gather.ask(3), 3);
});

test("until a batch lets the others on, they gather; then the next one begins beside it", async () => {
  const on: (() => void)[] = [];
  const end: (() => void)[] = [];
  const batches: number[][] = [];
  const gather = new Gather<number, number>(
    async (keys, onward) => {
      batches.push([...keys]);
      on.push(onward);
      await new Promise<void>((resolve) => end.push(resolve));
      return keys;
    },
    (waiting) => waiting.length,
  );
  const soon = () => new Promise((resolve) => setTimeout(resolve, 5));
  const first = gather.ask(1);
  await soon();
  const more = [2, 3].map((key) => gather.ask(key));
  await soon();
  assert.deepEqual(batches, [[1]]);
  on[0]?.();
  await soon();
  assert.deepEqual(batches, [[1], [2, 3]]);
  // The first one has let them on before: its end is not the second one's leave.
  end[0]?.();
  assert.equal(await first, 1);
  const last = gather.ask(4);
  await soon();
  assert.deepEqual(batches, [[1], [2, 3]]);
  end[1]?.();
  assert.deepEqual(await Promise.all(more), [2, 3]);
  await soon();
  end[2]?.();
  assert.equal(await last, 4);
  assert.deepEqual(batches, [[1], [2, 3], [4]]);
});

test("batches work side by side as long as they may", async () => {
  const open: (() => void)[] = [];
  const batches: string[][] = [];
  const gather = new Gather<string, string>(
    async (keys, onward) => {
      batches.push([...keys]);
      onward();
      await new Promise<void>((resolve) => open.push(resolve));
      return keys;
    },
    // One that stands in capitals goes alone.
    ([first = ""], working) => (working.some((key) => key === key.toUpperCase()) || (first === first.toUpperCase() && working.length > 0) ? 0 : 1),
  );
  const soon = () => new Promise((resolve) => setTimeout(resolve, 5));
  const all = ["a", "b", "C", "d"].map((key) => gather.ask(key));
  await soon();
  assert.deepEqual(batches, [["a"], ["b"]]);
  open[0]?.();
  await soon();
  assert.deepEqual(batches.length, 2, "it waits for every one before it");
  open[1]?.();
  await soon();
  assert.deepEqual(batches, [["a"], ["b"], ["C"]]);
  open[2]?.();
  await soon();
  open[3]?.();
  assert.deepEqual(await Promise.all(all), ["a", "b", "C", "d"]);
});
