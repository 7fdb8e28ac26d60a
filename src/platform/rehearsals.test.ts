import assert from "node:assert/strict";
import test from "node:test";
import type { ImvuId } from "../kernel/index.ts";
import { Rehearsals } from "./rehearsals.ts";

const UNIT = "IMVU-001" as ImvuId;

test("a rehearsal is evidence for a day, and of its own unit", async () => {
  let now = Date.UTC(2026, 10, 3);
  const rehearsals = new Rehearsals({ now: () => now });
  assert.equal(rehearsals.evidence(UNIT).verdict, "unproven");
  await rehearsals.run(UNIT, async () => ({ verdict: "holds", detail: "4 files" }));
  assert.deepEqual(rehearsals.evidence(UNIT), { verdict: "holds", detail: "4 files (2026-11-03T00:00:00.000Z)" });
  assert.equal(rehearsals.evidence("IMVU-002" as ImvuId).verdict, "unproven");
  now += 24 * 3_600_000;
  assert.equal(rehearsals.evidence(UNIT).verdict, "holds");
  now += 1;
  assert.equal(rehearsals.evidence(UNIT).verdict, "unproven");
});

test("one runs at a time, one that fails is nobody's but its own, and what was found broken stays so until the next", async () => {
  const rehearsals = new Rehearsals({ now: () => 0 });
  let running = 0;
  const slow = async () => {
    assert.equal(running, 0);
    running += 1;
    await new Promise((resolve) => setTimeout(resolve, 5));
    running -= 1;
    return { verdict: "broken", detail: "a file differs" } as const;
  };
  const [first, failed] = await Promise.allSettled([rehearsals.run(UNIT, slow), rehearsals.run("IMVU-002" as ImvuId, async () => Promise.reject(new Error("no room"))), rehearsals.run(UNIT, slow)]);
  assert.deepEqual([first?.status, failed?.status], ["fulfilled", "rejected"]);
  assert.equal(rehearsals.evidence(UNIT).verdict, "broken");
  assert.equal(rehearsals.evidence("IMVU-002" as ImvuId).verdict, "unproven");
});
