import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { money } from "../../kernel/index.ts";
import { CREATOR_SHARE_PERCENT, GATES, PLATFORM_SHARE_PERCENT, split } from "./index.ts";

test("the three constants", () => {
  assert.deepEqual([CREATOR_SHARE_PERCENT, PLATFORM_SHARE_PERCENT, GATES], [55n, 45n, 17]);
  assert.equal(CREATOR_SHARE_PERCENT + PLATFORM_SHARE_PERCENT, 100n);
});

function holds(gross: bigint): void {
  const { creator, platform } = split(money(gross));
  assert.equal(creator + platform, gross);
  assert.ok(platform * 100n <= gross * 45n, `platform above 45 % of ${gross}`);
  assert.ok((platform + 1n) * 100n > gross * 45n, `platform more than one unit below 45 % of ${gross}`);
  assert.ok(creator * 100n >= gross * 55n, `creator below 55 % of ${gross}`);
}

test("the parts make the whole and the platform is never favoured, on 120,000 random amounts of either sign", () => {
  const amount = fc.oneof(
    fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }),
    fc.bigInt({ min: -1_000n, max: 1_000n }),
    fc.bigInt({ min: 2n ** 53n - 500n, max: 2n ** 53n + 500n }),
  );
  fc.assert(fc.property(amount, holds), { numRuns: 120_000 });
});

test("edges", () => {
  for (const edge of [0n, 1n, -1n, 2n, 19n, 20n, 99n, 100n, 101n, 2n ** 63n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 64n, -(2n ** 127n)]) holds(edge);
  assert.deepEqual(split(money(0n)), { creator: 0n, platform: 0n });
  assert.deepEqual(split(money(1n)), { creator: 1n, platform: 0n });
  assert.deepEqual(split(money(-1n)), { creator: 0n, platform: -1n });
  assert.deepEqual(split(money(100n)), { creator: 55n, platform: 45n });
  assert.deepEqual(split(money(-100n)), { creator: -55n, platform: -45n });
  assert.deepEqual(split(money(2n ** 63n)), { creator: 5072854620270126695n, platform: 4150517416584649113n });
});
