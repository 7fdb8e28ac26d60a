import assert from "node:assert/strict";
import { test } from "node:test";
import { accept, refuse } from "../../kernel/index.ts";
import { Operations } from "./operations.ts";
import type { StepEvent } from "./saga.ts";

const event = (key: string): StepEvent => ({ key, sentence: key, state: "start", ms: 0 });

test("a command that is sent again while it works, or after, gets the answer of the first", async () => {
  const operations = new Operations();
  let runs = 0;
  const work = async () => {
    runs += 1;
    return accept(runs);
  };
  const first = operations.begin("d", work);
  assert.equal(operations.begin("d", work), first);
  assert.deepEqual(await first.answer, accept(1));
  assert.deepEqual(await operations.begin("d", work).answer, accept(1));
  assert.equal(operations.get("d"), first);
  assert.equal(operations.get("other"), undefined);
  assert.equal(runs, 1);
});

test("a refusal is an answer that stays; a fault is not, and the same command may be sent again", async () => {
  const operations = new Operations();
  const no = refuse("gate", "NO", "no", "ask for less");
  await operations.begin("refused", async () => no).answer;
  assert.deepEqual(await operations.begin("refused", async () => accept(1)).answer, no);
  const broken = operations.begin("broken", async () => {
    throw new Error("engine gone");
  });
  await assert.rejects(broken.answer, /engine gone/);
  assert.equal(operations.get("broken"), undefined);
  assert.deepEqual(await operations.begin("broken", async () => accept(2)).answer, accept(2));
});

test("who comes late hears everything from the beginning, once and in order; who leaves hears no more", async () => {
  const operations = new Operations();
  let report: (event: StepEvent) => void = () => {};
  let end = () => {};
  const operation = operations.begin("d", (say) => {
    report = say;
    return new Promise((resolve) => {
      end = () => resolve(accept(null));
    });
  });
  report(event("a"));
  const late: string[] = [];
  const leave = operation.follow(({ key }) => late.push(key));
  report(event("b"));
  leave();
  report(event("c"));
  end();
  await operation.answer;
  const afterwards: string[] = [];
  operation.follow(({ key }) => afterwards.push(key));
  assert.deepEqual(late, ["a", "b"]);
  assert.deepEqual(afterwards, ["a", "b", "c"]);
});

test("memory has a bound: of very many operations the oldest is forgotten first", async () => {
  const operations = new Operations();
  const begin = (n: number) => operations.begin(`d${n}`, async () => accept(n)).answer;
  for (let n = 0; n < 1_001; n += 1) await begin(n);
  assert.equal(operations.get("d0"), undefined);
  assert.ok(operations.get("d1"));
  assert.ok(operations.get("d1000"));
});

test("an operation that reports without end keeps a bounded list, and followers still hear what is new", async () => {
  const heard: string[] = [];
  let report: (event: StepEvent) => void = () => {};
  const operation = new Operations().begin("d", async (say) => {
    report = say;
    return accept(null);
  });
  await operation.answer;
  for (let n = 0; n < 10_000; n += 1) report(event("x"));
  operation.follow(({ key }) => heard.push(key));
  report(event("last"));
  assert.equal(operation.events.length, 10_000);
  assert.equal(heard.at(-1), "last");
});
