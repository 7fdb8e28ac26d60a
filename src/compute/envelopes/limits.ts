import type { Envelope } from "../../contract/index.ts";
import type { EnvelopeReading } from "../state.ts";

/** An envelope in the kernel's units. */
export interface Limits {
  readonly quotaUs: number;
  readonly periodUs: number;
  readonly burstUs: number;
  readonly memoryBytes: number;
  readonly processes: number;
  readonly iops: number;
}

/** A tenth of a second: short enough that a throttled service still answers, the kernel's own default. */
export const CPU_PERIOD_US = 100_000;
/** The kernel counts memory in pages and rounds limits down to one. */
export const PAGE_BYTES = 4_096;

export function limitsOf(envelope: Envelope): Limits {
  const quotaUs = Math.round((envelope.cpuMillis * CPU_PERIOD_US) / 1_000);
  return {
    quotaUs,
    periodUs: CPU_PERIOD_US,
    burstUs: burstOf(envelope, quotaUs),
    memoryBytes: Math.floor(envelope.memoryBytes / PAGE_BYTES) * PAGE_BYTES,
    processes: envelope.processes,
    iops: envelope.iops,
  };
}

/**
 * The kernel lets unused time be carried over, up to one period's quota and no further (sched/core.c, tg_set_cfs_bandwidth): a group
 * reaches `factor` times its quota in a period after an idle one. What the envelope promises beyond that is paid by the governor.
 */
function burstOf(envelope: Envelope, quotaUs: number): number {
  return envelope.burst === null ? 0 : quotaUs * Math.min(1, envelope.burst.factor - 1);
}

/** What differs between an envelope and what was read, for people; empty when they are equal. */
export function differences(envelope: Envelope, read: EnvelopeReading): readonly string[] {
  const want = limitsOf(envelope);
  const said: string[] = [];
  const compare = (what: string, expected: number, found: number | null) => {
    if (found !== expected) said.push(`${what}: ${found ?? "no limit"} instead of ${expected}`);
  };
  if (!isQuotaOf(envelope, read.cpuMillis)) said.push(`CPU in thousandths of a core: ${read.cpuMillis ?? "no limit"} instead of ${envelope.cpuMillis}`);
  compare("memory bytes", want.memoryBytes, read.memoryBytes);
  compare("processes", want.processes, read.processes);
  compare("read operations per second", want.iops, read.readIops);
  compare("write operations per second", want.iops, read.writeIops);
  if (read.burstUs !== null) compare("CPU carried over, in microseconds", want.burstUs, read.burstUs);
  return said;
}

/** During a burst the governor has raised the quota to `factor` times the envelope's. */
function isQuotaOf(envelope: Envelope, cpuMillis: number | null): boolean {
  return cpuMillis === envelope.cpuMillis || (envelope.burst !== null && cpuMillis === envelope.cpuMillis * envelope.burst.factor);
}
