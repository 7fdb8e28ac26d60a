import { readdir, readFile, readlink } from "node:fs/promises";
import { runOk } from "../../src/kernel/index.ts";

/** What a platform can leave on a machine: compared before and after, so that "leaves nothing" is seen and not claimed. */
export interface Footprint {
  readonly processes: readonly string[];
  readonly mounts: readonly string[];
  readonly loops: readonly string[];
  readonly namespaces: readonly string[];
  readonly cgroups: readonly string[];
  readonly runtimeFolders: readonly string[];
  readonly tables: readonly string[];
  readonly listening: readonly string[];
  readonly forwarding: string;
}

export async function footprint(): Promise<Footprint> {
  const lines = (text: string) => text.split("\n").filter((line) => line.trim() !== "").sort();
  return {
    processes: await userProcesses(),
    mounts: lines(await readFile("/proc/self/mounts", "utf8")),
    loops: lines(await runOk(["losetup", "--list", "--noheadings", "--output", "NAME,BACK-FILE"])),
    namespaces: lines(await runOk(["ip", "netns", "list"])),
    cgroups: await cgroups(),
    runtimeFolders: (await readdir("/run")).filter((name) => name.startsWith("nexus-")).sort(),
    tables: lines(await runOk(["nft", "list", "tables"])),
    listening: lines(await runOk(["ss", "-H", "-l", "-n", "-t", "-u"])).map((line) => line.replace(/\s+/g, " ").split(" ").slice(0, 5).filter((_, at) => at !== 2 && at !== 3).join(" ")),
    forwarding: (await readFile("/proc/sys/net/ipv4/ip_forward", "utf8")).trim(),
  };
}

/** What of it names a home by its mark or its folder: for a look while the home stands, and others may be at work beside it. */
export function ofHome(all: Footprint, ...marks: readonly string[]): Pick<Footprint, "processes" | "mounts" | "loops" | "namespaces" | "cgroups" | "runtimeFolders" | "tables"> {
  const named = (lines: readonly string[]) => lines.filter((line) => marks.some((mark) => line.includes(mark)));
  const { processes, mounts, loops, namespaces, cgroups: groups, runtimeFolders, tables } = all;
  return { processes: named(processes), mounts: named(mounts), loops: named(loops), namespaces: named(namespaces), cgroups: named(groups), runtimeFolders: named(runtimeFolders), tables: named(tables) };
}

/** Everything with a command line but ourselves and our children's children of the moment. */
async function userProcesses(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    try {
      const exe = await readlink(`/proc/${pid}/exe`);
      const line = (await readFile(`/proc/${pid}/cmdline`, "utf8")).replaceAll("\0", " ").trim();
      if (/postgres|podman|conmon|knotd|unbound|postfix|dovecot|haproxy|runc|catatonit|nexus|\/master|src\/cli\/main/.test(`${exe} ${line}`) && !/--test/.test(line)) found.push(line.slice(0, 120));
    } catch {
      // It ended while we looked.
    }
  }
  return found.sort();
}

async function cgroups(): Promise<readonly string[]> {
  const found: string[] = [];
  const walk = async (path: string, depth: number): Promise<void> => {
    for (const entry of await readdir(path, { withFileTypes: true }).catch(() => [])) {
      if (!entry.isDirectory()) continue;
      found.push(`${path}/${entry.name}`);
      if (depth < 3) await walk(`${path}/${entry.name}`, depth + 1);
    }
  };
  await walk("/sys/fs/cgroup", 0);
  return found.filter((path) => /nx[0-9a-f]{6}|libpod|conmon/.test(path)).sort();
}
