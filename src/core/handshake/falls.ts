import { type ReadingSet, RESOURCES } from "../../contract/index.ts";
import { isLess } from "./series.ts";

/** A counter that lost value inside its epoch: nothing that an engine does by itself. */
export interface CounterFall {
  /** As flags of statements name it. */
  readonly series: string;
  readonly was: string;
  readonly now: string;
}

/** Counters of the later set that say less than in the one before it. */
export function fallsIn(before: ReadingSet, set: ReadingSet): readonly CounterFall[] {
  const known = new Map(before.readings.map(({ resource, boot, epoch, value }) => [`${resource} boot ${boot} epoch ${epoch}`, value]));
  return set.readings.flatMap(({ resource, boot, epoch, value }) => {
    const series = `${resource} boot ${boot} epoch ${epoch}`;
    const was = known.get(series);
    return was !== undefined && RESOURCES[resource].kind === "counter" && isLess(value, was) ? [{ series, was, now: value }] : [];
  });
}
