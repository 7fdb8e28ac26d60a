/** A token bucket: `burst` at once, then `perSecond`. */
export class Bucket {
  private readonly burst: number;
  private readonly perSecond: number;
  private tokens: number;
  private at_ms = 0;

  constructor(burst: number, perSecond: number) {
    this.burst = burst;
    this.perSecond = perSecond;
    this.tokens = burst;
  }

  /** Whether one more may pass now; a clock that steps back earns nothing. */
  take(now_ms: number): boolean {
    this.tokens = Math.min(this.burst, this.tokens + (Math.max(0, now_ms - this.at_ms) / 1_000) * this.perSecond);
    this.at_ms = now_ms;
    if (this.tokens < 1) return false;
    this.tokens -= 1;
    return true;
  }
}
