import { closeSync, fstatSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ensureFolder, Fault, plainEnvironment, sleep, start, writeFileAtomic } from "../kernel/index.ts";
import { type Home, openHome, siteFolder } from "./home.ts";
import { lockHome } from "./lock.ts";
import { startPlatform } from "./start.ts";
import { isAlive, markOf } from "./supervision/index.ts";
import { announceSupervisor, readySupervisor, withdrawSupervisor } from "./supervisor-file.ts";

const DETACHED_READY_TIMEOUT_MS = 600_000;
const POLL_MS = 50;
const LOG_TAIL_BYTES = 3_000;

export interface UpOptions {
  readonly cacheDir: string;
}

/** Supervises a home in the foreground until SIGINT or SIGTERM; resolves when everything has stopped. */
export async function upForeground(root: string, options: UpOptions, say: (line: string) => void, ready: (home: Home) => void): Promise<void> {
  needRoot();
  await ensureFolder(root, 0o711);
  const lock = await lockHome(root);
  try {
    const home = await openHome(root, { cacheDir: options.cacheDir, create: true, checkPorts: true });
    const { dir } = home.site;
    await writeFileAtomic(join(dir, "run", "starting.json"), `${JSON.stringify(markOf(process.pid))}\n`, 0o644);
    const ending = new Promise<NodeJS.Signals>((resolve) => {
      for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve(signal));
    });
    // While it starts a signal must not cut it short: it ends in order as soon as it has started.
    const platform = await startPlatform(home, say);
    await announceSupervisor(dir);
    ready(home);
    const signal = await ending;
    say(`${signal}: stopping in order`);
    await withdrawSupervisor(dir);
    await platform.stop();
    say("stopped");
  } finally {
    await lock.release();
  }
}

/** Starts the same in a process of its own and returns when it is ready, or throws with the end of its log. */
export async function upDetached(root: string, options: UpOptions & { readonly main: string }): Promise<void> {
  needRoot();
  const dir = siteFolder(root);
  await ensureFolder(root, 0o711);
  // Refused by name here, where the caller can read it, and once more by the process itself.
  await (await lockHome(root)).release();
  await ensureFolder(dir, 0o711);
  await ensureFolder(join(dir, "log"), 0o711);
  const logPath = join(dir, "log", "platform.log");
  const log = openSync(logPath, "a", 0o640);
  const before = fstatSync(log).size;
  const child = start([process.execPath, options.main, "up", "--home", root], {
    detached: true,
    stdio: ["ignore", log, log],
    cwd: "/",
    env: plainEnvironment({ NEXUS_CACHE: options.cacheDir, ...(process.env.NODE_COMPILE_CACHE ? { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE } : {}) }),
  });
  closeSync(log);
  let code: number | null | undefined;
  child.once("exit", (exit) => {
    code = exit;
  });
  child.unref();
  const mine = child.pid === undefined ? undefined : markOf(child.pid);
  for (const deadline = Date.now() + DETACHED_READY_TIMEOUT_MS; ; await sleep(POLL_MS)) {
    const supervisor = await readySupervisor(dir);
    if (supervisor && supervisor.pid === child.pid) return;
    if (code !== undefined || !mine || !isAlive(mine)) {
      const tail = (await readFile(logPath).catch(() => Buffer.alloc(0))).subarray(before).toString("utf8").slice(-LOG_TAIL_BYTES).trimEnd();
      throw new Fault("UP_FAILED", `the platform did not start (exit ${code ?? "unknown"}):\n${tail}`, { hint: `read ${logPath}, or run 'nexus doctor --home ${root}'` });
    }
    if (Date.now() > deadline) throw new Fault("UP_TIMEOUT", `the platform is not ready after ${DETACHED_READY_TIMEOUT_MS / 1_000} s`, { hint: `read ${logPath}` });
  }
}

function needRoot(): void {
  if (process.getuid?.() !== 0)
    throw new Fault("NOT_ROOT", "the platform makes namespaces, cgroups and mounts and starts engines as other users: it must be started as root", { hint: "sudo ./nexus up" });
}
