import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as soon } from "node:timers/promises";
import { Turns } from "./turns.ts";

function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

test("work under one key never overlaps and keeps the order of arrival", async () => {
  const turns = new Turns();
  const log: string[] = [];
  const work = (name: string) => async () => {
    log.push(`begin ${name}`);
    await soon();
    log.push(`end ${name}`);
    return name;
  };
  assert.deepEqual(await Promise.all(["a", "b", "c"].map((name) => turns.take("IMVU-001", work(name)))), ["a", "b", "c"]);
  assert.deepEqual(log, ["begin a", "end a", "begin b", "end b", "begin c", "end c"]);
});

test("one key does not wait for another", async () => {
  const turns = new Turns();
  const { open, opened } = gate();
  const stuck = turns.take("IMVU-001", () => opened);
  assert.equal(await turns.take("IMVU-002", async () => "free"), "free");
  open();
  await stuck;
});

test("work that fails fails for its caller alone, and the next one has its turn", async () => {
  const turns = new Turns();
  const failed = turns.take("k", async () => {
    throw new Error("no");
  });
  const next = turns.take("k", async () => "yes");
  await assert.rejects(failed, /no/);
  assert.equal(await next, "yes");
});

test("who comes while the last one works still waits for it", async () => {
  const turns = new Turns();
  const { open, opened } = gate();
  let second = false;
  const first = turns.take("k", async () => "first");
  const last = turns.take("k", () => opened);
  await first;
  await soon();
  const late = turns.take("k", async () => {
    second = true;
  });
  await soon();
  assert.equal(second, false);
  open();
  await Promise.all([last, late]);
  assert.equal(second, true);
});

test("a key that nobody waits for is forgotten", async () => {
  const turns = new Turns();
  await Promise.allSettled(Array.from({ length: 50 }, (_, n) => turns.take(`k${n}`, async () => assert.ok(n % 2 === 0))));
  assert.equal((turns as unknown as { last: Map<string, unknown> }).last.size, 0);
});
