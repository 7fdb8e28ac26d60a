import assert from "node:assert/strict";
import test from "node:test";
import type { Step } from "../../contract/index.ts";
import { Saga, type StepEvent } from "./saga.ts";

function step(key: string, done: string[], faults: { do?: string; undo?: string } = {}): Step {
  return {
    key,
    sentence: `make ${key}`,
    do: async () => {
      done.push(`do ${key}`);
      if (faults.do) throw new Error(faults.do);
    },
    undo: async () => {
      done.push(`undo ${key}`);
      if (faults.undo) throw new Error(faults.undo);
    },
  };
}

const told = (events: readonly StepEvent[]) => events.map(({ key, state, detail }) => [key, state, ...(detail === undefined ? [] : [detail])]);

test("people see each step begin and end, what failed and why, and what was taken back", async () => {
  const events: StepEvent[] = [];
  const saga = new Saga((event) => events.push(event));
  await saga.run([step("a", [])]);
  await assert.rejects(saga.run([step("b", [], { do: "disk full", undo: "stuck" }), step("c", [])]), /disk full/);
  await saga.undo();
  assert.deepEqual(told(events), [["a", "start"], ["a", "done"], ["b", "start"], ["b", "failed", "disk full"], ["b", "undo-failed", "stuck"], ["a", "undone"]]);
  for (const { ms, sentence } of events) assert.ok(ms >= 0 && Number.isFinite(ms) && sentence.startsWith("make "));
});

test("only steps that were done are timed, in their order", async () => {
  const saga = new Saga(() => {});
  await assert.rejects(saga.run([step("a", []), step("b", []), step("c", [], { do: "no" })]));
  assert.deepEqual(saga.timings.map((timing) => timing.step), ["a", "b"]);
});

test("steps of several rounds are taken back together, newest first, and only once", async () => {
  const done: string[] = [];
  const saga = new Saga(() => {});
  await saga.run([step("a", done)]);
  await saga.run([step("b", done), step("c", done)]);
  await saga.undo();
  await saga.undo();
  assert.deepEqual(done, ["do a", "do b", "do c", "undo c", "undo b", "undo a"]);
});

test("a fault put around a step is a fault of that step", async () => {
  const done: string[] = [];
  const saga = new Saga(() => {}, (inner) => (inner.key === "b" ? { ...inner, do: () => Promise.reject(new Error("injected")) } : inner));
  await assert.rejects(saga.run([step("a", done), step("b", done)]), /injected/);
  await saga.undo();
  assert.deepEqual(done, ["do a", "undo b", "undo a"]);
});

test("a command without steps has nothing to take back", async () => assert.deepEqual(await new Saga(() => assert.fail("nothing to report")).undo(), []));
