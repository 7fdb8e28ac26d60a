import { connect, type Socket } from "node:net";

export interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

const HEAD_END = "\r\n\r\n";

/**
 * One connection that is kept, one request at a time: writes the request's bytes as they are, finds the status and the length of the answer, and
 * leaves the body as it came. Whoever puts load on a service that shares its cores must cost as little as may be.
 */
export class HttpClient {
  private readonly socket: Socket;
  private parts: Buffer[] = [];
  private missing: number | undefined;
  private waiting: { readonly resolve: (answer: Answer) => void; readonly reject: (error: Error) => void } | undefined;
  private status = 0;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (part: Buffer) => this.take(part));
    socket.on("error", (error) => this.waiting?.reject(error));
    socket.on("close", () => this.waiting?.reject(new Error("the service closed the connection")));
  }

  static async open(port: number): Promise<HttpClient> {
    const socket = connect(port, "127.0.0.1");
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve();
      });
    });
    return new HttpClient(socket);
  }

  ask(request: Uint8Array): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
      this.socket.write(request);
    });
  }

  close(): void {
    this.socket.destroy();
  }

  private take(part: Buffer): void {
    this.parts.push(part);
    if (this.missing === undefined) {
      const seen = this.parts.length === 1 ? part : Buffer.concat(this.parts);
      const end = seen.indexOf(HEAD_END);
      if (end < 0) return;
      const head = seen.toString("latin1", 0, end);
      const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
      this.status = Number(head.slice(9, 12));
      if (length === undefined) {
        this.waiting?.reject(new Error(`an answer without a length: ${head}`));
        return;
      }
      const body = seen.subarray(end + HEAD_END.length);
      this.parts = [body];
      this.missing = Number(length) - body.length;
    } else this.missing -= part.length;
    if (this.missing > 0) return;
    const answer: Answer = { status: this.status, body: this.parts.length === 1 ? (this.parts[0] as Buffer) : Buffer.concat(this.parts) };
    this.parts = [];
    this.missing = undefined;
    this.waiting?.resolve(answer);
  }
}

/** A POST of JSON, ready to be sent. */
export function postOf(path: string, json: string): Buffer {
  return Buffer.from(`POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(json)}\r\n\r\n${json}`, "utf8");
}
