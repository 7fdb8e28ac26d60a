import assert from "node:assert/strict";
import test from "node:test";
import { sleep } from "../kernel/index.ts";
import { Turns } from "./turns.ts";

test("what has one name runs one after the other, also behind a failure; other names do not wait; the crowd is bounded", async () => {
  const turns = new Turns(4);
  const seen: string[] = [];
  const work = (name: string, ms: number, fail = false) =>
    turns.take(name, async () => {
      seen.push(`${name} begins`);
      await sleep(ms);
      seen.push(`${name} ends`);
      if (fail) throw new Error("no");
    });
  const all = [work("a", 30, true), work("a", 1), work("b", 5), work("a", 1)];
  assert.equal(work("c", 0), undefined, "a fifth has no room");
  const ends = await Promise.allSettled(all);
  assert.deepEqual(ends.map(({ status }) => status), ["rejected", "fulfilled", "fulfilled", "fulfilled"]);
  assert.deepEqual(seen.filter((one) => one.startsWith("a")), ["a begins", "a ends", "a begins", "a ends", "a begins", "a ends"]);
  assert.ok(seen.indexOf("b ends") < seen.indexOf("a ends"));
  await work("c", 0);
});
