import { COMMAND_LIFETIME_MS_MAX, type Envelope, GIB, MIB } from "../contract/index.ts";
import { usageFailure } from "./failure.ts";

/** What people type for sizes, and what it means exactly. */
export interface EnvelopeFlags {
  readonly cpu?: string;
  readonly memory?: string;
  readonly storage?: string;
  readonly iops?: string;
  readonly bandwidth?: string;
  readonly processes?: string;
  readonly burst?: string;
}

export const ENVELOPE_DEFAULT: Envelope = {
  cpuMillis: 1_000,
  memoryBytes: 512 * MIB,
  storageBytes: 2 * GIB,
  iops: 1_000,
  bandwidthBps: 100_000_000,
  processes: 256,
  burst: null,
};

/** A decimal with at most three places times `unit`, as a whole number. */
function scaled(flag: string, text: string, unit: number, what: string): number {
  const match = /^(\d{1,9})(?:\.(\d{1,3}))?$/.exec(text);
  const value = match ? (Number(match[1]) * 1_000 + Number((match[2] ?? "").padEnd(3, "0"))) * (unit / 1_000) : Number.NaN;
  if (!Number.isSafeInteger(Math.round(value)) || value <= 0) throw usageFailure(`--${flag}: ${JSON.stringify(text.slice(0, 40))} is not ${what}`, `use something like --${flag} ${flag === "bandwidth" ? "100" : "2"}`);
  return Math.round(value);
}

export function whole(flag: string, text: string, min: number, max: number): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value) || value < min || value > max) throw usageFailure(`--${flag}: ${JSON.stringify(text.slice(0, 40))} is not a whole number from ${min} to ${max}`, `use something like --${flag} ${min}`);
  return value;
}

const MS_OF: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 24 * 3_600_000 };

/** How long a signed command may wait, in milliseconds. */
export function lifetimeOf(text: string): number {
  const match = /^(\d{1,5})([mhd])$/.exec(text);
  const lifetime_ms = match ? Number(match[1]) * (MS_OF[match[2] ?? ""] ?? 0) : 0;
  if (lifetime_ms < 1 || lifetime_ms > COMMAND_LIFETIME_MS_MAX) throw usageFailure(`--valid-for: ${JSON.stringify(text.slice(0, 40))} is not a time from 1m to 7d`, "use something like --valid-for 2d");
  return lifetime_ms;
}

function burstOf(text: string): Envelope["burst"] {
  if (text === "none") return null;
  const match = /^(\d{1,2})x(\d{1,4})([sm])$/.exec(text);
  const seconds = match ? Number(match[2]) * (match[3] === "m" ? 60 : 1) : 0;
  if (!match || seconds < 1 || seconds > 3_600) throw usageFailure(`--burst: ${JSON.stringify(text.slice(0, 40))} is not FACTORxTIME with at most 60 minutes`, "use something like --burst 2x5m, or --burst none");
  return { factor: Number(match[1]), seconds };
}

/** CPU in cores, memory and storage in GiB, bandwidth in Mbit/s; what is not named stays as in `from`. */
export function envelopeOf(flags: EnvelopeFlags, from: Envelope = ENVELOPE_DEFAULT): Envelope {
  return {
    cpuMillis: flags.cpu === undefined ? from.cpuMillis : scaled("cpu", flags.cpu, 1_000, "a number of cores"),
    memoryBytes: flags.memory === undefined ? from.memoryBytes : scaled("memory", flags.memory, GIB, "a number of GiB"),
    storageBytes: flags.storage === undefined ? from.storageBytes : scaled("storage", flags.storage, GIB, "a number of GiB"),
    iops: flags.iops === undefined ? from.iops : whole("iops", flags.iops, 10, 1_000_000),
    bandwidthBps: flags.bandwidth === undefined ? from.bandwidthBps : scaled("bandwidth", flags.bandwidth, 1_000_000, "a number of Mbit/s"),
    processes: flags.processes === undefined ? from.processes : whole("processes", flags.processes, 8, 32_768),
    burst: flags.burst === undefined ? from.burst : burstOf(flags.burst),
  };
}
