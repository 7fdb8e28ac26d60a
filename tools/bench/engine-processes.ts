import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** Every process of a home's engines and services, and its supervisor; not those of its units. */
export async function engineProcesses(homeId: string, supervisor: number): Promise<ReadonlySet<number>> {
  const pids = new Set<number>([supervisor]);
  const mounts = (await readFile("/proc/self/mounts", "utf8")).split("\n");
  const unified = mounts.find((line) => line.split(" ")[2] === "cgroup2")?.split(" ")[1] ?? "/sys/fs/cgroup/unified";
  const groups = join(unified, `nx${homeId}`);
  for (const group of await readdir(groups)) {
    if (!group.startsWith("engine-")) continue;
    for (const line of (await readFile(join(groups, group, "cgroup.procs"), "utf8")).split("\n")) if (line) pids.add(Number(line));
  }
  return pids;
}
