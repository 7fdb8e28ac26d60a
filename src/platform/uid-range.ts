import { readdir, stat } from "node:fs/promises";
import { UIDS_PER_HOME } from "../contract/index.ts";

/** Homes side by side on one machine get ranges apart from each other; the last ends below 2^31, beyond which Dovecot knows no user. */
const RANGES = 30;
const UID_FIRST = 100_000_000;

/** The first user id of a range of which nobody runs now; of any, when somebody runs of each. A home that stands still is not seen. */
export function freeRange(running: Iterable<number>, random: (below: number) => number): number {
  const used = new Set([...running].map((uid) => Math.floor((uid - UID_FIRST) / UIDS_PER_HOME)));
  const ranges = Array.from({ length: RANGES }, (_, at) => at);
  const free = ranges.filter((at) => !used.has(at));
  const from = free.length > 0 ? free : ranges;
  return UID_FIRST + (from[random(from.length)] as number) * UIDS_PER_HOME;
}

/** User ids of the machine's processes. */
export async function runningUids(): Promise<ReadonlySet<number>> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  // One that has ended meanwhile has none.
  const uids = await Promise.all(pids.map((pid) => stat(`/proc/${pid}`).then(({ uid }) => uid, () => undefined)));
  return new Set(uids.filter((uid) => uid !== undefined));
}
