import assert from "node:assert/strict";
import { test } from "node:test";
import { LOG_LINES_MAX, parseLog } from "./logs.ts";

test("whole lines as TIME text, parts joined, what is no line of the monitor's left out", () => {
  const log = ["cut off: 1Z stdout F x", "t1 stdout F one", "t2 stderr P two, ", "t3 stderr F and its rest", "", "t4 stdout F ", "t5 stdout F with stdout F in it", "t6 stdout P unfinished"].join("\n");
  assert.equal(parseLog(log, 100), "t1 one\nt2 two, and its rest\nt4 \nt5 with stdout F in it\nt6 unfinished\n");
});

test("only so many lines, the last ones, and at least one", () => {
  const log = Array.from({ length: LOG_LINES_MAX + 5 }, (_, n) => `t stdout F ${n}`).join("\n");
  assert.equal(parseLog(log, 2), `t ${LOG_LINES_MAX + 3}\nt ${LOG_LINES_MAX + 4}\n`);
  assert.equal(parseLog(log, -3), `t ${LOG_LINES_MAX + 4}\n`);
  assert.equal(parseLog(log, 1e9).split("\n").length, LOG_LINES_MAX + 1);
  assert.equal(parseLog("", 5), "");
});
