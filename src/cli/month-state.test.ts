import assert from "node:assert/strict";
import { test } from "node:test";
import { instantsOf, stateOf } from "./month-state.ts";

const month = { period: "2026-11", closed: false, readings: { count: 4 } };
const said = (at: string, more: object = {}) => stateOf({ ...month, ...more }, Date.parse(at));

test("a month that is not closed is so far only while it lasts: one to come has not begun, one that is over is not called open", () => {
  assert.equal(said("2026-12-31T00:00:00Z", { closed: true, index: 29 }), "closed, ledger entry 29");
  assert.deepEqual(["2026-11-01T00:00:00.000Z", "2026-11-01T00:00:00.001Z", "2026-12-01T00:00:00.000Z", "2026-12-01T00:00:00.001Z"].map((at) => said(at)), ["not begun", "not over: what it comes to so far", "not over: what it comes to so far", "over, and not closed yet"]);
  assert.equal(said("2027-01-01T00:00:00Z", { readings: { count: 0 } }), "over, and nothing was read in it");
});

test("by the clock of the unit", () => {
  const berlin = { start: "2026-10-31T23:00:00.000Z", end: "2026-11-30T23:00:00.000Z" };
  assert.deepEqual(["2026-10-31T23:30:00Z", "2026-11-30T23:30:00Z"].map((at) => said(at, berlin)), ["not over: what it comes to so far", "over, and not closed yet"]);
  assert.deepEqual(instantsOf({ period: "2026-12" }), { start_ms: Date.UTC(2026, 11, 1), end_ms: Date.UTC(2027, 0, 1) });
});
