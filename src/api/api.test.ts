import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { FastifyRequest } from "fastify";
import type { Imvu, MemberRole } from "../contract/index.ts";
import { COMMAND_PARAMS } from "../contract/index.ts";
import { createIdentityKey, signRequest, type SigningKey } from "../core/identity/index.ts";
import { Fault, refuse, type Refusal } from "../kernel/index.ts";
import { answerOfRefusal, answerOfThrown } from "./answers.ts";
import { Authenticator } from "./authenticate.ts";
import { openApiDocument } from "./openapi.ts";
import type { PlatformPort } from "./platform-port.ts";

describe("answers", () => {
  test("each kind of refusal has its status", () => {
    const kinds: readonly (readonly [Refusal["kind"], number])[] = [["usage", 400], ["unauthenticated", 401], ["gate", 403], ["not-found", 404], ["conflict", 409], ["engine", 502]];
    for (const [kind, status] of kinds) assert.equal(answerOfRefusal(refuse(kind, "C", "m", "h")).status, status);
  });

  test("a refusal keeps its figures and whatever it carries beside them", () => {
    const refusal = { ...refuse("gate", "C", "m", "h", { gate: 7, asked: 9, allowed: 4, ledgerIndex: 3 }), receipt: { index: 3 } };
    assert.deepEqual(answerOfRefusal(refusal).body, { error: { kind: "gate", code: "C", message: "m", hint: "h", gate: 7, asked: 9, allowed: 4, ledgerIndex: 3, receipt: { index: 3 } } });
  });

  test("a fault says what it is, and whether to come again", () => {
    assert.equal(answerOfThrown(new Fault("FULL", "disk full")).status, 500);
    const { status, body } = answerOfThrown(new Fault("BUSY", "busy", { retry: true, hint: "wait", cause: new Error("/root/secret") }));
    assert.deepEqual([status, body], [503, { error: { kind: "engine", code: "BUSY", message: "busy", hint: "wait" } }]);
  });

  test("anything else that is thrown keeps its text to the log", () => {
    for (const thrown of [new Error("password=hush"), new TypeError("hush"), "hush", { message: "hush", statusCode: 500 }, { message: "hush", statusCode: 302 }]) {
      const { status, body } = answerOfThrown(thrown);
      assert.equal(status, 500);
      assert.ok(!JSON.stringify(body).includes("hush"));
      assert.equal(body.error["code"], "INTERNAL");
    }
  });

  test("also when nothing at all is thrown", () => {
    for (const thrown of [undefined, null]) assert.equal(answerOfThrown(thrown).status, 500);
  });

  test("the framework's own refusals keep their status, and what they quote is escaped", () => {
    const { status, body } = answerOfThrown(Object.assign(new Error("bad \u001b[2J\u202e"), { statusCode: 413, code: "FST_ERR_CTP_BODY_TOO_LARGE" }));
    assert.equal(status, 413);
    assert.equal(body.error["code"], "FST_ERR_CTP_BODY_TOO_LARGE");
    assert.match(String(body.error["message"]), /^[\x20-\x7e]*$/);
  });
});

describe("authentication", () => {
  const NOW = 1_790_000_000_000;
  const ORIGIN = "http://127.0.0.1:20000";
  const [anna, bert, stranger] = [createIdentityKey(), createIdentityKey(), createIdentityKey()];
  const names = new Map([[anna.kid, "anna"], [bert.kid, "bert"]]);
  const keys = new Map([anna, bert, stranger].map((key) => [key.kid, key.publicKey]));
  const unit = { id: "IMVU-001", members: [{ identity: "anna", role: "owner" }, { identity: "bert", role: "viewer" }] } as unknown as Imvu;
  const platform = { clock: { now: () => NOW }, apiOrigin: ORIGIN, keyOf: async (kid: never) => keys.get(kid), identityOf: async (kid: never) => names.get(kid), imvu: async (id: string) => (id === unit.id ? unit : undefined) } as unknown as PlatformPort;

  function request(key: SigningKey, id = "IMVU-001", at = NOW, url = `/v1/imvus/${id}`): FastifyRequest {
    return { method: "GET", raw: { url }, params: { id }, headers: { ...signRequest({ method: "GET", targetUri: `${ORIGIN}${url}` }, key, at) } } as unknown as FastifyRequest;
  }
  const codeOf = async (asked: FastifyRequest, roles: readonly MemberRole[] = ["owner"], doorkeeper = new Authenticator(platform)) => {
    const member = await doorkeeper.member(asked, roles);
    return member.ok ? "ok" : member.code;
  };

  test("a member with a role that may is let in, and known by name", async () => {
    const member = await new Authenticator(platform).member(request(anna), ["owner", "maintainer"]);
    assert.ok(member.ok);
    assert.equal(member.value.caller.identity, "anna");
    assert.equal(member.value.imvu, unit);
    assert.equal(await codeOf(request(bert), ["viewer"]), "ok");
  });

  test("an absent unit, a foreign one and a role too small answer the same, so that nobody learns what exists", async () => {
    const messageOf = async (asked: FastifyRequest) => {
      const member = await new Authenticator(platform).member(asked, ["owner"]);
      assert.ok(!member.ok);
      const { kind, code, message, hint } = member;
      return [kind, code, message.replace(/IMVU-\d+/, "ID"), hint];
    };
    const small = await messageOf(request(bert));
    assert.deepEqual(await messageOf(request(bert, "IMVU-002")), small);
    assert.equal(small[1], "NO_SUCH_IMVU");
    assert.equal(await codeOf(request(bert), []), "NO_SUCH_IMVU");
  });

  test("a key without a living identity is nobody, though its signature is right", async () => assert.equal(await codeOf(request(stranger)), "UNKNOWN_IDENTITY"));

  test("the same request works once", async () => {
    const doorkeeper = new Authenticator(platform);
    const asked = request(anna);
    assert.equal(await codeOf(asked, ["owner"], doorkeeper), "ok");
    assert.notEqual(await codeOf(asked, ["owner"], doorkeeper), "ok");
    assert.equal(await codeOf(request(anna), ["owner"], doorkeeper), "ok");
  });

  test("a signature for another unit, another query, another method or another day is no signature", async () => {
    const signed = request(anna);
    for (const change of [{ raw: { url: "/v1/imvus/IMVU-002" } }, { raw: { url: "/v1/imvus/IMVU-001?month=2026-11" } }, { raw: {} }, { method: "DELETE" }, { headers: {} }]) {
      const refused = await new Authenticator(platform).member({ ...signed, ...change } as unknown as FastifyRequest, ["owner"]);
      assert.ok(!refused.ok && refused.kind === "unauthenticated", JSON.stringify(change));
    }
    for (const days of [-1, 1]) assert.notEqual(await codeOf(request(anna, "IMVU-001", NOW + days * 86_400_000)), "ok");
  });

  test("an id that is none is refused before anyone is asked who he is", async () => {
    for (const id of ["", "IMVU-000", "../platform", "IMVU-001\n", "imvu-001"]) assert.equal(await codeOf(request(anna, id)), "BAD_NAME");
  });
});

describe("the OpenAPI document", () => {
  const document = openApiDocument() as { openapi: string; paths: Record<string, Record<string, { summary: string; responses: object; parameters?: { name: string; in: string }[] }>>; components: { schemas: { params: Record<string, { properties: object }> } } };

  test("describes every command by the schema that validates it", () => {
    const { params } = document.components.schemas;
    assert.deepEqual(Object.keys(params), Object.keys(COMMAND_PARAMS));
    for (const [op, schema] of Object.entries(COMMAND_PARAMS)) assert.deepEqual(Object.keys(params[op]?.properties ?? {}), Object.keys(schema.shape), op);
  });

  test("names every variable of a path, says what each operation does, and how it fails", () => {
    for (const [path, operations] of Object.entries(document.paths))
      for (const { summary, responses, parameters = [] } of Object.values(operations)) {
        assert.ok(summary.length > 0);
        assert.ok("default" in responses, path);
        const variables = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
        assert.deepEqual(parameters.filter((parameter) => parameter.in === "path").map(({ name }) => name), variables, path);
      }
  });

  test("is plain JSON and its references lead somewhere", () => {
    const text = JSON.stringify(document);
    assert.deepEqual(JSON.parse(text), document);
    for (const [, name] of text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)) assert.ok(name !== undefined && name in document.components.schemas, name);
  });
});
