import type { FastifyInstance } from "fastify";
import type { Imvu, MemberRole } from "../../contract/index.ts";
import { type Json, parseIdentityName, parseImvuId, parseServiceName, parseSha256, refuse } from "../../kernel/index.ts";
import type { Authenticator } from "../authenticate.ts";
import type { PlatformPort } from "../platform-port.ts";
import { send } from "./commands.ts";

const ANYBODY_IN: readonly MemberRole[] = ["owner", "maintainer", "billing", "viewer"];
const WORKERS: readonly MemberRole[] = ["owner", "maintainer"];
const ACCOUNTS: readonly MemberRole[] = ["owner", "billing"];
/** Who may record sales. */
const SELLERS: readonly MemberRole[] = ["owner", "maintainer", "billing"];
const ENTRIES_PER_PAGE_MAX = 500;
/** Of at most 32 KiB each. */
const BODIES_PER_PAGE_MAX = 100;
const LOG_LINES_MAX = 10_000;
const SMALL_BODY_BYTES_MAX = 4_096;

/** Reads about units: each request signed, each answer only for members. */
export function unitRoutes(app: FastifyInstance, platform: PlatformPort, authenticator: Authenticator): void {
  const read = (path: string, roles: readonly MemberRole[], answer: (imvu: Imvu, query: Record<string, string | undefined>) => Promise<Json>) => {
    app.get(`/v1/imvus/:id${path}`, async (request, reply) => {
      const member = await authenticator.member(request, roles);
      if (!member.ok) return send(reply, member);
      return reply.send(await answer(member.value.imvu, request.query as Record<string, string | undefined>));
    });
  };

  app.get("/v1/imvus", async (request, reply) => {
    const caller = await authenticator.caller(request);
    if (!caller.ok) return send(reply, caller);
    return reply.send({ imvus: (await platform.imvusOf(caller.value.identity)).map(brief) });
  });
  read("", ANYBODY_IN, (imvu) => platform.view(imvu));
  read("/dns", ANYBODY_IN, async (imvu) => ({ zone: imvu.zone, records: json(imvu.records) }));
  read("/mail", ANYBODY_IN, async (imvu) => ({ domain: imvu.zone, mailboxes: imvu.mailboxes.map(({ address, quotaBytes }) => ({ address, quotaBytes })) }));
  read("/routes", ANYBODY_IN, async (imvu) => ({ routes: json(imvu.routes) }));
  read("/services", ANYBODY_IN, async (imvu) => ({ services: imvu.services.map(({ env, ...service }) => ({ ...json(service), env: Object.keys(env) })) as unknown as Json }));
  read("/zonefile", ANYBODY_IN, async (imvu) => ({ zone: imvu.zone, text: await platform.zoneFile(imvu) }));
  read("/members", ANYBODY_IN, async (imvu) => ({ members: json(imvu.members) }));
  read("/snapshots", ANYBODY_IN, async (imvu) => ({ imvu: imvu.id, snapshots: json(imvu.snapshots?.kept ?? []), fresh: imvu.snapshots?.fresh ?? null }));
  read("/consents", WORKERS, (imvu, query) => platform.consents(imvu, { ...(query.subject === undefined ? {} : { subject: query.subject }), from: Number(query.from ?? 0) || 0, limit: Math.min(Number(query.limit ?? 100) || 100, ENTRIES_PER_PAGE_MAX) }));
  read("/refusals", ANYBODY_IN, (imvu) => platform.refusals(imvu));
  read("/ledger", ANYBODY_IN, (imvu, query) => platform.entries(imvu, Number(query.from ?? 0) || 0, Math.min(Number(query.limit ?? 100) || 100, ENTRIES_PER_PAGE_MAX)));

  read("/ledger/bodies", ANYBODY_IN, (imvu, query) => platform.bodies(imvu.id, indexOf(query.from), Math.min(Number(query.limit ?? 100) || 100, BODIES_PER_PAGE_MAX)));

  app.get("/v1/imvus/:id/services/:service/logs", async (request, reply) => {
    const service = parseServiceName((request.params as { service: string }).service);
    if (!service.ok) return send(reply, service);
    const member = await authenticator.member(request, WORKERS);
    if (!member.ok) return send(reply, member);
    const lines = Math.min(Number((request.query as { lines?: string }).lines ?? 100) || 100, LOG_LINES_MAX);
    return reply.send({ service: service.value, text: await platform.serviceLogs(member.value.imvu, service.value, lines) });
  });

  app.get("/v1/imvus/:id/statement", async (request, reply) => {
    const member = await authenticator.member(request, ACCOUNTS);
    if (!member.ok) return send(reply, member);
    return send(reply, await platform.statement(member.value.imvu, (request.query as { month?: string }).month));
  });

  read("/revenue", SELLERS, (imvu, query) => platform.sales(imvu, { ...(query.sourceId === undefined ? {} : { sourceId: query.sourceId }), from: indexOf(query.from), limit: Math.min(Number(query.limit ?? 100) || 100, ENTRIES_PER_PAGE_MAX) }));
  app.get("/v1/imvus/:id/usage", async (request, reply) => {
    const member = await authenticator.member(request, ACCOUNTS);
    if (!member.ok) return send(reply, member);
    return send(reply, await platform.usage(member.value.imvu, (request.query as { month?: string }).month ?? ""));
  });

  read("/journal", ACCOUNTS, (imvu, query) => platform.journal(imvu, query.month));
  read("/payouts", ACCOUNTS, (imvu) => platform.payouts(imvu));
  read("/billing", ACCOUNTS, (imvu) => platform.billing(imvu));
  read("/invoices", ACCOUNTS, (imvu) => platform.invoices(imvu));
  app.get("/v1/imvus/:id/invoice", async (request, reply) => {
    const member = await authenticator.member(request, ACCOUNTS);
    if (!member.ok) return send(reply, member);
    return send(reply, await platform.invoice(member.value.imvu, (request.query as { month?: string }).month ?? ""));
  });
  read("/budget", ACCOUNTS, (imvu) => platform.budget(imvu));
  read("/statements", ACCOUNTS, (imvu) => platform.statements(imvu));

  app.post("/v1/imvus/:id/meter", { bodyLimit: SMALL_BODY_BYTES_MAX }, async (request, reply) => {
    const member = await authenticator.member(request, ANYBODY_IN, rawBody(request.body));
    if (!member.ok) return send(reply, member);
    return reply.send(await platform.readMeters(member.value.imvu));
  });

  app.post("/v1/imvus/:id/rehearsal", { bodyLimit: SMALL_BODY_BYTES_MAX }, async (request, reply) => {
    const member = await authenticator.member(request, WORKERS, rawBody(request.body));
    if (!member.ok) return send(reply, member);
    return reply.send(await platform.rehearseExit(member.value.imvu));
  });

  app.post("/v1/imvus/:id/tokens", { bodyLimit: SMALL_BODY_BYTES_MAX }, async (request, reply) => {
    const member = await authenticator.member(request, ANYBODY_IN, rawBody(request.body));
    if (!member.ok) return send(reply, member);
    const { host } = (parsedBody(request.body) ?? {}) as { host?: unknown };
    if (typeof host !== "string") return send(reply, refuse("usage", "NO_HOST", "host: is missing", "name a host of a restricted route: --host www.imvu001.world"));
    return send(reply, await platform.routeToken(member.value.imvu, member.value.caller.identity, host));
  });

  app.get("/v1/imvus/:id/exit/archive", async (request, reply) => {
    const member = await authenticator.member(request, ["owner"]);
    if (!member.ok) return send(reply, member);
    const archive = await platform.exitArchive(member.value.imvu);
    if (!archive) return send(reply, refuse("not-found", "NO_EXPORT", `${member.value.imvu.id} has no export yet`, `nexus imvu exit --imvu-id ${member.value.imvu.id} --export-path DIR`));
    return reply.type("application/zstd").header("content-length", archive.bytes).header("x-nexus-archive", archive.name).send(archive.body);
  });

  app.get("/v1/commands/:digest", async (request, reply) => {
    const caller = await authenticator.caller(request);
    if (!caller.ok) return send(reply, caller);
    const { digest } = request.params as { digest: string };
    const known = await platform.signedCommand(digest, caller.value.identity);
    return known === undefined ? send(reply, refuse("not-found", "NO_SUCH_COMMAND", `no command that ${caller.value.identity} may read has this digest`, "compare the 64 digits with what the sender was told")) : reply.send(known);
  });

  app.put("/v1/blobs/:digest", async (request, reply) => {
    const digest = parseSha256((request.params as { digest: string }).digest);
    if (!digest) return send(reply, refuse("usage", "BAD_DIGEST", "the path must end in 64 lower-case hexadecimal digits (SHA-256 of the body)", "let 'nexus' upload it"));
    const caller = await authenticator.caller(request, "streamed");
    if (!caller.ok) return send(reply, caller);
    if (Buffer.from(caller.value.request.bodySha256).toString("hex") !== digest)
      return send(reply, refuse("usage", "BLOB_DIGEST", "content-digest and the path name different bodies", "sign the request for this very file"));
    const stored = await platform.putBlob(digest, caller.value.identity, request.raw);
    return stored.ok ? reply.code(201).send({ digest, bytes: stored.value }) : send(reply, stored);
  });

  app.get("/v1/identities/:name", async (request, reply) => {
    const name = parseIdentityName((request.params as { name: string }).name);
    if (!name.ok) return send(reply, name);
    const known = await platform.identity(name.value);
    return known === undefined ? send(reply, refuse("not-found", "NO_SUCH_IDENTITY", `no identity is called ${name.value} here`, "nexus identity create")) : reply.send(known);
  });

  app.get("/v1/identity", async (request, reply) => {
    const caller = await authenticator.caller(request);
    return caller.ok ? reply.send(await platform.ownRing(caller.value.identity)) : send(reply, caller);
  });

  app.get("/v1/operators", async (_request, reply) => reply.send(await platform.operators()));

  app.get("/v1/verify/gates", async (request, reply) => {
    const { imvu } = request.query as { imvu?: string };
    if (imvu === undefined) return reply.send(await platform.verifyGates(undefined));
    const parsed = parseImvuId(imvu);
    return parsed.ok ? reply.send(await platform.verifyGates(parsed.value)) : send(reply, parsed);
  });
}

function indexOf(text: string | undefined): number {
  return /^\d{1,15}$/.test(text ?? "") ? Number(text) : 0;
}

function brief(imvu: Imvu): Json {
  const { id, name, owner, jurisdiction, status, zone, createdAt } = imvu;
  return { id, name, owner, jurisdiction, status, zone, createdAt };
}

function json(value: unknown): Json & object {
  return JSON.parse(JSON.stringify(value)) as Json & object;
}

/** Signed POST bodies arrive as bytes, so that what is verified is what was sent. */
function rawBody(body: unknown): Uint8Array {
  return body instanceof Uint8Array ? body : new Uint8Array(0);
}

function parsedBody(body: unknown): unknown {
  try {
    return JSON.parse(Buffer.from(rawBody(body)).toString("utf8"));
  } catch {
    return undefined;
  }
}
