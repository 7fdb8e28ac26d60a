import type { Server } from "node:http";
import fastify, { type FastifyInstance } from "fastify";
import { messageOf } from "../kernel/index.ts";
import { answerOfRefusal, answerOfThrown } from "./answers.ts";
import { Authenticator } from "./authenticate.ts";
import { openApiDocument } from "./openapi.ts";
import type { PlatformPort } from "./platform-port.ts";
import { commandRoutes } from "./public/commands.ts";
import { logRoutes } from "./public/log.ts";
import { payoutRoutes } from "./public/payouts.ts";
import { unitRoutes } from "./public/units.ts";

const REQUEST_TIMEOUT_MS = 300_000;
const CONNECTION_TIMEOUT_MS = 0;
const HEADERS_TIMEOUT_MS = 15_000;
const URL_PARAM_CHARS_MAX = 200;

export interface ApiServer {
  close(): Promise<void>;
}

/** Opens the API on loopback. Every route is a read, a blob, or the command bus. */
export async function serveApi(platform: PlatformPort, address: string, port: number, say: (line: string) => void): Promise<ApiServer> {
  const app = apiOf(platform, say);
  await app.listen({ host: address, port });
  return { close: () => app.close() };
}

/** The API, not yet listening. */
export function apiOf(platform: PlatformPort, say: (line: string) => void, onRoute: (method: string, path: string) => void = () => {}): FastifyInstance {
  const app: FastifyInstance = fastify({
    logger: false,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { maxParamLength: URL_PARAM_CHARS_MAX },
    forceCloseConnections: true,
  });
  (app.server as Server).headersTimeout = HEADERS_TIMEOUT_MS;
  app.addHook("onRoute", ({ method, url }) => {
    for (const one of [method].flat()) onRoute(one, url);
  });
  // Bodies stay bytes: signed requests are verified over exactly what arrived; commands are parsed by their own schema.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (request, body, done) => {
    if (request.url.startsWith("/v1/imvus/")) return done(null, body);
    try {
      done(null, JSON.parse((body as Buffer).toString("utf8")));
    } catch {
      done(Object.assign(new Error("the body is not JSON"), { statusCode: 400, code: "NOT_JSON" }));
    }
  });
  app.addContentTypeParser("application/octet-stream", (_request, _payload, done) => done(null));
  app.setErrorHandler((error, _request, reply) => {
    const { status, body } = answerOfThrown(error);
    if (status >= 500) say(`api: ${error instanceof Error ? (error.stack ?? error.message) : messageOf(error)}`);
    return reply.code(status).send(body);
  });
  app.setNotFoundHandler((_request, reply) => {
    const { status, body } = answerOfRefusal({ ok: false, kind: "not-found", code: "NO_SUCH_PATH", message: "there is nothing at this path", hint: "see /openapi.json" });
    return reply.code(status).send(body);
  });
  app.get("/v1/platform", async (_request, reply) => reply.send(await platform.status()));
  app.get("/metrics", async (_request, reply) => {
    const { type, text } = await platform.metrics();
    return reply.type(type).header("cache-control", "no-store").send(text);
  });
  app.get("/openapi.json", async (_request, reply) => reply.send(openApiDocument()));
  commandRoutes(app, platform);
  logRoutes(app, platform);
  const authenticator = new Authenticator(platform);
  unitRoutes(app, platform, authenticator);
  payoutRoutes(app, platform, authenticator);
  return app;
}
