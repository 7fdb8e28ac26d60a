import { Buffer } from "node:buffer";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { COMMAND_LIFETIME_MS_DEFAULT, type Op, type Receipt, type SignedCommand, type Verdict } from "../contract/index.ts";
import { commandFields, newNonce, signCommand, signRequest, type StoredIdentity } from "../core/identity/index.ts";
import { type ImvuId, type Json, messageOf, sha256, type Sha256, sha256File, sha256Hex } from "../kernel/index.ts";
import { EXIT, Failure, failureOfAnswer } from "./failure.ts";
import { LogMemory } from "./log-memory.ts";

const READ_TIMEOUT_MS = 120_000;
const LOG_FILE_BYTES_MAX = 64 * 1024;

export interface StepSeen {
  readonly sentence: string;
  readonly state: string;
  readonly ms: number;
  readonly detail?: string;
}

export interface Done {
  readonly receipt: Receipt;
  readonly verdicts: readonly Verdict[];
  readonly outcome: { readonly receipt: Receipt; readonly result: Json };
  readonly imvu: ImvuId | null;
  readonly timings: readonly { readonly step: string; readonly ms: number }[];
}

/** Whose key signs a command. */
export type Signer = Pick<StoredIdentity, "key">;

/** A platform as its creators reach it: signed commands with checked receipts, signed reads, uploads. */
export class Client {
  readonly base: string;
  readonly log: LogMemory;
  private readonly lifetime_ms: number;

  /** @param lifetime_ms how long a command it signs may still be carried out */
  constructor(base: string, home: string, lifetime_ms = COMMAND_LIFETIME_MS_DEFAULT) {
    this.lifetime_ms = lifetime_ms;
    this.base = base.replace(/\/+$/, "");
    this.log = new LogMemory(home, (path) => this.get(path), () => this.text("/log/checkpoint"));
  }

  private async send(path: string, init: RequestInit & { duplex?: "half" } = {}, timeout_ms = READ_TIMEOUT_MS): Promise<Response> {
    try {
      return await fetch(`${this.base}${path}`, { ...init, signal: AbortSignal.timeout(timeout_ms) });
    } catch (error) {
      const cause = error instanceof Error && error.cause ? `: ${messageOf(error.cause)}` : "";
      throw new Failure({ code: "UNREACHABLE", message: `no platform answers at ${this.base}${cause || `: ${messageOf(error)}`}`, hint: "start one with 'nexus up --detach', or name another with --platform URL" }, EXIT.unreachable);
    }
  }

  private async answer(response: Response): Promise<Json> {
    const body = (await response.json().catch(() => undefined)) as Json;
    if (!response.ok) throw failureOfAnswer(response.status, body);
    return body;
  }

  /** A public read. */
  async get(path: string): Promise<Json> {
    return await this.answer(await this.send(path));
  }

  async text(path: string): Promise<string> {
    const response = await this.send(path);
    if (!response.ok) throw failureOfAnswer(response.status, await response.json().catch(() => undefined));
    return await response.text();
  }

  /** One file of the log; a platform that sends more than any such file has is not listened to. */
  async bytes(path: string): Promise<Buffer> {
    const response = await this.send(path);
    if (!response.ok || !response.body) throw failureOfAnswer(response.status, await response.json().catch(() => undefined));
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of response.body) {
      bytes += chunk.length;
      if (bytes > LOG_FILE_BYTES_MAX) throw new Failure({ code: "BAD_ANSWER", message: `${path}: more than ${LOG_FILE_BYTES_MAX} bytes`, hint: "no file of a log is that large" }, EXIT.engine);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  /** A read that only members may make, signed (RFC 9421). */
  async read(who: StoredIdentity, path: string): Promise<Json> {
    const headers = signRequest({ method: "GET", targetUri: `${this.base}${path}` }, who.key, Date.now());
    return await this.answer(await this.send(path, { headers: { ...headers } }));
  }

  async post(who: StoredIdentity, path: string, value: Json, timeout_ms?: number): Promise<Json> {
    const body = new TextEncoder().encode(JSON.stringify(value));
    const headers = signRequest({ method: "POST", targetUri: `${this.base}${path}`, body }, who.key, Date.now());
    return await this.answer(await this.send(path, { method: "POST", body, headers: { ...headers, "content-type": "application/json" } }, timeout_ms));
  }

  /** Streams an archive that only the owner may have. */
  async download(who: StoredIdentity, path: string): Promise<{ readonly name: string; readonly body: Readable }> {
    const headers = signRequest({ method: "GET", targetUri: `${this.base}${path}` }, who.key, Date.now());
    const response = await this.send(path, { headers: { ...headers } }, 24 * 3_600_000);
    if (!response.ok || !response.body) throw failureOfAnswer(response.status, await response.json().catch(() => undefined));
    return { name: response.headers.get("x-nexus-archive") ?? "", body: Readable.fromWeb(response.body as import("node:stream/web").ReadableStream) };
  }

  async uploadBytes(who: StoredIdentity, bytes: Uint8Array): Promise<Sha256> {
    const digest = sha256Hex(bytes);
    await this.put(who, digest, sha256(bytes), bytes);
    return digest;
  }

  async uploadFile(who: StoredIdentity, path: string): Promise<Sha256> {
    const digest = await sha256File(path);
    const size = (await stat(path)).size;
    await this.put(who, digest, Buffer.from(digest, "hex"), Readable.toWeb(createReadStream(path)) as unknown as ReadableStream, size);
    return digest;
  }

  private async put(who: StoredIdentity, digest: Sha256, bodySha256: Uint8Array, body: Uint8Array | ReadableStream, size?: number): Promise<void> {
    const path = `/v1/blobs/${digest}`;
    const signed = signRequest({ method: "PUT", targetUri: `${this.base}${path}`, bodySha256 }, who.key, Date.now());
    const headers: Record<string, string> = { ...signed, "content-type": "application/octet-stream" };
    if (size !== undefined) headers["content-length"] = String(size);
    await this.answer(await this.send(path, { method: "PUT", body: body as NonNullable<RequestInit["body"]>, headers, duplex: "half" }, 24 * 3_600_000));
  }

  signed(who: Signer, op: Op, imvu: ImvuId | null, params: Record<string, Json>): SignedCommand {
    return signCommand(commandFields(op, imvu, params, Date.now(), newNonce(), this.lifetime_ms), who.key);
  }

  /** Verdicts only. */
  async rehearse(signed: SignedCommand): Promise<Json> {
    return await this.answer(await this.postCommand("/v1/commands?dry-run=1", signed));
  }

  /** Sends, follows the steps, and returns only after the receipts were checked against the log this home has been watching. */
  async submit(signed: SignedCommand, onStep: (step: StepSeen) => void): Promise<Done> {
    const { operation } = (await this.answer(await this.postCommand("/v1/commands", signed, { prefer: "respond-async" }))) as { operation: string };
    const { status, body } = await this.follow(operation, onStep);
    if (status !== 200) throw failureOfAnswer(status, body);
    const done = body as Done;
    for (const receipt of [done.receipt, done.outcome.receipt]) await this.log.check(receipt);
    return done;
  }

  private async postCommand(path: string, signed: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return await this.send(path, { method: "POST", body: JSON.stringify(signed), headers: { ...headers, "content-type": "application/json" } });
  }

  private async follow(operation: string, onStep: (step: StepSeen) => void): Promise<{ readonly status: number; readonly body: unknown }> {
    const response = await this.send(`/v1/operations/${operation}/events`, {}, 24 * 3_600_000);
    if (!response.ok || !response.body) throw failureOfAnswer(response.status, await response.json().catch(() => undefined));
    const decoder = new TextDecoder();
    let waiting = "";
    for await (const chunk of response.body) {
      waiting += decoder.decode(chunk, { stream: true });
      for (let end = waiting.indexOf("\n\n"); end >= 0; end = waiting.indexOf("\n\n")) {
        const block = waiting.slice(0, end);
        waiting = waiting.slice(end + 2);
        const event = /^event: (.*)$/m.exec(block)?.[1];
        const data = /^data: (.*)$/m.exec(block)?.[1];
        if (event === "step" && data) onStep(JSON.parse(data) as StepSeen);
        if (event === "done" && data) return JSON.parse(data) as { status: number; body: unknown };
      }
    }
    throw new Failure({ code: "UNREACHABLE", message: "the platform went away while the command was at work", hint: "run 'nexus status'; the command is finished or undone when it is up again" }, EXIT.unreachable);
  }
}
