import { readFile } from "node:fs/promises";

/** Of USER_HZ, which Linux shows every program as 100. */
const TICK_MS = 10;

/** CPU time of these processes until now, with that of their children that ended, in milliseconds. */
export async function cpuTimeMs(pids: Iterable<number>): Promise<number> {
  let ticks = 0;
  for (const pid of pids) {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
    // utime, stime, and those of children that have ended.
    for (const field of stat.slice(stat.lastIndexOf(")") + 2).split(" ").slice(11, 15)) ticks += Number(field);
  }
  return ticks * TICK_MS;
}
