import { bigIn, type CgroupDriver, type ControlTexts, type ControlWrite, numberIn } from "./driver.ts";

/** Beyond this the kernel means "no limit": the largest page-aligned long. */
const MEMORY_UNLIMITED = 9_000_000_000_000_000_000;

/** Control groups, first generation: one tree per controller. */
export const v1: CgroupDriver = {
  ioReachesChildren: false,

  render(limits, now, device) {
    const { quotaUs, periodUs, burstUs, memoryBytes, processes, iops } = limits;
    const writes: ControlWrite[] = [
      // A burst may not exceed the quota at any moment: away with it before the quota moves.
      { controller: "cpu", file: "cpu.cfs_burst_us", value: "0", optional: true },
      { controller: "cpu", file: "cpu.cfs_period_us", value: String(periodUs) },
      { controller: "cpu", file: "cpu.cfs_quota_us", value: String(quotaUs) },
    ];
    if (burstUs > 0) writes.push({ controller: "cpu", file: "cpu.cfs_burst_us", value: String(burstUs), optional: true });
    const memory: ControlWrite[] = [
      { controller: "memory", file: "memory.limit_in_bytes", value: String(memoryBytes) },
      // Memory and swap together: without it a group would swap instead of meeting its limit.
      { controller: "memory", file: "memory.memsw.limit_in_bytes", value: String(memoryBytes), optional: true },
    ];
    // The sum must never be below the part: grow the sum first, shrink it last.
    const grows = now.memoryBytes !== null && memoryBytes > now.memoryBytes;
    writes.push(...(grows ? memory.toReversed() : memory));
    writes.push({ controller: "pids", file: "pids.max", value: String(processes) });
    if (device !== null) {
      writes.push({ controller: "blkio", file: "blkio.throttle.read_iops_device", value: `${device} ${iops}` });
      writes.push({ controller: "blkio", file: "blkio.throttle.write_iops_device", value: `${device} ${iops}` });
    }
    return writes;
  },

  limitFiles: [
    { controller: "cpu", file: "cpu.cfs_quota_us" },
    { controller: "cpu", file: "cpu.cfs_period_us" },
    { controller: "cpu", file: "cpu.cfs_burst_us" },
    { controller: "memory", file: "memory.limit_in_bytes" },
    { controller: "pids", file: "pids.max" },
    { controller: "blkio", file: "blkio.throttle.read_iops_device" },
    { controller: "blkio", file: "blkio.throttle.write_iops_device" },
  ],

  readLimits(texts, device) {
    const quota = numberIn(texts["cpu.cfs_quota_us"]);
    const period = numberIn(texts["cpu.cfs_period_us"]);
    const memory = numberIn(texts["memory.limit_in_bytes"]);
    return {
      cpuMillis: quota === null || !period ? null : (quota * 1_000) / period,
      memoryBytes: memory !== null && memory < MEMORY_UNLIMITED ? memory : null,
      processes: numberIn(texts["pids.max"]),
      readIops: ofDevice(texts["blkio.throttle.read_iops_device"], device),
      writeIops: ofDevice(texts["blkio.throttle.write_iops_device"], device),
      burstUs: numberIn(texts["cpu.cfs_burst_us"]),
    };
  },

  counterFiles: [
    { controller: "cpuacct", file: "cpuacct.usage" },
    { controller: "memory", file: "memory.usage_in_bytes" },
    { controller: "pids", file: "pids.current" },
    { controller: "blkio", file: "blkio.throttle.io_serviced" },
    { controller: "blkio", file: "blkio.throttle.io_service_bytes" },
  ],

  readCounters(texts, device) {
    // Not the recursive files: those fall when a child group goes, and all of a service's processes are in the parent anyway.
    const [serviced, bytes] = [texts["blkio.throttle.io_serviced"], texts["blkio.throttle.io_service_bytes"]];
    return {
      cpuNs: bigIn(texts["cpuacct.usage"]),
      memoryBytes: bigIn(texts["memory.usage_in_bytes"]),
      processes: numberIn(texts["pids.current"]) ?? 0,
      readOperations: ioOf(serviced, device, "Read"),
      writeOperations: ioOf(serviced, device, "Write"),
      readBytes: ioOf(bytes, device, "Read"),
      writeBytes: ioOf(bytes, device, "Write"),
    };
  },
};

/** `7:0 100` per line. */
function ofDevice(text: string | undefined, device: string | null): number | null {
  if (device === null) return null;
  const line = (text ?? "").split("\n").find((one) => one.startsWith(`${device} `));
  return numberIn(line?.slice(device.length + 1));
}

/** `7:0 Read 12` per line. */
function ioOf(text: ControlTexts[string] | undefined, device: string | null, kind: "Read" | "Write"): bigint {
  if (device === null) return 0n;
  const line = (text ?? "").split("\n").find((one) => one.startsWith(`${device} ${kind} `));
  return bigIn(line?.slice(device.length + kind.length + 2));
}
