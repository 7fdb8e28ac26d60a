import type { Envelope } from "../../contract/index.ts";

/**
 * Pays a burst that is longer than the kernel's own carry-over: `factor` times the CPU for at most `seconds`, earned back while the
 * group uses less than its share. Pure; times in milliseconds, usage in nanoseconds of CPU.
 */
export interface Credit {
  /** Extra CPU-milliseconds that may still be used beyond the envelope's share. */
  readonly left: number;
  readonly at_ms: number;
  readonly cpuNs: bigint;
}

/** CPU-milliseconds beyond the share that a full burst is worth. */
export function fullCredit({ cpuMillis, burst }: Envelope): number {
  return burst === null ? 0 : cpuMillis * (burst.factor - 1) * burst.seconds;
}

export function newCredit(envelope: Envelope, at_ms: number, cpuNs: bigint): Credit {
  return { left: fullCredit(envelope), at_ms, cpuNs };
}

/** What is left after the group used CPU up to `cpuNs` at `at_ms`. */
export function settleCredit(envelope: Envelope, credit: Credit, at_ms: number, cpuNs: bigint): Credit {
  const share = (envelope.cpuMillis * Math.max(0, at_ms - credit.at_ms)) / 1_000;
  const used = Number(cpuNs - credit.cpuNs) / 1e6;
  return { left: Math.min(fullCredit(envelope), Math.max(0, credit.left + share - used)), at_ms, cpuNs };
}

/** The quota to set now, in thousandths of a core. */
export function quotaNow(envelope: Envelope, credit: Credit): number {
  return envelope.burst !== null && credit.left > 0 ? envelope.cpuMillis * envelope.burst.factor : envelope.cpuMillis;
}
