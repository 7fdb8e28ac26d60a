/** Time is an argument everywhere; this is the only file that reads the machine's clock. */
export interface Clock {
  /** Wall time in milliseconds since the Unix epoch. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** RFC 3339, UTC, exactly three decimals: the one form of time in ledger bodies. */
export function rfc3339(epoch_ms: number): string {
  return new Date(epoch_ms).toISOString();
}

/** Waits without keeping the process alive for its own sake only when `signal` ends it. */
export function sleep(wait_ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, wait_ms);
    signal?.addEventListener("abort", done, { once: true });
  });
}
