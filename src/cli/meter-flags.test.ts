import assert from "node:assert/strict";
import test from "node:test";
import { flagLines } from "./meter-flags.ts";

test("every kind of flag is a sentence, and what a statement has no room for is counted", () => {
  const flag = { index: 7, series: "" };
  assert.deepEqual(
    flagLines({ flags: [{ ...flag, what: "gap", was: "A", now: "B" }, { ...flag, what: "clock", was: "A", now: "B" }, { ...flag, what: "fell", series: "dns.answers boot b epoch e", was: "9", now: "3" }], flagged: 5 }),
    ["entry 7: no reading from A to B; billed as measured before and after", "entry 7: the clock went back to B; it counts at A", "entry 7: dns.answers boot b epoch e fell from 9 to 3; it counts up to the fall", "and 2 more, in the readings themselves"],
  );
  assert.deepEqual(flagLines({ flags: [], flagged: 0 }), []);
  assert.deepEqual(flagLines({ flags: [] }), [], "statements of before");
});
