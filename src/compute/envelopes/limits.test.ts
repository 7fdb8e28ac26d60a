import assert from "node:assert/strict";
import { test } from "node:test";
import type { Envelope } from "../../contract/index.ts";
import { fullCredit, newCredit, quotaNow, settleCredit } from "./governor.ts";
import { differences, limitsOf } from "./limits.ts";

const PLAIN: Envelope = { cpuMillis: 50, memoryBytes: 100_000_001, storageBytes: 0, iops: 10, bandwidthBps: 0, processes: 8, burst: null };
const BURST: Envelope = { ...PLAIN, cpuMillis: 1_000, burst: { factor: 3, seconds: 10 } };

test("an envelope in the kernel's units: hundredths of a period, whole pages, at most one period carried over", () => {
  assert.deepEqual(limitsOf(PLAIN), { quotaUs: 5_000, periodUs: 100_000, burstUs: 0, memoryBytes: 99_999_744, processes: 8, iops: 10 });
  assert.equal(limitsOf(BURST).burstUs, 100_000);
  assert.equal(limitsOf({ ...PLAIN, cpuMillis: 256_000 }).quotaUs, 25_600_000);
});

test("what was read is compared word for word, and each difference is said", () => {
  const read = { cpuMillis: 50, memoryBytes: 99_999_744, processes: 8, readIops: 10, writeIops: 10, burstUs: 0 };
  assert.deepEqual(differences(PLAIN, read), []);
  assert.deepEqual(differences(PLAIN, { ...read, burstUs: null }), [], "a kernel without carry-over is none");
  assert.deepEqual(differences(PLAIN, { cpuMillis: null, memoryBytes: 1, processes: null, readIops: 9, writeIops: null, burstUs: 7 }), [
    "CPU in thousandths of a core: no limit instead of 50", "memory bytes: 1 instead of 99999744", "processes: no limit instead of 8",
    "read operations per second: 9 instead of 10", "write operations per second: no limit instead of 10", "CPU carried over, in microseconds: 7 instead of 0",
  ]);
  assert.equal(differences(PLAIN, { ...read, cpuMillis: 150 }).length, 1, "only a burst may raise the quota");
});

test("a burst is paid from a credit that is used up and earned back, and never grows beyond full", () => {
  assert.equal(fullCredit(BURST), 20_000);
  assert.equal(fullCredit(PLAIN), 0);
  let credit = newCredit(BURST, 0, 0n);
  assert.equal(quotaNow(BURST, credit), 3_000);
  // Three cores for ten seconds: two of them beyond the share.
  credit = settleCredit(BURST, credit, 10_000, 30_000_000_000n);
  assert.deepEqual([credit.left, quotaNow(BURST, credit)], [0, 1_000]);
  // A quarter of a core for four seconds gives three core-seconds back.
  credit = settleCredit(BURST, credit, 14_000, 31_000_000_000n);
  assert.deepEqual([credit.left, quotaNow(BURST, credit)], [3_000, 3_000]);
  assert.equal(settleCredit(BURST, credit, 1e9, 31_000_000_000n).left, 20_000);
  assert.equal(settleCredit(BURST, credit, 14_001, 99_000_000_000n).left, 0);
  // A clock that went back gives nothing.
  assert.equal(settleCredit(BURST, credit, 0, 31_000_000_000n).left, 3_000);
  assert.equal(quotaNow(PLAIN, newCredit(PLAIN, 0, 0n)), 50);
});
