import assert from "node:assert/strict";
import { test } from "node:test";
import { createIdentityKey, signRequest } from "../core/identity/index.ts";
import { refuse } from "../kernel/index.ts";
import { openApiDocument } from "./openapi.ts";
import type { PlatformPort } from "./platform-port.ts";
import { apiOf } from "./server.ts";

const NOW = 1_790_000_000_000;
const ORIGIN = "http://127.0.0.1:20000";
const owner = createIdentityKey();

/** What a route asked of the platform that could change anything. `submit` is the command bus. */
const CHANGES = ["submit", "putBlob", "readMeters", "rehearseExit", "routeToken"] as const;

/**
 * Every operation that is not a read, and the one thing it may do. All but commands are closed and explained: a blob is bytes that wait for a
 * command to name them by digest; a meter reading is taken from the engines, with no figure of the caller's; a rehearsal is made and
 * thrown away; a token says for five minutes what
 * the ledger says already.
 */
const MUTATING: Readonly<Record<string, (typeof CHANGES)[number]>> = {
  "POST /v1/commands": "submit",
  "PUT /v1/blobs/{sha256}": "putBlob",
  "POST /v1/imvus/{id}/meter": "readMeters",
  "POST /v1/imvus/{id}/rehearsal": "rehearseExit",
  "POST /v1/imvus/{id}/tokens": "routeToken",
};

function api() {
  const asked: string[] = [];
  const routes: string[] = [];
  const unit = { id: "IMVU-001", owner: "anna", members: [{ identity: "anna", role: "owner" }] };
  const known: Record<string, unknown> = { clock: { now: () => NOW }, apiOrigin: ORIGIN, keyOf: async () => owner.publicKey, identityOf: async () => "anna", imvu: async () => unit, operation: () => undefined, log: {} };
  const platform = new Proxy(known, {
    get(target, name: string) {
      if (name in target) return target[name];
      return (..._args: unknown[]) => {
        asked.push(name);
        const refusal = refuse("usage", "ASKED", name, "nothing");
        return name === "submit" ? refusal : Promise.resolve(refusal);
      };
    },
  }) as unknown as PlatformPort;
  const app = apiOf(platform, () => {}, (method, path) => {
    if (method !== "HEAD" && method !== "OPTIONS") routes.push(`${method} ${path.replace("/blobs/:digest", "/blobs/{sha256}").replace("/tile/*", "/tile/{path}").replace(/:([a-z]+)/g, "{$1}")}`);
  });
  return { app, asked, routes };
}

test("the document and the API have the same operations", async () => {
  const { app, routes } = api();
  await app.ready();
  const paths = openApiDocument()["paths"] as Record<string, Record<string, unknown>>;
  const documented = Object.entries(paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`));
  assert.deepEqual([...new Set(routes)].sort(), documented.sort());
  await app.close();
});

test("each operation that changes something goes through the command bus, but for three that are explained", async () => {
  const { app, routes } = api();
  await app.ready();
  assert.deepEqual([...new Set(routes)].filter((route) => !route.startsWith("GET ")).sort(), Object.keys(MUTATING).sort());
  await app.close();
});

for (const [route, does] of Object.entries(MUTATING)) {
  test(`${route} asks the platform for ${does}, and for nothing else that changes anything`, async () => {
    const { app, asked } = api();
    const digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const [method = "", path = ""] = route.replace("{sha256}", digest).replace("{id}", "IMVU-001").split(" ");
    const body = method === "PUT" ? Buffer.alloc(0) : Buffer.from(JSON.stringify({ host: "www.imvu001.world" }));
    const headers = { ...signRequest({ method, targetUri: `${ORIGIN}${path}`, body }, owner, NOW), "content-type": method === "PUT" ? "application/octet-stream" : "application/json" };
    await app.inject({ method: method as "POST" | "PUT", url: path, headers, payload: body });
    assert.deepEqual(asked.filter((name) => (CHANGES as readonly string[]).includes(name)), [does]);
    await app.close();
  });
}

test("no read asks for a change", async () => {
  const { app, asked, routes } = api();
  await app.ready();
  for (const route of [...new Set(routes)].filter((one) => one.startsWith("GET "))) {
    const path = route.slice(4).replace("{id}", "IMVU-001").replace("{service}", "web").replace("{name}", "anna").replace(/\{[a-z]+\}/g, "0");
    const headers = signRequest({ method: "GET", targetUri: `${ORIGIN}${path}` }, owner, NOW);
    await app.inject({ method: "GET", url: path, headers: { ...headers } });
  }
  assert.ok(asked.length > 8, `the reads asked ${asked.length} times`);
  assert.deepEqual(asked.filter((name) => (CHANGES as readonly string[]).includes(name)), []);
  await app.close();
});
