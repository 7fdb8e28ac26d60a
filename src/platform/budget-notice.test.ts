import assert from "node:assert/strict";
import { test } from "node:test";
import { imvuIdOf } from "../kernel/index.ts";
import { budgetNotice } from "./budget-notice.ts";

const unit = { id: imvuIdOf(7), name: "ArtGallery" };
const reached = { v: 1, imvu: unit.id, period: "2026-11", budget: 3, amount: "25.00", currency: "EUR", index: 90 } as const;
const of = (what: "usage" | "forecast", percent: number, usage: string) => budgetNotice(unit, [{ ...reached, what, percent, usage } as unknown as Parameters<typeof budgetNotice>[1][number]]);

test("a budget's letter says the figures of its entries without zeros that say nothing, and no threshold that was not passed", () => {
  const used = of("usage", 50, "12.500000000000000000000");
  assert.equal(used.subject, "IMVU-007: 50 % of 2026-11's budget is used");
  assert.ok(used.text.includes("\n  entry 90: EUR 12.50 used in 2026-11, 50 % of 25.00 or more\n"), used.text);
  // A forecast that comes to the budget exactly is told too.
  const told = of("forecast", 100, "25.000000000000000000000");
  assert.equal(told.subject, "IMVU-007: 2026-11 may come to its whole budget");
  assert.ok(told.text.includes("\n  entry 90: EUR 25.00 by the end of 2026-11 if usage goes on as it did, which is 25.00 or more\n"), told.text);
  assert.ok(of("usage", 100, "25.000000000000000000001").text.includes("EUR 25.000000000000000000001 used"));
});
