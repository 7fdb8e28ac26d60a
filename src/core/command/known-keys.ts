import type { KeyId } from "../../kernel/index.ts";
import type { Store } from "../store/index.ts";
import { type KeyNow, lookUpKeys } from "./identities.ts";

const KEYS_KEPT_MAX = 10_000;

/**
 * Keys that were looked up before, so that who is known to the platform is told from strangers without asking the database each time. Nothing is judged by
 * it: facts are always read. Forgotten whenever a command on identities was at work.
 */
export class KnownKeys {
  private readonly store: Pick<Store, "select">;
  private keys = new Map<KeyId, KeyNow>();
  private generation = 0;

  constructor(store: Pick<Store, "select">) {
    this.store = store;
  }

  async of(kids: readonly KeyId[]): Promise<ReadonlyMap<KeyId, KeyNow>> {
    // Others may forget while this one reads: it answers from what it began with.
    const { keys, generation } = this;
    const missing = kids.filter((kid) => !keys.has(kid));
    if (missing.length === 0) return keys;
    const found = await lookUpKeys(this.store, missing);
    if (generation === this.generation) this.keep(found);
    return new Map(
      kids.flatMap((kid) => {
        const key = keys.get(kid) ?? found.get(kid);
        return key ? [[kid, key] as const] : [];
      }),
    );
  }

  forget(): void {
    this.generation += 1;
    this.keys = new Map();
  }

  private keep(found: ReadonlyMap<KeyId, KeyNow>): void {
    if (this.keys.size + found.size > KEYS_KEPT_MAX) this.keys = new Map();
    for (const [kid, key] of found) this.keys.set(kid, key);
  }
}
