import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { EnvelopeReading } from "../state.ts";
import type { ControlTexts, ControlWrite } from "./driver.ts";
import type { Limits } from "./limits.ts";
import { v1 } from "./v1.ts";
import { v2 } from "./v2.ts";

const LIMITS: Limits = { quotaUs: 50_000, periodUs: 100_000, burstUs: 0, memoryBytes: 268_435_456, processes: 128, iops: 1_000 };
const NOTHING: EnvelopeReading = { cpuMillis: null, memoryBytes: null, processes: null, readIops: null, writeIops: null, burstUs: null };
const HELD: EnvelopeReading = { cpuMillis: 500, memoryBytes: 268_435_456, processes: 128, readIops: 1_000, writeIops: 1_000, burstUs: 0 };
const lines = (writes: readonly ControlWrite[]) => writes.map((write) => `${write.controller}/${write.file}=${write.value}${write.optional ? "?" : ""}`);

describe("first generation", () => {
  test("every limit in the order that the kernel accepts", () => {
    assert.deepEqual(lines(v1.render(LIMITS, NOTHING, "7:3")), [
      "cpu/cpu.cfs_burst_us=0?", "cpu/cpu.cfs_period_us=100000", "cpu/cpu.cfs_quota_us=50000",
      "memory/memory.limit_in_bytes=268435456", "memory/memory.memsw.limit_in_bytes=268435456?",
      "pids/pids.max=128", "blkio/blkio.throttle.read_iops_device=7:3 1000", "blkio/blkio.throttle.write_iops_device=7:3 1000",
    ]);
  });

  test("memory with swap grows before memory and shrinks after it; a burst comes after its quota; without a device no operations", () => {
    const memory = (now: number) => v1.render(LIMITS, { ...HELD, memoryBytes: now }, null).filter((one) => one.controller === "memory").map((one) => one.file);
    assert.deepEqual(memory(1_000_000), ["memory.memsw.limit_in_bytes", "memory.limit_in_bytes"]);
    assert.deepEqual(memory(300_000_000), ["memory.limit_in_bytes", "memory.memsw.limit_in_bytes"]);
    const burst = lines(v1.render({ ...LIMITS, burstUs: 50_000 }, HELD, null));
    assert.ok(burst.indexOf("cpu/cpu.cfs_burst_us=50000?") > burst.indexOf("cpu/cpu.cfs_quota_us=50000"));
    assert.ok(!burst.join().includes("blkio"));
  });

  test("limits as the files say them", () => {
    const texts: ControlTexts = {
      "cpu.cfs_quota_us": "50000\n", "cpu.cfs_period_us": "100000\n", "cpu.cfs_burst_us": "0\n", "memory.limit_in_bytes": "268435456\n", "pids.max": "128\n",
      "blkio.throttle.read_iops_device": "7:30 5\n7:3 1000\n", "blkio.throttle.write_iops_device": "7:3 1000\n",
    };
    assert.deepEqual(v1.readLimits(texts, "7:3"), HELD);
    assert.deepEqual(v1.readLimits({ ...texts, "cpu.cfs_quota_us": "-1\n", "memory.limit_in_bytes": "9223372036854771712\n", "pids.max": "max\n", "cpu.cfs_burst_us": "" }, "7:4"), NOTHING);
    assert.deepEqual(v1.readLimits({}, "7:3"), NOTHING);
    assert.equal(v1.readLimits(texts, null).readIops, null);
  });

  test("counters of the volume's own device, beyond what a double can count", () => {
    const texts: ControlTexts = {
      "cpuacct.usage": "9007199254740993\n", "memory.usage_in_bytes": "4096\n", "pids.current": "3\n",
      "blkio.throttle.io_serviced": "7:30 Read 9\n7:3 Read 1\n7:3 Write 2\n7:3 Sync 3\n7:3 Total 3\nTotal 12\n", "blkio.throttle.io_service_bytes": "7:3 Read 512\n7:3 Write 1024\n7:3 Total 1536\n",
    };
    assert.deepEqual(v1.readCounters(texts, "7:3"), { cpuNs: 9_007_199_254_740_993n, memoryBytes: 4_096n, processes: 3, readOperations: 1n, writeOperations: 2n, readBytes: 512n, writeBytes: 1_024n });
    assert.deepEqual(v1.readCounters({}, null), { cpuNs: 0n, memoryBytes: 0n, processes: 0, readOperations: 0n, writeOperations: 0n, readBytes: 0n, writeBytes: 0n });
  });
});

describe("second generation", () => {
  test("every limit, and no swap", () => {
    assert.deepEqual(lines(v2.render({ ...LIMITS, burstUs: 50_000 }, NOTHING, "7:3")), [
      "cpu/cpu.max.burst=0?", "cpu/cpu.max=50000 100000", "cpu/cpu.max.burst=50000?", "memory/memory.max=268435456", "memory/memory.swap.max=0?", "pids/pids.max=128", "blkio/io.max=7:3 riops=1000 wiops=1000",
    ]);
  });

  test("limits as the files say them", () => {
    const texts: ControlTexts = { "cpu.max": "50000 100000\n", "cpu.max.burst": "0\n", "memory.max": "268435456\n", "pids.max": "128\n", "io.max": "7:30 rbps=max wbps=max riops=5 wiops=5\n7:3 rbps=max wbps=max riops=1000 wiops=1000\n" };
    assert.deepEqual(v2.readLimits(texts, "7:3"), HELD);
    assert.deepEqual(v2.readLimits({ "cpu.max": "max 100000\n", "memory.max": "max\n", "pids.max": "max\n", "io.max": "7:3 rbps=max wbps=max riops=max wiops=max\n" }, "7:3"), NOTHING);
    assert.deepEqual(v2.readLimits({}, null), NOTHING);
  });

  test("counters", () => {
    const texts: ControlTexts = {
      "cpu.stat": "usage_usec 1500000\nuser_usec 1\nsystem_usec 2\n", "memory.current": "4096\n", "pids.current": "3\n",
      "io.stat": "7:30 rbytes=9 wbytes=9 rios=9 wios=9 dbytes=0 dios=0\n7:3 rbytes=512 wbytes=1024 rios=1 wios=2 dbytes=7 dios=8\n",
    };
    assert.deepEqual(v2.readCounters(texts, "7:3"), { cpuNs: 1_500_000_000n, memoryBytes: 4_096n, processes: 3, readOperations: 1n, writeOperations: 2n, readBytes: 512n, writeBytes: 1_024n });
  });
});
