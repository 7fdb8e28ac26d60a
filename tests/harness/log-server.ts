import { createHash, generateKeyPairSync, type KeyObject } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Appended, foldRange, headOf, leafHash, nextEntry, nodeHash, noteSigner, parseTilePath, signCheckpoint, type StreamHead, TILE_WIDTH } from "../../src/core/ledger/pure.ts";

/** One hash per 256 of the row below: what a tile level is. */
const rowAbove = (row: readonly Buffer[]): Buffer[] => Array.from({ length: Math.floor(row.length / TILE_WIDTH) }, (_, n) => treeHead(row.slice(n * TILE_WIDTH, (n + 1) * TILE_WIDTH)));

/** RFC 6962 §2.1, the slow way. */
export function treeHead(hashes: readonly Buffer[]): Buffer {
  if (hashes.length <= 1) return foldRange(hashes);
  let split = 1;
  while (split * 2 < hashes.length) split *= 2;
  return nodeHash(treeHead(hashes.slice(0, split)), treeHead(hashes.slice(split)));
}

/** A whole log in memory with real entries, hashes and signatures; `flavour` makes another history of the same shape. */
export class MemoryLog {
  readonly signer;
  readonly entries: Appended[] = [];
  readonly levels: Buffer[][] = [];
  private readonly shown: { readonly index: number; readonly body: string }[] = [];

  constructor(size: number, { flavour = "", from = 0, origin = "log.example/live", key = generateKeyPairSync("ed25519").privateKey }: { flavour?: string; from?: number; origin?: string; key?: KeyObject } = {}) {
    this.signer = noteSigner(origin, key);
    const heads = new Map<string, StreamHead>();
    for (let index = 0; index < size; index += 1) {
      const mark = index >= from ? flavour : "";
      const salt = (bytes: number) => createHash("sha256").update(`${mark} ${index}`).digest().subarray(0, bytes);
      const stream = index % 5 === 0 ? "platform" : "IMVU-001";
      const appended = nextEntry({ stream, type: stream === "platform" ? "platform.law" : "meter.reading", actor: "platform", data: { n: index } }, index, heads.get(stream), new Date(1_790_000_000_000 + index).toISOString(), salt);
      this.entries.push(appended);
      if (stream === "platform") this.shown.push({ index, body: appended.body });
      heads.set(stream, headOf(appended));
    }
    this.levels.push(this.entries.map(({ leaf }) => leafHash(leaf)));
    for (let row = this.levels[0] as Buffer[]; row.length >= TILE_WIDTH; ) {
      row = rowAbove(row);
      this.levels.push(row);
    }
  }

  get size(): number {
    return this.entries.length;
  }

  checkpoint(size = this.size): string {
    return signCheckpoint({ origin: this.signer.name, size, root: treeHead((this.levels[0] as Buffer[]).slice(0, size)) }, this.signer);
  }

  /** Any tile, whole or partial, that it has or once had. */
  tile(path: string): Buffer | undefined {
    const tile = parseTilePath(path);
    if (!tile) return undefined;
    const { level, n, width = TILE_WIDTH } = tile;
    const [begin, end] = [n * TILE_WIDTH, n * TILE_WIDTH + width];
    const hashes = level === "entries" ? this.entries.slice(begin, end).map(({ leaf }) => Buffer.concat([Buffer.from([0, 32]), leaf])) : (this.levels[level] ?? []).slice(begin, end);
    return hashes.length === width ? Buffer.concat(hashes) : undefined;
  }

  /** A page of what the platform says of itself. */
  page(from: number): object {
    const at = this.shown.findIndex(({ index }) => index >= from);
    const entries = at < 0 ? [] : this.shown.slice(at, at + 20);
    return { entries, next: at >= 0 && this.shown.length > at + 20 ? (entries.at(-1)?.index ?? 0) + 1 : null };
  }
}

/** Answers a request itself; false: the honest answer follows. */
export type Lie = (path: string, response: ServerResponse, request: IncomingMessage) => boolean;

/** A log behind a real HTTP server, as a platform serves it; a test may put another log, or a lie, in its place while it runs. */
export class LogServer implements AsyncDisposable {
  log: MemoryLog;
  lie: Lie = () => false;
  /** What was asked for, in order. */
  readonly asked: string[] = [];
  open = 0;
  openMost = 0;
  private readonly server: Server;

  private constructor(log: MemoryLog) {
    this.log = log;
    this.server = createServer((request, response) => {
      const path = (request.url ?? "").slice(1);
      this.asked.push(path);
      this.open += 1;
      this.openMost = Math.max(this.openMost, this.open);
      response.once("close", () => {
        this.open -= 1;
      });
      if (!this.lie(path, response, request)) this.honest(path, response);
    });
  }

  static async start(log: MemoryLog): Promise<LogServer> {
    const started = new LogServer(log);
    await new Promise<void>((resolve) => started.server.listen(0, "127.0.0.1", resolve));
    return started;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/log/`;
  }

  /** What the log has at a path; undefined: nothing. */
  content(path: string): Buffer | undefined {
    const { log } = this;
    if (path === "log/") return Buffer.from(JSON.stringify({ origin: log.signer.name, key: log.signer.vkey }));
    if (path === "log/checkpoint") return Buffer.from(log.checkpoint());
    if (path.startsWith("log/tile/")) return log.tile(path.slice(4));
    const page = /^v1\/ledger\/platform\?from=(\d+)$/.exec(path);
    return page ? Buffer.from(JSON.stringify(log.page(Number(page[1])))) : undefined;
  }

  private honest(path: string, response: ServerResponse): void {
    const bytes = this.content(path);
    response.statusCode = bytes ? 200 : 404;
    response.end(bytes ?? "none");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
