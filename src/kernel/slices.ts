import { setImmediate as turn } from "node:timers/promises";

const SLICE_MS_MAX = 5;

/** For short work that never waits and is asked for by very many at once: it is done in order, and every few milliseconds everybody else has his turn. */
export function inSlices(): <T>(work: () => T) => Promise<T> {
  let began_ms = 0;
  let last: Promise<void> = Promise.resolve();
  const room = async () => {
    if (performance.now() - began_ms < SLICE_MS_MAX) return;
    await turn();
    began_ms = performance.now();
  };
  return (work) => {
    const mine = last.then(room);
    last = mine;
    return mine.then(work);
  };
}
