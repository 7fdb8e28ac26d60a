import { setImmediate as turn } from "node:timers/promises";

interface Asked<K, V> {
  readonly key: K;
  readonly resolve: (value: V) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * What many ask at the same time is asked once; the answer to each key stands at its place. While a batch is at work, or only its
 * beginning where the rest may overlap, the next one gathers. A batch that fails fails for all of it.
 */
export class Gather<K, V> {
  private readonly load: (keys: readonly K[], onward: () => void) => Promise<readonly V[]>;
  private readonly take: (waiting: readonly K[], working: readonly K[]) => number;
  private readonly working = new Set<readonly K[]>();
  private waiting: Asked<K, V>[] = [];
  private looking = false;
  /** What others must not overtake yet: the more wait meanwhile, the fewer batches there are. */
  private first: readonly K[] | undefined;

  /**
   * @param load may call `onward` when the next batch may begin beside this one; otherwise it begins when this one has ended
   * @param take how many of those that wait, from the first, may go to work now, together and beside those that are; 0: none yet
   */
  constructor(load: (keys: readonly K[], onward: () => void) => Promise<readonly V[]>, take: (waiting: readonly K[], working: readonly K[]) => number) {
    this.load = load;
    this.take = take;
  }

  ask(key: K): Promise<V> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ key, resolve, reject });
      void this.look();
    });
  }

  private async look(): Promise<void> {
    if (this.looking) return;
    this.looking = true;
    // Everything that is asked in this turn of the event loop goes together.
    await turn();
    this.looking = false;
    while (this.waiting.length > 0 && this.first === undefined) {
      const many = this.take(this.waiting.map(({ key }) => key), [...this.working].flat());
      if (many === 0) return;
      void this.work(this.waiting.splice(0, many));
    }
  }

  private async work(batch: readonly Asked<K, V>[]): Promise<void> {
    const keys = batch.map(({ key }) => key);
    this.working.add(keys);
    this.first = keys;
    const onward = () => {
      if (this.first !== keys) return;
      this.first = undefined;
      void this.look();
    };
    try {
      const values = await this.load(keys, onward);
      for (const [at, { resolve }] of batch.entries()) resolve(values[at] as V);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      this.working.delete(keys);
      onward();
      void this.look();
    }
  }
}

/** One batch at a time, of at most so many. */
export function oneBatch(keys_max: number): (waiting: readonly unknown[], working: readonly unknown[]) => number {
  return (waiting, working) => (working.length > 0 ? 0 : Math.min(waiting.length, keys_max));
}
