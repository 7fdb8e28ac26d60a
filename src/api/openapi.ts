import { z } from "zod";
import { COMMAND_PARAMS, type Op, zSignedCommand } from "../contract/index.ts";

type Document = Record<string, unknown>;

const JSON_BODY = (schema: Document, example: unknown): Document => ({ required: true, content: { "application/json": { schema, example } } });
const ERROR_ANSWER: Document = { description: "A refusal or a fault", content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } } };

/** OpenAPI 3.1, made from the very schemas that validate. */
export function openApiDocument(): Document {
  const params: Record<string, unknown> = {};
  for (const op of Object.keys(COMMAND_PARAMS) as Op[]) params[op] = schemaOf(COMMAND_PARAMS[op]);
  const signed = { payload: "eyJleHAiOjE3…", signatures: [{ protected: "eyJhbGciOiJFZERTQSIs…", signature: "kv3w…" }] };
  return {
    openapi: "3.1.0",
    info: { title: "Nexus COS Infrastructure Core", version: "1", description: "Everything that changes something is a signed command; everything else is a read." },
    paths: {
      "/v1/platform": { get: operation("Where everything listens, which engines run, the log's key") },
      "/openapi.json": { get: operation("This document") },
      "/metrics": { get: operation("Figures of the platform as a whole, for Prometheus") },
      "/v1/commands": {
        post: {
          ...operation("Sends a signed command (JWS general serialisation); with `Prefer: respond-async` answers 202 and an operation"),
          parameters: [{ name: "dry-run", in: "query", schema: { const: "1" }, description: "judge only: verdicts, no entry, no effect" }],
          requestBody: JSON_BODY(schemaOf(zSignedCommand), signed),
        },
      },
      "/v1/commands/{digest}": { get: { ...operation("A command as it was signed, for its actor and for members of its IMVU (signed request)"), parameters: [path("digest")] } },
      "/v1/operations/{digest}": { get: { ...operation("Steps of a command so far"), parameters: [path("digest")] } },
      "/v1/operations/{digest}/events": { get: { ...operation("Steps of a command as server-sent events, then its answer"), parameters: [path("digest")] } },
      "/v1/blobs/{sha256}": { put: { ...operation("Uploads what a command will name by SHA-256 (signed request)"), parameters: [path("sha256")] } },
      "/v1/identities/{name}": { get: { ...operation("An identity's public keys, and from which entry to which each counted"), parameters: [path("name")] } },
      "/v1/identity": { get: operation("The caller's own keys with their devices, its recovery key and a recovery that waits (signed request)") },
      "/v1/operators": { get: operation("Who operates the platform") },
      "/v1/imvus": { get: operation("The caller's IMVUs (signed request)") },
      ...Object.fromEntries(UNIT_READS.map(([suffix, summary]) => [`/v1/imvus/{id}${suffix}`, { get: { ...operation(`${summary} (signed request)`), parameters: [path("id"), ...(suffix.includes("{service}") ? [path("service")] : [])] } }])),
      "/v1/imvus/{id}/rehearsal": { post: { ...operation("Makes the bundle that an exit would make now, imports it into a scratch instance and compares; gate 13 then tells of it (signed request)"), parameters: [path("id")] } },
      "/v1/imvus/{id}/meter": { post: { ...operation("Reads all meters now, into the ledger (signed request)"), parameters: [path("id")] } },
      "/v1/imvus/{id}/tokens": {
        post: { ...operation("A short proof of identity and role for a restricted route (signed request)"), parameters: [path("id")], requestBody: JSON_BODY({ type: "object", properties: { host: { type: "string" } } }, { host: "www.imvu001.world" }) },
      },
      "/v1/verify/gates": { get: operation("The seventeen probes") },
      "/v1/ledger/proof/{index}": { get: { ...operation("Inclusion of one entry (C2SP tlog-proof)"), parameters: [path("index")] } },
      "/v1/ledger/consistency": { get: operation("Consistency between two sizes of the log (RFC 6962)") },
      "/v1/ledger/platform": { get: operation("What the platform says of itself (platform.* entries), as it was hashed, from the query's `from` on") },
      "/v1/payouts": { get: operation("Payouts of all units, of one `state` or of all, for operators (signed request)") },
      "/v1/payouts/due": { get: operation("Payouts that are to be made, reckoned from the log, with receipts of their entries, for operators (signed request)") },
      "/v1/tariff": { get: operation("The tariff in force, with the entry that published it") },
      "/v1/billing": { get: operation("Who the platform's invoices are from, with the entry that set it") },
      "/v1/verify/revenue": { get: operation("Makes every statement again, from readings and tariffs") },
      "/v1/ledger/fsck": { get: operation("Recomputes the whole log") },
      "/v1/ledger/replay": { get: operation("Tells the tables again from the log and compares them") },
      "/log/": { get: operation("Origin line and verifier key") },
      "/log/checkpoint": { get: operation("The newest checkpoint (C2SP signed note)") },
      "/log/tile/{path}": { get: { ...operation("Tiles and entry commitments (C2SP tlog-tiles)"), parameters: [path("path")] } },
    },
    components: {
      schemas: {
        Error: {
          type: "object",
          required: ["error"],
          properties: {
            error: {
              type: "object",
              required: ["code", "message", "hint"],
              properties: { code: { type: "string" }, message: { type: "string" }, hint: { type: "string" }, gate: { type: "integer" }, asked: {}, allowed: {}, ledgerIndex: { type: "integer" } },
            },
          },
        },
        params,
      },
    },
  };
}

const UNIT_READS = [
  ["", "One IMVU as its engines show it"],
  ["/dns", "Its records"],
  ["/zonefile", "Its zone as served, signed"],
  ["/mail", "Its mailboxes"],
  ["/routes", "Its routes"],
  ["/services", "Its services"],
  ["/services/{service}/logs", "What a service printed"],
  ["/statement", "A `month`'s statement, by default the present one's: the closed one, or what it comes to so far"],
  ["/usage", "What it used on each day of a `month`, by its own clock, with the readings that say so"],
  ["/journal", "Double entry of its closed months, oldest first, or of one `month`"],
  ["/revenue", "What was sold in it and paid back, oldest first, of one `sourceId` or of all"],
  ["/payouts", "Its payouts, what is owed beyond them, and the account its owner named"],
  ["/billing", "Who its invoices are to, and from whom"],
  ["/invoices", "Its invoices and credit notes, oldest first"],
  ["/invoice", "Invoices of a `month`, or why there is none"],
  ["/budget", "When its people are told what a month comes to, and what of that was reached"],
  ["/statements", "Its closed months, newest first"],
  ["/members", "Its members and their roles"],
  ["/snapshots", "Its snapshots, oldest first, with their digests"],
  ["/consents", "What its end users agreed to and withdrew, oldest first"],
  ["/refusals", "What was refused on it, newest first"],
  ["/ledger", "Its ledger stream"],
  ["/ledger/bodies", "Its ledger stream as it was hashed: canonical bodies, from the query's `from` on"],
  ["/exit/archive", "The newest export's archive"],
] as const;

function operation(summary: string): Document {
  return { summary, responses: { "200": { description: "Done" }, default: ERROR_ANSWER } };
}

function path(name: string): Document {
  return { name, in: "path", required: true, schema: { type: "string" } };
}

function schemaOf(schema: z.ZodType): Document {
  return z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as Document;
}
