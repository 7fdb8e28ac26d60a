import { createServer, type Server } from "node:net";
import { Fault, sha256Hex, sleep } from "../../kernel/index.ts";

export const ALONE_TIMEOUT_MS = 600_000;
const POLL_MS = 100;

/**
 * One at a time on this machine, over all processes. The lock is a name in the abstract socket space: the kernel gives it to one
 * process and takes it back at any death, so nothing can go stale.
 */
export async function alone<T>(what: string, work: () => Promise<T>): Promise<T> {
  const name = `\0nexus-${sha256Hex(what).slice(0, 32)}`;
  const deadline = Date.now() + ALONE_TIMEOUT_MS;
  let held: Server | undefined;
  while (!held) {
    held = await take(name);
    if (!held) {
      if (Date.now() > deadline) throw new Fault("LOCK_TIMEOUT", `another process holds the lock for ${what} since ${ALONE_TIMEOUT_MS / 1_000} s`, { retry: true });
      await sleep(POLL_MS);
    }
  }
  try {
    return await work();
  } finally {
    await new Promise((resolve) => held?.close(resolve));
  }
}

function take(name: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", (error: NodeJS.ErrnoException) => (error.code === "EADDRINUSE" ? resolve(undefined) : reject(error)));
    server.listen(name, () => resolve(server));
  });
}
