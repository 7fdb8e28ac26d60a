import { setImmediate as turn } from "node:timers/promises";

/**
 * One question for all who ask in the same turn, or while the one before is being answered: nobody is given an answer that was asked for before he
 * came, and questions never overlap.
 */
export function together<T>(ask: () => Promise<T>): () => Promise<T> {
  let waiting: Promise<T> | undefined;
  let last: Promise<unknown> = Promise.resolve();
  return () => {
    if (waiting) return waiting;
    const asked = last
      .then(() => turn())
      .then(() => {
        waiting = undefined;
        return ask();
      });
    waiting = asked;
    last = asked.catch(() => {});
    return asked;
  };
}

/** Likewise, of an engine that is asked about each by name: one question names all who are asked about. Undefined: it said nothing of this one. */
export function togetherOf<K, V>(ask: (keys: readonly K[]) => Promise<ReadonlyMap<K, V>>): (key: K) => Promise<V | undefined> {
  let keys = new Set<K>();
  const question = together(() => {
    const asked = [...keys];
    keys = new Set();
    return ask(asked);
  });
  return async (key) => {
    keys.add(key);
    return (await question()).get(key);
  };
}
