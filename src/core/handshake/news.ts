import type { ReadingSet } from "../../contract/index.ts";

/** However quiet a unit is, a set of its readings stands in the ledger at least this often. */
export const QUIET_MS_MAX = 30 * 60_000;

/** What of a unit's readings was recorded last, and what was read since in which nothing had moved. */
export interface Known {
  readonly recorded?: ReadingSet;
  readonly held?: ReadingSet;
}

/**
 * The sets to be recorded when one more was read, oldest first; none when it says nothing new. Values are absolute and a level holds until the next
 * reading of its series, so a month comes to the same, to the last unit, without a set in which nothing moved – but for a series that ends: it counts up to
 * its last reading, so that one is recorded with the set that no longer has it; as it is where the clock went back. (A test holds rating to all this.)
 */
export function newsIn({ recorded, held }: Known, set: ReadingSet, always = false): readonly ReadingSet[] {
  if (!recorded) return [set];
  const now = valuesOf(set);
  const ended = [...valuesOf(recorded).keys()].some((series) => !now.has(series));
  const backwards = Date.parse(set.at) < Date.parse((held ?? recorded).at);
  const quiet = !backwards && Date.parse(set.at) - Date.parse(recorded.at) < QUIET_MS_MAX && same(now, valuesOf(recorded));
  if (quiet && !always) return [];
  return held && (ended || backwards) ? [held, set] : [set];
}

function valuesOf({ readings }: ReadingSet): ReadonlyMap<string, string> {
  return new Map(readings.map(({ resource, boot, epoch, value }) => [`${resource} ${boot} ${epoch}`, value]));
}

function same(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([series, value]) => b.get(series) === value);
}
