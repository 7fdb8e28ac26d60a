import assert from "node:assert/strict";
import { test } from "node:test";
import { percentUsed, reachesOf } from "./budget.ts";

const money = (text: string) => `${text}.${"0".repeat(21)}`;
const budget = { amount: "100.00", currency: "EUR", thresholds: [50, 100, 150] } as const;
const reached = (usage: string, forecast?: string) => reachesOf(budget, usage, forecast).map(({ what, percent }) => `${what} ${percent}`);

test("a threshold is reached at its percent, to the last of 21 decimals", () => {
  assert.deepEqual(reached(`49.${"9".repeat(21)}`), []);
  assert.deepEqual(reached(money("50")), ["usage 50"]);
  assert.deepEqual(reached(money("150")), ["usage 50", "usage 100", "usage 150"]);
});

test("a forecast counts when it reaches the whole and usage has not", () => {
  assert.deepEqual([reached(money("1"), money("99")), reached(money("1"), money("100")), reached(money("100"), money("900"))], [[], ["forecast 100"], ["usage 50", "usage 100"]]);
});

test("so much is used, cut off to a tenth", () => {
  assert.deepEqual([percentUsed(budget, money("0")), percentUsed(budget, `99.${"9".repeat(21)}`), percentUsed({ amount: "3" }, money("1")), percentUsed(budget, money("250"))], ["0.0", "99.9", "33.3", "250.0"]);
});
