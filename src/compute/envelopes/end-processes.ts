import { readFile } from "node:fs/promises";
import { Fault, sleep } from "../../kernel/index.ts";

const TERM_WAIT_MS = 3_000;
const KILL_WAIT_MS = 10_000;
const POLL_MS = 20;
const SIGTERM_BIT = 1n << 14n;

/** Ends everything in a group: those that can hear it are asked first. `members` is asked anew each time, so that nobody escapes by forking. */
export async function endProcesses(members: () => Promise<ReadonlySet<number>>, gently: boolean): Promise<void> {
  if (gently) {
    const asked = [...(await members())];
    for (const pid of asked) signal(pid, "SIGTERM");
    for (const deadline = Date.now() + TERM_WAIT_MS; Date.now() < deadline; await sleep(POLL_MS)) {
      const left = await members();
      if (left.size === 0) return;
      const hearing = await Promise.all([...left].map(catchesTerm));
      if (!hearing.includes(true)) break;
    }
  }
  for (const deadline = Date.now() + KILL_WAIT_MS; ; await sleep(POLL_MS)) {
    const left = await members();
    if (left.size === 0) return;
    for (const pid of left) signal(pid, "SIGKILL");
    if (Date.now() > deadline) throw new Fault("PROCESSES_ALIVE", `${left.size} processes do not end: ${[...left].slice(0, 10).join(", ")}`, { retry: true });
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended in the meantime.
  }
}

async function catchesTerm(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return (BigInt(`0x${/^SigCgt:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`) & SIGTERM_BIT) !== 0n;
}
