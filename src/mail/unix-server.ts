import { chmod, chown, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";

/** A server of ours that an engine dials: a unix socket only the engine's user can open. */
export interface UnixServer {
  close(): Promise<void>;
}

const CONNECTIONS_MAX = 1_024;

/** Replaces a socket file that an earlier process left. `serve` owns the connection; what it throws ends only that connection. */
export async function listenUnix(path: string, owner: { uid: number; gid: number }, mode: number, serve: (socket: Socket) => Promise<void>): Promise<UnixServer> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
    // Without an answer the engine says "try later": that is the right word for a fault of ours.
    socket.on("error", () => socket.destroy());
    serve(socket).catch(() => socket.destroy());
  });
  server.maxConnections = CONNECTIONS_MAX;
  await rm(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  await chown(path, owner.uid, owner.gid);
  await chmod(path, mode);
  return {
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of open) socket.destroy();
      await closed;
      await rm(path, { force: true });
    },
  };
}

/** Splits a stream at `\n`; a line beyond `bytes_max` ends the connection. */
export async function* linesOf(socket: AsyncIterable<Buffer>, bytes_max: number): AsyncGenerator<string> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of socket) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a)) {
      yield rest.subarray(0, end).toString("utf8");
      rest = rest.subarray(end + 1);
    }
    if (rest.length > bytes_max) throw new RangeError(`a line is longer than ${bytes_max} bytes`);
  }
}
