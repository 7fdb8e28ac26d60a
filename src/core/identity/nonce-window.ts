import type { KeyId } from "../../kernel/index.ts";
import type { NonceMemory } from "./verify-request.ts";

const NONCES_MAX = 200_000;
/** No single key may fill the whole memory. */
const NONCES_PER_KEY_MAX = 20_000;

/** Nonces of the last minutes, in memory: older requests are refused by their `created` alone, so a restart forgets at most one window. */
export class NonceWindow implements NonceMemory {
  private readonly seen = new Map<string, { kid: KeyId; until_ms: number }>();
  private readonly perKey = new Map<KeyId, number>();
  private readonly nonces_max: number;
  private readonly perKey_max: number;

  constructor(nonces_max = NONCES_MAX, perKey_max = NONCES_PER_KEY_MAX) {
    this.nonces_max = nonces_max;
    this.perKey_max = perKey_max;
  }

  use(kid: KeyId, nonce: string, until_ms: number, now_ms: number): "fresh" | "seen" | "full" {
    this.forget(now_ms);
    const id = `${kid}.${nonce}`;
    if (this.seen.has(id)) return "seen";
    const mine = this.perKey.get(kid) ?? 0;
    if (this.seen.size >= this.nonces_max || mine >= this.perKey_max) return "full";
    this.seen.set(id, { kid, until_ms });
    this.perKey.set(kid, mine + 1);
    return "fresh";
  }

  /** A Map keeps insertion order and windows have nearly one length: stop at the first that still counts. */
  private forget(now_ms: number): void {
    for (const [id, { kid, until_ms }] of this.seen) {
      if (until_ms >= now_ms) return;
      this.seen.delete(id);
      const left = (this.perKey.get(kid) ?? 1) - 1;
      if (left > 0) this.perKey.set(kid, left);
      else this.perKey.delete(kid);
    }
  }
}
