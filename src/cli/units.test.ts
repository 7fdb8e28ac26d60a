import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { zEnvelope } from "../contract/index.ts";
import { EXIT, Failure } from "./failure.ts";
import { ENVELOPE_DEFAULT, envelopeOf, lifetimeOf, whole } from "./units.ts";

describe("sizes as people type them", () => {
  test("mean exact figures", () => {
    assert.deepEqual(envelopeOf({ cpu: "0.5", memory: "1.5", storage: "10", iops: "500", bandwidth: "2.5", processes: "64", burst: "2x5m" }), { cpuMillis: 500, memoryBytes: 1.5 * 1024 ** 3, storageBytes: 10 * 1024 ** 3, iops: 500, bandwidthBps: 2_500_000, processes: 64, burst: { factor: 2, seconds: 300 } });
    assert.equal(envelopeOf({ cpu: "0.001" }).cpuMillis, 1);
  });

  test("that are not named stay as they were, and the usual ones are lawful", () => {
    assert.deepEqual(envelopeOf({}), ENVELOPE_DEFAULT);
    const before = { ...ENVELOPE_DEFAULT, burst: { factor: 3, seconds: 9 } };
    assert.deepEqual(envelopeOf({ cpu: "2" }, before), { ...before, cpuMillis: 2_000 });
    assert.equal(envelopeOf({ burst: "none" }, before).burst, null);
    assert.ok(zEnvelope.safeParse(ENVELOPE_DEFAULT).success);
  });

  test("that are no numbers are refused with the flag's name", () => {
    for (const flag of ["cpu", "memory", "storage", "iops", "bandwidth", "processes", "burst"] as const)
      for (const text of ["", "0", "-1", "1e3", "0x10", " 1", "1.", ".5", "1,5", "two", "1.0001", "٣", "9".repeat(10), "x".repeat(10_000), "2x0s", "2x61m", "2x5h"]) {
        const expected = (failure: unknown) => failure instanceof Failure && failure.exitCode === EXIT.usage && failure.message.startsWith(`--${flag}: `) && failure.message.length < 200 && /\S/.test(failure.document.hint);
        assert.throws(() => envelopeOf({ [flag]: text }), expected, `--${flag} ${text.slice(0, 20)}`);
      }
  });

  test("a whole number keeps to its bounds", () => {
    assert.deepEqual([whole("n", "1", 1, 9), whole("n", "9", 1, 9)], [1, 9]);
    for (const text of ["0", "10", "1.0", "9".repeat(16)]) assert.throws(() => whole("n", text, 1, 9), /--n: .*from 1 to 9/);
  });
});

test("a command's time is a number of minutes, hours or days, at most seven days", () => {
  assert.deepEqual(["1m", "90m", "12h", "7d"].map(lifetimeOf), [60_000, 5_400_000, 43_200_000, 604_800_000]);
  for (const bad of ["", "0m", "8d", "169h", "1", "1s", "-1m", "1.5h", "1m ", "99999d"]) assert.throws(() => lifetimeOf(bad), (error: unknown) => error instanceof Failure && error.message.startsWith("--valid-for"), bad);
});
