import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { endPostgresLeftovers } from "../core/store/index.ts";
import { Fault, sleep } from "../kernel/index.ts";
import { homeExists, openHome, siteFolder } from "./home.ts";
import { lockHome } from "./lock.ts";
import { endLeftRehearsals } from "./rehearsal.ts";
import { endRemains } from "./remains.ts";
import { isAlive, parseMark } from "./supervision/index.ts";
import { readySupervisor } from "./supervisor-file.ts";

const STOP_TIMEOUT_MS = 120_000;
const POLL_MS = 50;

export interface Downed {
  readonly stopped: boolean;
  readonly purged: boolean;
}

/**
 * Stops a home's platform: asks its supervisor to stop in order, and when there is none, takes away what it left. With `purge` the
 * platform's folder goes too; the creator's own things in the same home (identities, receipts) stay.
 */
export async function down(root: string, options: { cacheDir: string; purge: boolean }, say: (line: string) => void): Promise<Downed> {
  const dir = siteFolder(root);
  if (!(await homeExists(root))) {
    if (options.purge) await rm(dir, { recursive: true, force: true });
    return { stopped: false, purged: options.purge };
  }
  const running = (await readySupervisor(dir)) ?? parseMark(await readFile(join(dir, "run", "starting.json"), "utf8").catch(() => ""));
  const wasRunning = running !== undefined && isAlive(running);
  if (wasRunning) {
    say(`asking the supervisor (pid ${running.pid}) to stop`);
    process.kill(running.pid, "SIGTERM");
    const deadline = Date.now() + STOP_TIMEOUT_MS;
    while (isAlive(running)) {
      if (Date.now() > deadline)
        throw new Fault("STOP_TIMEOUT", `the supervisor (pid ${running.pid}) has not stopped within ${STOP_TIMEOUT_MS / 1_000} s`, { hint: `kill -9 ${running.pid}, then run this again` });
      await sleep(POLL_MS);
    }
  }
  const lock = await lockHome(root);
  try {
    const home = await openHome(root, { cacheDir: options.cacheDir, create: false, checkPorts: false });
    await endRemains(home.site);
    await endLeftRehearsals(root, say);
    await endPostgresLeftovers(home.site);
    if (options.purge) await rm(dir, { recursive: true, force: true });
  } finally {
    await lock.release();
  }
  return { stopped: wasRunning, purged: options.purge };
}
