import { bigIn, type CgroupDriver, type ControlWrite, fieldIn, numberIn } from "./driver.ts";

/** Control groups, second generation: one tree, limits reach all children. */
export const v2: CgroupDriver = {
  ioReachesChildren: true,

  render(limits, _now, device) {
    const { quotaUs, periodUs, burstUs, memoryBytes, processes, iops } = limits;
    const writes: ControlWrite[] = [
      // A burst may not exceed the quota at any moment: away with it before the quota moves.
      { controller: "cpu", file: "cpu.max.burst", value: "0", optional: true },
      { controller: "cpu", file: "cpu.max", value: `${quotaUs} ${periodUs}` },
    ];
    if (burstUs > 0) writes.push({ controller: "cpu", file: "cpu.max.burst", value: String(burstUs), optional: true });
    writes.push(
      { controller: "memory", file: "memory.max", value: String(memoryBytes) },
      // Swap is counted apart here: none of it, or a group would swap instead of meeting its limit.
      { controller: "memory", file: "memory.swap.max", value: "0", optional: true },
      { controller: "pids", file: "pids.max", value: String(processes) },
    );
    if (device !== null) writes.push({ controller: "blkio", file: "io.max", value: `${device} riops=${iops} wiops=${iops}` });
    return writes;
  },

  limitFiles: [
    { controller: "cpu", file: "cpu.max" },
    { controller: "cpu", file: "cpu.max.burst" },
    { controller: "memory", file: "memory.max" },
    { controller: "pids", file: "pids.max" },
    { controller: "blkio", file: "io.max" },
  ],

  readLimits(texts, device) {
    const [quotaText, periodText] = (texts["cpu.max"] ?? "").trim().split(" ");
    const quota = numberIn(quotaText);
    const period = numberIn(periodText);
    const io = lineOf(texts["io.max"], device);
    return {
      cpuMillis: quota === null || !period ? null : (quota * 1_000) / period,
      memoryBytes: numberIn(texts["memory.max"]),
      processes: numberIn(texts["pids.max"]),
      readIops: numberIn(/\briops=(\d+)/.exec(io)?.[1]),
      writeIops: numberIn(/\bwiops=(\d+)/.exec(io)?.[1]),
      burstUs: numberIn(texts["cpu.max.burst"]),
    };
  },

  counterFiles: [
    { controller: "cpu", file: "cpu.stat" },
    { controller: "memory", file: "memory.current" },
    { controller: "pids", file: "pids.current" },
    { controller: "blkio", file: "io.stat" },
  ],

  readCounters(texts, device) {
    const io = lineOf(texts["io.stat"], device);
    const ioField = (key: string) => bigIn(new RegExp(`\\b${key}=(\\d+)`).exec(io)?.[1]);
    return {
      cpuNs: fieldIn(texts["cpu.stat"], "usage_usec") * 1_000n,
      memoryBytes: bigIn(texts["memory.current"]),
      processes: numberIn(texts["pids.current"]) ?? 0,
      readOperations: ioField("rios"),
      writeOperations: ioField("wios"),
      readBytes: ioField("rbytes"),
      writeBytes: ioField("wbytes"),
    };
  },
};

function lineOf(text: string | undefined, device: string | null): string {
  return device === null ? "" : ((text ?? "").split("\n").find((line) => line.startsWith(`${device} `)) ?? "");
}
