import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { MeterReading, ReadingSet, Resource } from "../../src/contract/index.ts";
import { type Gathered, gather, parsePeriod, parseReadingSet, Rating, split } from "../../src/core/handshake/index.ts";
import { canonicalJson, type Json, money } from "../../src/kernel/index.ts";

/** Figures made by a second implementation, in another language, from the law's text: whoever writes a third can use them too. */
async function vectors<T>(name: string): Promise<readonly T[]> {
  return (await fileOf(name)) as readonly T[];
}

async function fileOf(name: string): Promise<unknown> {
  return JSON.parse(await readFile(join(import.meta.dirname, name), "utf8"));
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
    const rating = new Rating(period.value);
    for (const [index, set] of readings.entries()) rating.add(index, set);
    for (const [resource, quantity] of Object.entries(quantities)) {
      assert.equal(rating.rated(period.value).quantities[resource as Resource], BigInt(quantity), `case ${at} ${resource}`);
      billed += BigInt(quantity);
    }
  }
  assert.ok(billed > 0n);
});

test("summaries.json: what sets of readings come to in entries of the second form, to the byte, and both in a month, to the last unit", async () => {
  const { good } = (await fileOf("summaries.json")) as { good: readonly { start: string; end: string; sets: readonly ReadingSet[]; entries: readonly MeterReading[]; quantities: Record<string, string> }[] };
  assert.equal(good.length, 8);
  let billed = 0n;
  for (const [at, { start, end, sets, entries, quantities }] of good.entries()) {
    let gathered: Gathered = {};
    const written: Json[] = [];
    for (const [nth, set] of sets.entries()) {
      const { write, known } = gather(gathered, set, nth === sets.length - 1);
      written.push(...(write as unknown as Json[]));
      gathered = known;
    }
    assert.equal(canonicalJson(written), canonicalJson(entries as unknown as Json), `case ${at}`);
    for (const readings of [sets, entries]) {
      const period = { name: "", start_ms: Date.parse(start), end_ms: Date.parse(end) };
      const rating = new Rating(period);
      for (const [index, one] of readings.entries()) rating.add(index, one);
      for (const [resource, quantity] of Object.entries(quantities)) {
        assert.equal(rating.rated(period).quantities[resource as Resource], BigInt(quantity), `case ${at} ${resource}`);
        billed += BigInt(quantity);
      }
    }
  }
  assert.ok(billed > 0n);
});

test("summaries.json: what is refused", async () => {
  const { bad } = (await fileOf("summaries.json")) as { bad: readonly { what: string; data: unknown }[] };
  assert.ok(bad.length > 40);
  const reasons = new Set<string>();
  for (const { what, data } of bad) {
    const parsed = parseReadingSet(data);
    assert.ok(!parsed.ok, what);
    reasons.add(parsed.message);
  }
  assert.ok(reasons.size > 15, [...reasons].join("; "));
});
