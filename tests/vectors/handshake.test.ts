import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { ReadingSet, Resource } from "../../src/contract/index.ts";
import { openRating, parsePeriod, split } from "../../src/core/handshake/index.ts";
import { money } from "../../src/kernel/index.ts";

/** Figures made by a second implementation, in another language, from the law's text: whoever writes a third can use them too. */
async function vectors<T>(name: string): Promise<readonly T[]> {
  return JSON.parse(await readFile(join(import.meta.dirname, name), "utf8")) as T[];
}

test("split.json: gross, creator, platform in 10^-21 of a currency unit", async () => {
  const rows = await vectors<{ gross: string; creator: string; platform: string }>("split.json");
  assert.equal(rows.length, 200);
  for (const { gross, creator, platform } of rows) assert.deepEqual(split(money(BigInt(gross))), { creator: BigInt(creator), platform: BigInt(platform) }, gross);
});

test("rating.json: quantities of a month in the resources' smallest units, from absolute readings", async () => {
  const cases = await vectors<{ period: string; readings: ReadingSet[]; quantities: Record<string, string> }>("rating.json");
  assert.equal(cases.length, 12);
  let billed = 0n;
  for (const [at, { period: name, readings, quantities }] of cases.entries()) {
    const period = parsePeriod(name);
    assert.ok(period.ok);
    const rating = openRating(period.value);
    for (const [index, set] of readings.entries()) rating.add(index, set);
    for (const [resource, quantity] of Object.entries(quantities)) {
      assert.equal(rating.quantities()[resource as Resource], BigInt(quantity), `case ${at} ${resource}`);
      billed += BigInt(quantity);
    }
  }
  assert.ok(billed > 0n);
});
