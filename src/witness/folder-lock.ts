import { createHash } from "node:crypto";
import { realpath } from "node:fs/promises";
import { createServer } from "node:net";
import { Fault } from "../kernel/index.ts";

/**
 * One witness per folder: two would each read what was seen before the other wrote it, and could vouch for a fork. An abstract unix socket is
 * the lock: the kernel takes it back at any kind of death (unix(7)).
 */
export async function lockFolder(dir: string): Promise<{ release(): Promise<void> }> {
  const name = `\0nexus-witness-${createHash("sha256").update(await realpath(dir)).digest("hex").slice(0, 32)}`;
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      reject(cause.code === "EADDRINUSE" ? new Fault("WITNESS_IN_USE", `another witness is running on ${dir}`, { hint: "give each a --dir of its own" }) : cause);
    });
    server.listen({ path: name }, resolve);
  });
  server.unref();
  return { release: () => new Promise((resolve) => server.close(() => resolve())) };
}
