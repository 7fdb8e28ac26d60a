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
