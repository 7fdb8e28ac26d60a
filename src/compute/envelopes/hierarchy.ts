import { Fault } from "../../kernel/index.ts";

/** v1: one tree per controller (hybrid machines too, when the controllers are bound there); v2: one unified tree. */
export type CgroupMode = "v1" | "v2";

export interface Hierarchy {
  readonly mode: CgroupMode;
  /** Every mounted tree; a group of ours may exist in each, because the container runtime makes it there. */
  readonly trees: readonly string[];
  /** Where each controller we set or read is mounted. On v2 all are the same. */
  readonly controllers: Readonly<Record<Controller, string>>;
}

const CONTROLLERS = ["cpu", "cpuacct", "memory", "pids", "blkio"] as const;
export type Controller = (typeof CONTROLLERS)[number];

/** Reads `/proc/self/mounts`. Throws a Fault when a controller that limits need is mounted nowhere. */
export function hierarchyOf(mounts: string): Hierarchy {
  const entries = mounts.split("\n").map((line) => line.split(" "));
  const v1 = entries.filter((entry) => entry[2] === "cgroup");
  const v2 = entries.filter((entry) => entry[2] === "cgroup2").map((entry) => entry[1] as string);
  const found = new Map<string, string>();
  for (const [, target, , options] of v1) for (const option of (options ?? "").split(",")) found.set(option, target as string);
  if (v1.length === 0) {
    const unified = v2[0];
    if (unified === undefined) throw new Fault("NO_CGROUPS", "no cgroup file system is mounted: limits cannot be set", { hint: "mount -t cgroup2 none /sys/fs/cgroup" });
    return { mode: "v2", trees: [unified], controllers: { cpu: unified, cpuacct: unified, memory: unified, pids: unified, blkio: unified } };
  }
  const controllers: Partial<Record<Controller, string>> = {};
  for (const name of CONTROLLERS) {
    const target = found.get(name);
    if (target === undefined) throw new Fault("NO_CONTROLLER", `the cgroup controller ${name} is not mounted: limits cannot be set`, { hint: `mount -t cgroup -o ${name} none /sys/fs/cgroup/${name}` });
    controllers[name] = target;
  }
  return { mode: "v1", trees: [...new Set([...v1.map((entry) => entry[1] as string), ...v2])], controllers: controllers as Record<Controller, string> };
}

/** Path inside every tree. It begins with the home's mark, so that leftovers are found by name. */
export function groupOf(site: { readonly homeId: string }, number: number): string {
  return `/nx${site.homeId}/imvu-${number}`;
}
