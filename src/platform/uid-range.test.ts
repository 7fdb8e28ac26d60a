import assert from "node:assert/strict";
import { test } from "node:test";
import { UIDS_PER_HOME } from "../contract/index.ts";
import { freeRange, runningUids } from "./uid-range.ts";

test("a home gets a range of user ids of which nobody runs, and one of thirty when somebody runs of each", () => {
  const all = Array.from({ length: 30 }, (_, at) => 100_000_000 + at * UIDS_PER_HOME);
  const chosen = (running: readonly number[]) => [...new Set(all.flatMap((_, at) => freeRange(running, (below) => at % below)))].sort((a, b) => a - b);
  assert.deepEqual(chosen([0, 1000, 65_534]), all);
  assert.deepEqual(chosen([(all[0] as number) + 65_536, (all[29] as number) + UIDS_PER_HOME - 1]), all.slice(1, 29));
  assert.deepEqual(chosen(all.filter((_, at) => at !== 17)), [all[17]]);
  assert.deepEqual(chosen(all), all);
  assert.ok((all[29] as number) + UIDS_PER_HOME < 2 ** 31);
});

test("who runs is asked of the kernel", async () => {
  assert.ok((await runningUids()).has(process.getuid?.() as number));
});
