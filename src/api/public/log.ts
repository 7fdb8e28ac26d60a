import type { FastifyInstance } from "fastify";
import { refuse } from "../../kernel/index.ts";
import type { PlatformPort } from "../platform-port.ts";
import { send } from "./commands.ts";

const YEAR = "public, max-age=31536000, immutable";
const NOT_CACHED = "no-store";
/** Checkpoints change each second; tiles that are full never do (C2SP tlog-tiles). */
const FULL_TILE_WIDTH = 256;

/** The log as everybody may read it: checkpoint, tiles, commitments; no bodies. */
export function logRoutes(app: FastifyInstance, platform: PlatformPort): void {
  const { log } = platform;
  app.get("/log/", async (_request, reply) => reply.header("cache-control", NOT_CACHED).send({ origin: log.origin, key: log.verifierKey }));
  app.get("/log/checkpoint", async (_request, reply) => {
    const checkpoint = log.checkpoint();
    if (!checkpoint) return send(reply, refuse("not-found", "NO_CHECKPOINT", "the log has no checkpoint yet", "wait a second, then ask again"));
    return reply.type("text/plain; charset=utf-8").header("cache-control", NOT_CACHED).send(checkpoint);
  });
  app.get("/log/tile/*", async (request, reply) => {
    const path = (request.params as { "*": string })["*"];
    const wanted = parseTilePath(path);
    const bytes =
      wanted === undefined ? undefined : wanted.level === "entries" ? await log.entries(wanted.index, wanted.width) : await log.tile(wanted.level, wanted.index, wanted.width);
    if (!bytes) return send(reply, refuse("not-found", "NO_SUCH_TILE", "there is no such tile", "see the checkpoint for the log's size"));
    return reply.type("application/octet-stream").header("cache-control", YEAR).send(Buffer.from(bytes));
  });
  app.get("/v1/ledger/proof/:index", async (request, reply) => {
    const text = (request.params as { index: string }).index;
    const receipt = /^\d{1,15}$/.test(text) ? await log.receipt(Number(text)) : undefined;
    if (!receipt) return send(reply, refuse("not-found", "NO_SUCH_ENTRY", `the log has no entry ${text.slice(0, 20)}`, "nexus ledger checkpoint shows its size"));
    return reply.send({ index: receipt.index, leaf: receipt.leaf, proof: receipt.proof, checkpoint: log.checkpoint() });
  });
  app.get("/v1/ledger/consistency", async (request, reply) => {
    const { from, to } = request.query as { from?: string; to?: string };
    const numbers = [from, to].map((text) => (/^\d{1,15}$/.test(text ?? "") ? Number(text) : -1)) as [number, number];
    const proof = numbers[0] >= 0 && numbers[1] >= numbers[0] ? await log.consistency(numbers[0], numbers[1]) : undefined;
    if (!proof) return send(reply, refuse("usage", "BAD_RANGE", "from and to must be sizes of the log, from not above to", "nexus ledger checkpoint shows its size"));
    return reply.send({ from: numbers[0], to: numbers[1], proof });
  });
  app.get("/v1/tariff", async (_request, reply) => reply.send(await platform.tariff()));
  app.get("/v1/ledger/fsck", async (_request, reply) => reply.send(await log.fsck()));
  app.get("/v1/ledger/replay", async (_request, reply) => reply.send(await log.replay()));
}

interface TilePath {
  readonly level: number | "entries";
  readonly index: number;
  readonly width: number | undefined;
}

/** C2SP tlog-tiles: `<L>/<N>[.p/<W>]`, N in groups of three digits, all but the last with an x. */
export function parseTilePath(path: string): TilePath | undefined {
  const match = /^(entries|\d{1,2})\/((?:x\d{3}\/){0,6}\d{3})(?:\.p\/(\d{1,3}))?$/.exec(path);
  if (!match) return undefined;
  const level = match[1] === "entries" ? "entries" : Number(match[1]);
  const index = Number((match[2] as string).replace(/[x/]/g, ""));
  const width = match[3] === undefined ? undefined : Number(match[3]);
  if (level !== "entries" && level > 63) return undefined;
  if (width !== undefined && (width < 1 || width >= FULL_TILE_WIDTH)) return undefined;
  return Number.isSafeInteger(index) ? { level, index, width } : undefined;
}
