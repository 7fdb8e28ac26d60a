import { createHash } from "node:crypto";
import { realpath } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { Fault } from "../kernel/index.ts";

export interface HomeLock {
  release(): Promise<void>;
}

/**
 * One supervisor per home. An abstract unix socket is the lock: the kernel lets one process have the name and takes
 * it back at any kind of death, so that no stale lock file can be left (unix(7), abstract sockets).
 */
export async function lockHome(root: string): Promise<HomeLock> {
  const name = `\0nexus-${createHash("sha256").update(await realpath(root)).digest("hex").slice(0, 32)}`;
  const server: Server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      if (cause.code === "EADDRINUSE")
        reject(new Fault("HOME_IN_USE", `another platform is running on ${root}`, { hint: `nexus status --home ${root}, or nexus down --home ${root}` }));
      else reject(cause);
    });
    server.listen({ path: name }, resolve);
  });
  server.unref();
  return { release: () => new Promise((resolve) => server.close(() => resolve())) };
}
