import { createConnection } from "node:net";

const FLUSH_TIMEOUT_MS = 2_000;

export interface Flusher {
  /** Forgets a name and everything below it. */
  flush(name: string): Promise<void>;
}

/** Unbound's remote control (UBCT1) on its unix socket: what was just changed must not be answered from an old memory. */
export class UnboundFlusher implements Flusher {
  private readonly socketPath: string;

  constructor(socketPath: string) {
    this.socketPath = socketPath;
  }

  /** When the resolver does not run it has nothing to forget. */
  async flush(name: string): Promise<void> {
    await this.tell(`flush_zone ${name}`).catch(() => {});
    await this.tell(`flush_negative`).catch(() => {});
  }

  tell(command: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      const socket = createConnection(this.socketPath, () => socket.write(`UBCT1 ${command}\n`));
      socket.setTimeout(FLUSH_TIMEOUT_MS, () => socket.destroy(new Error("no answer")));
      socket.on("data", (chunk) => chunks.push(chunk));
      socket.on("error", reject);
      socket.on("close", () => resolve(Buffer.concat(chunks).toString("utf8")));
    });
  }
}
