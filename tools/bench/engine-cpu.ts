import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { homeGroupPath } from "../../src/platform/supervision/engine-group.ts";

/** Of USER_HZ, which Linux shows every program as 100. */
const TICK_MS = 10;

/**
 * CPU time of a home so far, in milliseconds: of the groups its engines run in, to the microsecond and with every process that has ended there, and of its
 * service, which is in no such group, with the children it has waited for.
 */
export async function engineCpuMs(homeId: string, service: number): Promise<number> {
  const groups = homeGroupPath(homeId);
  let sum = 0;
  for (const group of await readdir(groups)) {
    if (!group.startsWith("engine-")) continue;
    sum += Number(/^usage_usec (\d+)$/m.exec(await readFile(join(groups, group, "cpu.stat"), "utf8"))?.[1]) / 1_000;
  }
  const stat = await readFile(`/proc/${service}/stat`, "utf8");
  for (const field of stat.slice(stat.lastIndexOf(")") + 2).split(" ").slice(11, 15)) sum += Number(field) * TICK_MS;
  if (!Number.isFinite(sum)) throw new TypeError("the kernel does not say what the engines used");
  return sum;
}
