import type { Buffer } from "node:buffer";
import {
  COMMAND_BYTES_MAX, COMMAND_PARAMS, type Command, type CommandPayload, type Op, OPS_WITHOUT_IMVU, type SignedCommand, zCommandPayload, zSignedCommand,
} from "../../contract/index.ts";
import { accept, canonicalJson, type KeyId, type Outcome, parseKeyId, refuse, type Refusal, type Sha256, sha256Hex } from "../../kernel/index.ts";
import { decodeBase64url } from "./base64url.ts";
import { publicKeyFromText } from "./key.ts";
import { broughtBy } from "./key-ring.ts";
import { COMMAND_TYP } from "./signed-command.ts";
import { usageRefusal } from "./usage.ts";

/** A command whose form is right. Nothing is known yet about who signed it: see verifySignatures. */
export interface OpenedCommand {
  readonly signed: SignedCommand;
  readonly payload: CommandPayload;
  readonly command: Command;
  /** In order: the actor, then approvals. `protected` and `signature` stay as they came. */
  readonly signatures: readonly { readonly kid: KeyId; readonly protected: string; readonly signature: string }[];
  readonly digest: Sha256;
}

const WITHOUT_IMVU: ReadonlySet<Op> = new Set<Op>(OPS_WITHOUT_IMVU);
const SIGNATURE_BYTES = 64;
const PAYLOAD_BYTES_MAX = Math.floor((COMMAND_BYTES_MAX * 3) / 4);
const SIGN_AGAIN = "sign it with 'nexus', or as docs/infra-core/law.md says: canonical JSON (RFC 8785), EdDSA, general JWS";

/** Parses what came over the wire: form, limits and spelling, so that one meaning has one digest. Total: never throws. */
export function openCommand(signed: unknown): Outcome<OpenedCommand> {
  const outer = zSignedCommand.safeParse(signed);
  if (!outer.success) return usageRefusal("BAD_COMMAND", outer.error.issues, signed, "", undefined);
  const bytes = decodeBase64url(outer.data.payload);
  if (bytes === undefined) return bad("payload: is not base64url without padding");
  const parsed = parsePayload(bytes);
  if (!parsed.ok) return parsed;
  const signatures: OpenedCommand["signatures"][number][] = [];
  for (const [at, signature] of outer.data.signatures.entries()) {
    const kid = openHeader(signature.protected, at);
    if (!kid.ok) return kid;
    if (signatures.some((earlier) => earlier.kid === kid.value)) return bad(`signatures.${at}: the key ${kid.value} signed already; one signature for each key`, "DUPLICATE_SIGNATURE");
    if (decodeBase64url(signature.signature)?.length !== SIGNATURE_BYTES) return bad(`signatures.${at}.signature: must be ${SIGNATURE_BYTES} bytes, base64url`);
    signatures.push({ kid: kid.value, ...signature });
  }
  return accept({ signed: outer.data, ...parsed.value, signatures, digest: sha256Hex(bytes) });
}

function parsePayload(bytes: Buffer): Outcome<{ payload: CommandPayload; command: Command }> {
  if (bytes.length > PAYLOAD_BYTES_MAX) return bad(`payload: ${bytes.length} bytes, at most ${PAYLOAD_BYTES_MAX}`);
  const text = utf8(bytes);
  if (text === undefined) return bad("payload: is not UTF-8");
  const json = parseJson(text);
  if (json === undefined) return bad("payload: is not JSON");
  const payload = zCommandPayload.safeParse(json);
  if (!payload.success) return usageRefusal("BAD_COMMAND", payload.error.issues, json, "", opIn(json));
  const { op, imvu, params, nonce, iat, exp } = payload.data;
  if (!isCanonical(text, payload.data)) return bad("payload: is not canonical JSON (RFC 8785; integers only, sorted members, no white space)");
  if (WITHOUT_IMVU.has(op) !== (imvu === null)) {
    return bad(imvu === null ? `imvu: ${op} needs the id of an IMVU, got null` : `imvu: ${op} names none, it must be null`);
  }
  const own = COMMAND_PARAMS[op].safeParse(params);
  if (!own.success) return usageRefusal("BAD_PARAMS", own.error.issues, params, "params", op);
  // The pair (op, params) was parsed by op's own schema: that is what Command says.
  const command = { op, imvu, params: own.data, nonce, iat, exp } as Command;
  for (const text of broughtBy(command)) {
    const key = publicKeyFromText(text);
    if (!key.ok) return key;
  }
  return accept({ payload: payload.data, command });
}

/** Bytes that are not UTF-8 must not be read as others that are: one meaning has one digest. */
function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function opIn(json: unknown): Op | undefined {
  const op = typeof json === "object" && json !== null && "op" in json ? json.op : undefined;
  return typeof op === "string" && Object.hasOwn(COMMAND_PARAMS, op) ? (op as Op) : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Same text again from the parsed value: no duplicate member, no other order, no other spelling of a string or number. */
function isCanonical(text: string, payload: CommandPayload): boolean {
  try {
    return canonicalJson(payload) === text;
  } catch {
    return false;
  }
}

/** The protected header is exactly alg, kid and (at most) typ, without white space or a member twice. No crit, no key of its own. */
function openHeader(text: string, at: number): Outcome<KeyId> {
  const where = `signatures.${at}.protected`;
  const json = decodeBase64url(text)?.toString("utf8");
  const header = json === undefined ? undefined : parseJson(json);
  if (json === undefined || typeof header !== "object" || header === null || Array.isArray(header)) return bad(`${where}: is not a base64url JSON object`);
  if (JSON.stringify(header) !== json) return bad(`${where}: has white space, a member twice or an unusual spelling`);
  const { alg, kid, typ, ...more } = header as Record<string, unknown>;
  const unknown = Object.keys(more)[0];
  if (unknown !== undefined) return bad(`${where}: has a member besides alg, kid and typ`);
  if (alg !== "EdDSA") return bad(`${where}: alg must be EdDSA`, "WRONG_ALGORITHM");
  if (typ !== undefined && typ !== COMMAND_TYP) return bad(`${where}: typ must be ${COMMAND_TYP}, or absent`);
  return parseKeyId(kid);
}

function bad(message: string, code = "BAD_COMMAND"): Refusal {
  return refuse("usage", code, message, SIGN_AGAIN);
}
