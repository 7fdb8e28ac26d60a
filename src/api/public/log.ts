import type { FastifyInstance } from "fastify";
import { refuse } from "../../kernel/index.ts";
import type { PlatformPort } from "../platform-port.ts";
import { send } from "./commands.ts";

/** Checkpoints change each second; a tile of a given width never does (C2SP tlog-tiles). */
const YEAR = "public, max-age=31536000, immutable";
const BODIES_PER_PAGE = 100;
const NOT_CACHED = "no-store";

/** The log as everybody may read it: checkpoint, tiles, commitments, and the bodies of what the platform says of itself. */
export function logRoutes(app: FastifyInstance, platform: PlatformPort): void {
  const { log } = platform;
  app.get("/log/", async (_request, reply) => reply.header("cache-control", NOT_CACHED).send({ origin: log.origin, key: log.verifierKey }));
  app.get("/log/checkpoint", async (_request, reply) => {
    const checkpoint = log.checkpoint();
    if (!checkpoint) return send(reply, refuse("not-found", "NO_CHECKPOINT", "the log has no checkpoint yet", "wait a second, then ask again"));
    return reply.type("text/plain; charset=utf-8").header("cache-control", NOT_CACHED).send(checkpoint);
  });
  app.get("/log/tile/*", async (request, reply) => {
    const bytes = await log.tile(`tile/${(request.params as { "*": string })["*"]}`);
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
  app.get("/v1/ledger/platform", async (request, reply) => {
    const { from } = request.query as { from?: string };
    return reply.send(await platform.bodies("platform", /^\d{1,15}$/.test(from ?? "") ? Number(from) : 0, BODIES_PER_PAGE));
  });
  app.get("/v1/billing", async (_request, reply) => reply.send(await platform.seller()));
  app.get("/v1/tariff", async (_request, reply) => reply.send(await platform.tariff()));
  app.get("/v1/verify/revenue", async (_request, reply) => reply.send(await log.revenue()));
  app.get("/v1/ledger/fsck", async (_request, reply) => reply.send(await log.fsck()));
  app.get("/v1/ledger/replay", async (_request, reply) => reply.send(await log.replay()));
}
