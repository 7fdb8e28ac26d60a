import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type Cosigner, cosign, cosigner, openLogKey } from "../core/ledger/pure.ts";
import { type Clock, Fault, messageOf } from "../kernel/index.ts";
import { BODY_BYTES_MAX } from "./add-checkpoint.ts";
import { lockFolder } from "./folder-lock.ts";
import { judge, type No, openSigned, originOf } from "./judge.ts";
import { WitnessMemory } from "./memory.ts";
import { Turns } from "./turns.ts";

/** A witness over HTTP (C2SP tlog-witness). What it vouched for is on disk before the cosignature leaves. */

const REQUEST_MS_MAX = 10_000;
const CONNECTION_CHECK_MS = 1_000;
const HEADER_BYTES_MAX = 8 * 1024;
const CONNECTIONS_MAX = 256;
const WAITING_MAX = 256;

export interface WitnessOptions {
  readonly dir: string;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** What its cosignatures are signed as: a URL without scheme. */
  readonly name: string;
  readonly clock: Clock;
  readonly say: (line: string) => void;
  /** A request that has not arrived whole by then is answered 408. */
  readonly requestTimeout_ms?: number;
  /** For tests: runs when a tree is stored and its cosignature has not left. */
  readonly afterStore?: () => void;
}

export interface RunningWitness {
  readonly vkey: string;
  /** The submission prefix. */
  readonly url: string;
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** @throws Fault: the folder is in use, the key is exposed, what was seen of a log is gone, the address is taken */
export async function serveWitness(options: WitnessOptions): Promise<RunningWitness> {
  const memory = await WitnessMemory.open(options.dir);
  const lock = await lockFolder(options.dir);
  try {
    const signer = cosigner(options.name, await openLogKey(join(options.dir, "witness.pem")));
    await memory.logs();
    const witness = new Witness(options, memory, signer);
    const server = createServer(
      { requestTimeout: options.requestTimeout_ms ?? REQUEST_MS_MAX, headersTimeout: options.requestTimeout_ms ?? REQUEST_MS_MAX, connectionsCheckingInterval: CONNECTION_CHECK_MS, maxHeaderSize: HEADER_BYTES_MAX },
      (request, response) => void witness.handle(request, response),
    );
    server.maxConnections = CONNECTIONS_MAX;
    await new Promise<void>((resolve, reject) => {
      server.once("error", (cause) => reject(new Fault("WITNESS_LISTEN", `cannot listen at ${options.host}:${options.port}: ${cause.message}`, { cause, hint: "choose another with --listen" })));
      server.listen(options.port, options.host, resolve);
    });
    const { address, port, family } = server.address() as AddressInfo;
    return {
      vkey: signer.vkey,
      url: `http://${family === "IPv6" ? `[${address}]` : address}:${port}`,
      close: async () => {
        const closed = new Promise((resolve) => server.close(resolve));
        server.closeAllConnections();
        await closed;
        await lock.release();
      },
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

class Witness {
  private readonly options: WitnessOptions;
  private readonly memory: WitnessMemory;
  private readonly signer: Cosigner;
  private readonly turns = new Turns(WAITING_MAX);

  constructor(options: WitnessOptions, memory: WitnessMemory, signer: Cosigner) {
    this.options = options;
    this.memory = memory;
    this.signer = signer;
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let answer: Answer;
    try {
      answer = await this.answer(request);
    } catch (error) {
      if (request.destroyed && !request.complete) return;
      this.options.say(`${request.method} ${request.url}: ${messageOf(error)}`);
      answer = plain(500, "this witness cannot do that now");
    }
    // What was not read to its end must not be taken for the next request.
    if (!request.complete) response.setHeader("connection", "close");
    response.writeHead(answer.status, { "content-type": answer.type, "content-length": Buffer.byteLength(answer.body) }).end(answer.body);
  }

  private async answer(request: IncomingMessage): Promise<Answer> {
    const path = (request.url ?? "").split("?")[0];
    if (path === "/" && request.method === "GET") return plain(200, this.signer.vkey);
    if (path !== "/add-checkpoint") return plain(404, "POST /add-checkpoint");
    if (request.method !== "POST") return plain(405, "POST /add-checkpoint");
    const bytes = await bodyOf(request);
    if (!bytes) return plain(413, `a request has at most ${BODY_BYTES_MAX} bytes`);
    const body = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
    if (!Buffer.from(body, "utf8").equals(bytes)) return plain(400, "the request is not UTF-8");
    const about = originOf(body);
    if ("status" in about) return this.refused(about);
    const signed = openSigned(about.request, await this.memory.keysOf(about.origin));
    if ("status" in signed) return this.refused(signed);
    // Only what a log's key signed comes so far: strangers cannot fill the queue.
    return await (this.turns.take(about.origin, async () => {
      const next = judge(await this.memory.seen(about.origin), signed);
      if ("status" in next) return this.refused(next, about.origin);
      if (next.size !== signed.request.old) await this.memory.remember(about.origin, next);
      this.options.afterStore?.();
      return { status: 200, type: "text/plain; charset=utf-8", body: cosign(signed.text, this.signer, Math.floor(this.options.clock.now() / 1_000)) };
    }) ?? plain(503, "too many requests wait"));
  }

  /** Said aloud when a log that is watched signed what it should not have: that may be all that is left of a fork. */
  private refused(no: No, origin?: string): Answer {
    if (origin !== undefined && (no.status === 422 || /forked/.test(no.why))) this.options.say(`${origin}: ${no.why}`);
    return no.size === undefined ? plain(no.status, no.why) : { status: no.status, type: "text/x.tlog.size", body: `${no.size}\n` };
  }
}

/** undefined: too long. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Left open when it is too long, so that the answer can still leave.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function plain(status: number, text: string): Answer {
  return { status, type: "text/plain; charset=utf-8", body: `${text}\n` };
}
