import { readdir, readFile, readlink, realpath, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Site } from "../../contract/index.ts";
import { Fault, run, sleep } from "../../kernel/index.ts";
import { clusterPaths } from "./cluster-layout.ts";

const QUIT_TIMEOUT_MS = 5_000;
const END_TIMEOUT_MS = 10_000;
const POLL_MS = 20;
/** Lines of postmaster.pid, counted from 0 (PostgreSQL source, utils/pidfile.h). */
const PIDFILE_SHMEM_LINE = 6;

/**
 * Ends what a killed postmaster left: its children, its pid file and its shared memory. PostgreSQL would refuse to start when the
 * pid in the file belongs to anything alive of its user; and the file must never go while a process still has the data open,
 * so processes first, found by their working folder, which PostgreSQL keeps in the data folder. Idempotent.
 */
export async function endPostgresLeftovers(site: Pick<Site, "dir">): Promise<void> {
  const { data, socketDir } = clusterPaths(site);
  const pidFile = join(data, "postmaster.pid");
  const lines = (await readFile(pidFile, "utf8").catch(() => "")).split("\n");
  if (lines.length <= 1) return;
  await endProcessesIn(await realpath(data));
  // The System V segment is a few bytes whose only use is to tell that somebody is attached; nobody is any more.
  const segment = lines[PIDFILE_SHMEM_LINE]?.trim().split(/\s+/)[1];
  if (segment && /^\d+$/.test(segment) && (await isOurSegment(segment))) await run(["/usr/bin/ipcrm", "-m", segment]);
  await rm(pidFile, { force: true });
  for (const name of await readdir(socketDir).catch(() => [] as string[])) await rm(join(socketDir, name), { force: true });
}

async function endProcessesIn(folder: string): Promise<void> {
  const began = Date.now();
  for (let pids = await processesIn(folder); pids.length > 0; pids = await processesIn(folder)) {
    const elapsed = Date.now() - began;
    if (elapsed > END_TIMEOUT_MS) throw new Fault("POSTGRES_ALIVE", `PostgreSQL processes ${pids.join(", ")} do not end`, { retry: true });
    // SIGQUIT is PostgreSQL's immediate shutdown; its write-ahead log makes both equally safe.
    for (const pid of pids) {
      try {
        process.kill(pid, elapsed > QUIT_TIMEOUT_MS ? "SIGKILL" : "SIGQUIT");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
      }
    }
    await sleep(POLL_MS);
  }
}

async function processesIn(folder: string): Promise<readonly number[]> {
  const found: number[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    if ((await readlink(`/proc/${name}/cwd`).catch(() => "")) === folder) found.push(Number(name));
  }
  return found;
}

/** After a reboot the number may be anybody's: PostgreSQL's own is 56 bytes and has nobody attached. */
async function isOurSegment(segment: string): Promise<boolean> {
  const table = await readFile("/proc/sysvipc/shm", "utf8").catch(() => "");
  const row = table
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .find((fields) => fields[1] === segment);
  return row?.[3] === "56" && row[6] === "0";
}
