import type { EnvelopeReading } from "../state.ts";
import type { Controller } from "./hierarchy.ts";
import type { Limits } from "./limits.ts";

/** One control file of a group. */
export interface ControlFile {
  readonly controller: Controller;
  readonly file: string;
}

export interface ControlWrite extends ControlFile {
  readonly value: string;
  /** True when a kernel may be built without this file; then it is left out. */
  readonly optional?: boolean;
}

/** Content of control files by name; a file this kernel does not have is absent. */
export type ControlTexts = Readonly<Record<string, string>>;

export interface Counters {
  readonly cpuNs: bigint;
  readonly memoryBytes: bigint;
  readonly processes: number;
  readonly readOperations: bigint;
  readonly writeOperations: bigint;
  readonly readBytes: bigint;
  readonly writeBytes: bigint;
}

/** What one generation of cgroups calls things. All pure: who reads and writes the files is groups.ts. */
export interface CgroupDriver {
  /** In the order in which the kernel accepts them, coming from `now`. `device` is the volume's `major:minor`. */
  render(limits: Limits, now: EnvelopeReading, device: string | null): readonly ControlWrite[];
  readonly limitFiles: readonly ControlFile[];
  readLimits(texts: ControlTexts, device: string | null): EnvelopeReading;
  readonly counterFiles: readonly ControlFile[];
  readCounters(texts: ControlTexts, device: string | null): Counters;
  /** True when a limit on block devices reaches child groups. Where not, processes must be put into the parent itself. */
  readonly ioReachesChildren: boolean;
}

export function numberIn(text: string | undefined): number | null {
  const trimmed = (text ?? "").trim();
  return /^\d+$/.test(trimmed) ? Number(trimmed) : null;
}

export function bigIn(text: string | undefined): bigint {
  const trimmed = (text ?? "").trim();
  return /^\d+$/.test(trimmed) ? BigInt(trimmed) : 0n;
}

/** `key value` per line. */
export function fieldIn(text: string | undefined, key: string): bigint {
  return bigIn(new RegExp(`^${key} (\\d+)$`, "m").exec(text ?? "")?.[1]);
}
