import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { money } from "../../kernel/index.ts";
import { CREATOR_SHARE_PERCENT, GATES, PLATFORM_SHARE_PERCENT, split } from "./index.ts";

test("the three constants", () => {
  assert.deepEqual([CREATOR_SHARE_PERCENT, PLATFORM_SHARE_PERCENT, GATES], [55n, 45n, 17]);
  assert.equal(CREATOR_SHARE_PERCENT + PLATFORM_SHARE_PERCENT, 100n);
});

const MASK = 2n ** 256n - 1n;

function holds(gross: bigint): void {
  const { creator, platform } = split(money(gross));
  assert.equal(creator + platform, gross);
  assert.ok(platform * 100n <= gross * 45n, `platform above 45 % of ${gross}`);
  assert.ok((platform + 1n) * 100n > gross * 45n, `platform more than one unit below 45 % of ${gross}`);
  assert.ok(creator * 100n >= gross * 55n, `creator below 55 % of ${gross}`);
}

test("the parts make the whole and the platform is never favoured, on 1,000,000 random amounts of either sign", () => {
  const random = randomBigints();
  const ranges = [2n ** 200n, 2n ** 63n, 2n ** 53n, 10n ** 24n, 1_000n];
  for (let n = 0; n < 1_000_000; n += 1) {
    const range = ranges[n % ranges.length] as bigint;
    const amount = (random() % (2n * range + 1n)) - range;
    // A million messages take longer than the arithmetic: they are made for an amount that fails alone.
    const { creator, platform } = split(money(amount));
    if (creator + platform !== amount || platform * 100n > amount * 45n || (platform + 1n) * 100n <= amount * 45n) holds(amount);
  }
});

test("a million amounts that are split one by one add up to what was split", () => {
  const random = randomBigints();
  let [gross, creators, platforms, floors] = [0n, 0n, 0n, 0n];
  for (let n = 0; n < 1_000_000; n += 1) {
    const amount = (random() % 2_000_001n) - 1_000_000n;
    const { creator, platform } = split(money(amount));
    gross += amount;
    creators += creator;
    platforms += platform;
    // What the floor leaves with the creator, in hundredths.
    floors += amount * 45n - platform * 100n;
  }
  assert.equal(creators + platforms, gross);
  assert.equal(platforms * 100n + floors, gross * 45n);
  assert.ok(floors > 0n && floors < 99n * 1_000_000n);
});

/** Marsaglia's xorshift over 256 bits, from a random beginning. A failing amount is in the message of its failure. */
function randomBigints(): () => bigint {
  let state = fc.sample(fc.bigInt({ min: 1n, max: 2n ** 256n - 1n }), 1)[0] as bigint;
  return () => {
    state ^= (state << 99n) & MASK;
    state ^= state >> 101n;
    state ^= (state << 47n) & MASK;
    return state;
  };
}

test("edges", () => {
  for (const edge of [0n, 1n, -1n, 2n, 19n, 20n, 99n, 100n, 101n, 2n ** 63n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 64n, -(2n ** 127n)]) holds(edge);
  assert.deepEqual(split(money(0n)), { creator: 0n, platform: 0n });
  assert.deepEqual(split(money(1n)), { creator: 1n, platform: 0n });
  assert.deepEqual(split(money(-1n)), { creator: 0n, platform: -1n });
  assert.deepEqual(split(money(100n)), { creator: 55n, platform: 45n });
  assert.deepEqual(split(money(-100n)), { creator: -55n, platform: -45n });
  assert.deepEqual(split(money(2n ** 63n)), { creator: 5072854620270126695n, platform: 4150517416584649113n });
});
