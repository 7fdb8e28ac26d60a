import { existsSync } from "node:fs";
import { access, constants, readFile, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import type { Finding, Site } from "../contract/index.ts";
import { messageOf, run } from "../kernel/index.ts";
import { hierarchyOf } from "./envelopes/hierarchy.ts";
import { bytesForPeople } from "./plan.ts";

const FREE_BYTES_MIN = 4 * 1024 ** 3;

/** What this machine must have for compute, each with what to do when it has not. */
export async function examine(site: Pick<Site, "dir">): Promise<readonly Finding[]> {
  return [...(await groupFindings()), ...(await programFindings()), await loopFinding(), await btrfsFinding(), await spaceFinding(site.dir)];
}

async function groupFindings(): Promise<readonly Finding[]> {
  try {
    const { mode } = hierarchyOf(await readFile("/proc/self/mounts", "utf8"));
    const runtime = mode === "v2" ? "crun" : "runc";
    const there = existsSync(`/usr/bin/${runtime}`) || existsSync(`/usr/sbin/${runtime}`);
    return [
      { what: "control groups", ok: true, detail: mode === "v1" ? "first generation (or hybrid): a tree per controller; buffered writes are not throttled by operations per second" : "second generation", hint: "" },
      { what: "container runtime", ok: there, detail: there ? `${runtime}, as these control groups want` : `${runtime} is missing`, hint: there ? "" : `apt-get install ${runtime}` },
    ];
  } catch (error) {
    return [{ what: "control groups", ok: false, detail: messageOf(error), hint: "mount them: apt-get install cgroupfs-mount && cgroupfs-mount" }];
  }
}

async function programFindings(): Promise<readonly Finding[]> {
  const programs: readonly (readonly [string, readonly [string, ...string[]], string])[] = [
    ["podman", ["/usr/bin/podman", "--version"], "podman"],
    ["container monitor", ["/usr/bin/conmon", "--version"], "conmon"],
    ["init for containers", ["/usr/bin/catatonit", "--version"], "catatonit"],
    ["btrfs tools", ["/usr/bin/btrfs", "--version"], "btrfs-progs"],
    ["Debian bootstrap", ["/usr/bin/mmdebstrap", "--version"], "mmdebstrap"],
    ["busybox", ["/usr/bin/busybox", "--help"], "busybox-static"],
  ];
  return await Promise.all(
    programs.map(async ([what, argv, name]) => {
      const ran = await run(argv).catch(() => undefined);
      const first = ran?.stdout.toString("utf8").split("\n")[0]?.trim() ?? "";
      return ran?.code === 0 ? { what, ok: true, detail: first, hint: "" } : { what, ok: false, detail: `${argv[0]} does not run`, hint: `apt-get install ${name}` };
    }),
  );
}

async function loopFinding(): Promise<Finding> {
  const ran = await run(["/usr/sbin/losetup", "--find"]).catch(() => undefined);
  const device = ran?.stdout.toString("utf8").trim() ?? "";
  return ran?.code === 0 && device !== "" ? { what: "loop devices", ok: true, detail: `${device} is free`, hint: "" } : { what: "loop devices", ok: false, detail: "none can be had", hint: "modprobe loop" };
}

async function btrfsFinding(): Promise<Finding> {
  const known = /\bbtrfs$/m.test(await readFile("/proc/filesystems", "utf8"));
  const ok = known || (await run(["/usr/sbin/modprobe", "btrfs"]).catch(() => undefined))?.code === 0;
  return { what: "btrfs", ok, detail: ok ? "the kernel has it" : "the kernel has no btrfs", hint: ok ? "" : "use a kernel with btrfs (Debian's has it)" };
}

async function spaceFinding(dir: string): Promise<Finding> {
  let folder = dir;
  while (!(await access(folder, constants.F_OK).then(() => true, () => false))) folder = dirname(folder);
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const ok = free >= FREE_BYTES_MIN;
  return { what: "free space", ok, detail: `${bytesForPeople(free)} below ${folder}`, hint: ok ? "" : `free at least ${bytesForPeople(FREE_BYTES_MIN)}` };
}
