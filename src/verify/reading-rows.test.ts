import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type MeterReading, type Reading, type ReadingSet, RESOURCES, type Resource } from "../contract/index.ts";
import { parsePeriod, Rating } from "../core/handshake/index.ts";
import { imvuIdOf } from "../kernel/index.ts";
import { ReadingRows } from "./reading-rows.ts";

const parsed = parsePeriod("2026-11");
assert.ok(parsed.ok);
const period = parsed.value;
const { start_ms, end_ms } = period;
const HOUR_MS = 3_600_000;
const imvu = imvuIdOf(7);

/** As docs/infra-core/handshake.md tells a spreadsheet to do it: by the cells of a row, and of the rows above and below it. */
function spreadsheet(csv: string): Readonly<Record<string, bigint>> {
  const [head, ...rows] = csv.trimEnd().split("\r\n").map((line) => line.split(","));
  const month = BigInt(/\(the month has (\d+)\)$/.exec(head?.[8] ?? "")?.[1] ?? assert.fail(head?.join()));
  const within = (at: bigint) => (at < 0n ? 0n : at > month ? month : at);
  const used: Record<string, bigint> = {};
  for (const [nth, [series, resource = "", kind, , , , , , at = "", value = "", counts]] of rows.entries()) {
    const [above, below] = [rows[nth - 1], rows[nth + 1]];
    const counter = counts === "no" || BigInt(at) <= 0n ? 0n : BigInt(value) - (above?.[0] === series ? BigInt(above?.[9] ?? "") : 0n);
    const gauge = below?.[0] === series ? BigInt(value) * (within(BigInt(below?.[8] ?? "")) - within(BigInt(at))) : 0n;
    used[resource] = (used[resource] ?? 0n) + (kind === "counter" ? counter : gauge);
  }
  return used;
}

const step = fc.record({ ms: fc.oneof(fc.integer({ min: 1_000, max: 90 * HOUR_MS }), fc.integer({ min: -HOUR_MS, max: 0 }), fc.constant(-1)), used: fc.bigInt({ min: 0n, max: 10n ** 12n }), level: fc.bigInt({ min: 0n, max: 10n ** 12n }), odd: fc.integer({ min: 0, max: 20 }) });

test("whatever the readings, a spreadsheet that subtracts and multiplies comes to the month's quantities, to the last unit", () => {
  let falls = 0;
  fc.assert(
    fc.property(fc.integer({ min: -300, max: 100 }), fc.array(step, { minLength: 1, maxLength: 40 }), (begin_h, steps) => {
      const [rating, rows] = [new Rating(period), new ReadingRows(period)];
      let [at_ms, counted, epoch] = [start_ms + begin_h * HOUR_MS, 10n, 0];
      for (const [index, { ms, used, level, odd }] of steps.entries()) {
        at_ms += ms;
        // The last instants of a month, and the first of the next.
        if (odd === 1) at_ms = ms % 2 === 0 ? start_ms : end_ms;
        if (odd === 2) [counted, epoch] = [0n, epoch + 1];
        counted = odd === 3 && counted > 5n ? counted - 5n : counted + used;
        const of = (resource: Resource, value: bigint): Reading => ({ resource, value: String(value), boot: "b", epoch: `e${epoch}` });
        const set: ReadingSet = { imvu, at: new Date(at_ms).toISOString(), readings: [of("compute.cpu", counted), of("compute.memory", level), ...(odd === 4 ? [] : [of("dns.answers", counted / 7n)])] };
        // Half of them as a summary that tells of two instants.
        const reading: MeterReading = odd % 2 === 0 ? set : { v: 2, imvu, from: new Date(at_ms - 600_000).toISOString(), at: set.at, levels: [60_000], counters: [0], lives: [{ boot: "b", epoch: `e${epoch}`, values: { "compute.cpu": `${counted} ${counted}`, "compute.memory": `${level + 1n} ${level}` } }] };
        rating.add(index, reading);
        rows.add(index, reading);
      }
      const made = spreadsheet(rows.csv());
      for (const [resource, quantity] of Object.entries(rating.rated(period).quantities)) assert.equal(made[resource] ?? 0n, quantity, resource);
      falls += rating.rated(period).flags.filter(({ what }) => what === "fell").length;
    }),
    { numRuns: 3_000 },
  );
  assert.ok(falls > 100, `${falls} falls`);
});

test("of what was before the month the last value stands there, of what comes after it a gauge's next one; each row names its entry", () => {
  const rows = new ReadingRows(period);
  const set = (at_ms: number, value: string): ReadingSet => ({ imvu, at: new Date(at_ms).toISOString(), readings: [{ resource: "dns.answers", value, boot: "b", epoch: 'e"1' }, { resource: "compute.memory", value, boot: "b", epoch: "e" }] });
  for (const [index, [at_ms, value]] of ([[start_ms - 2, "1"], [start_ms, "2"], [start_ms + 5, "7"], [end_ms + 1, "9"], [end_ms + 2, "11"]] as const).entries()) rows.add(index + 40, set(at_ms, value));
  assert.deepEqual(rows.csv().trimEnd().split("\r\n").map((line) => line.split(",").filter((_, at) => [0, 1, 6, 8, 9, 10].includes(at)).join(" ")), [
    "series resource ledger entry milliseconds after 2026-11-01T00:00:00.000Z (the month has 2592000000) value counts",
    "1 dns.answers 41 0 2 yes", "1 dns.answers 42 5 7 yes", "2 compute.memory 41 0 2 yes", "2 compute.memory 42 5 7 yes", "2 compute.memory 43 2592000001 9 yes",
  ]);
  assert.ok(rows.csv().includes(',b,"e""1",'));
  assert.throws(() => rows.add(50, { ...set(end_ms, "1"), at: "soon" }), /entry 50/);
  assert.equal(Object.keys(RESOURCES).length, 17, "divisors stand in the docs, one for each base unit");
});
