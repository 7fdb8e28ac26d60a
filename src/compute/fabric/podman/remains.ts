import { readdir, readFile } from "node:fs/promises";
import { endProcesses } from "../../envelopes/end-processes.ts";
import { sleep } from "../../../kernel/index.ts";
import type { Layout } from "../../layout.ts";

const SETTLE_TIMEOUT_MS = 10_000;
const POLL_MS = 25;

/** Monitors of containers and the engine's own clean-up calls: whatever names this home's store, or one container's id, on its command line. */
async function engineProcesses(mark: string): Promise<ReadonlySet<number>> {
  const found = new Set<number>();
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    const argv = (await readFile(`/proc/${name}/cmdline`, "utf8").catch(() => "")).split("\0");
    if (/(^|\/)(conmon|podman|runc|crun)$/.test(argv[0] ?? "") && argv.includes(mark)) found.add(Number(name));
  }
  return found;
}

/** After the last container ended its monitor tells the engine and goes; what has not gone by itself in time is ended. */
export async function settleEngine({ store }: Pick<Layout, "store">): Promise<void> {
  if (!(await settled(store))) await endProcesses(() => engineProcesses(store), true);
}

/** Waits until nobody cleans up behind a container's last life any more: its next would be taken for it. */
export async function settleContainer(id: string): Promise<void> {
  await settled(id);
}

async function settled(mark: string): Promise<boolean> {
  for (const deadline = Date.now() + SETTLE_TIMEOUT_MS; Date.now() < deadline; await sleep(POLL_MS)) if ((await engineProcesses(mark)).size === 0) return true;
  return false;
}
