import { existsSync, readFileSync } from "node:fs";
import { mkdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Fault, sleep } from "../../kernel/index.ts";

/**
 * Every engine runs in a cgroup2 group of its own: the one place a process tree cannot leave by forking, so that
 * an engine's whole family can be found and ended by name even after a kill -9 of the supervisor.
 */
export interface EngineGroup {
  readonly procsFile: string;
  members(): Promise<readonly number[]>;
  /** Kills every member and waits until the group is empty; idempotent. */
  end(): Promise<void>;
  remove(): Promise<void>;
}

const GROUP_END_TIMEOUT_MS = 10_000;
const GROUP_POLL_MS = 10;

/** Where cgroup2 is mounted: the unified tree, or the unified branch of a hybrid one. */
export function cgroup2Mount(mounts: string = readFileSync("/proc/self/mounts", "utf8")): string {
  for (const line of mounts.split("\n")) {
    const [, target, type] = line.split(" ");
    if (type === "cgroup2" && target) return target;
  }
  throw new Fault("NO_CGROUP2", "no cgroup2 file system is mounted; engines cannot be supervised", {
    hint: "mount one: mkdir -p /sys/fs/cgroup/unified && mount -t cgroup2 none /sys/fs/cgroup/unified",
  });
}

export function homeGroupPath(homeId: string): string {
  return join(cgroup2Mount(), `nx${homeId}`);
}

export async function openEngineGroup(homeId: string, name: string): Promise<EngineGroup> {
  const path = join(homeGroupPath(homeId), `engine-${name}`);
  await mkdir(path, { recursive: true });
  return engineGroup(path);
}

export function engineGroup(path: string): EngineGroup {
  const procsFile = join(path, "cgroup.procs");
  const members = async () => {
    const text = await readFile(procsFile, "utf8").catch(() => "");
    return text.split("\n").filter(Boolean).map(Number);
  };
  const end = async () => {
    if (!existsSync(path)) return;
    const deadline = Date.now() + GROUP_END_TIMEOUT_MS;
    while ((await members()).length > 0) {
      await writeFile(join(path, "cgroup.kill"), "1");
      if (Date.now() > deadline) throw new Fault("GROUP_ALIVE", `processes in ${path} do not end`, { retry: true });
      await sleep(GROUP_POLL_MS);
    }
  };
  const remove = async () => {
    for (let tries = 0; existsSync(path); tries += 1) {
      try {
        await rmdir(path);
      } catch (error) {
        // The kernel lets go of a killed process a moment after it left cgroup.procs.
        if (tries > 100) throw new Fault("GROUP_BUSY", `cannot remove ${path}`, { cause: error });
        await sleep(GROUP_POLL_MS);
      }
    }
  };
  return { procsFile, members, end, remove };
}
