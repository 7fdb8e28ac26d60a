import { type IncomingMessage, request as httpRequest } from "node:http";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Fault } from "../../../kernel/index.ts";

/** The oldest version of libpod's API that has what we call; newer engines keep serving it. */
const API = "/v4.0.0/libpod";
export const REST_TIMEOUT_MS = 60_000;
export const REST_ANSWER_BYTES_MAX = 16 * 1024 * 1024;

export interface Call {
  readonly query?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly body?: { readonly stream: Readable; readonly type: string };
  readonly timeout_ms?: number;
  /** Status codes beside 2xx and 304 that are answers and not faults. */
  readonly also?: readonly number[];
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Podman's REST service on its unix socket. */
export class PodmanRest {
  private readonly socket: string;

  constructor(socket: string) {
    this.socket = socket;
  }

  async call(method: "GET" | "POST" | "DELETE", path: string, call: Call = {}): Promise<Answer> {
    const response = await this.open(method, path, call);
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of response) {
      bytes += (chunk as Buffer).length;
      if (bytes > REST_ANSWER_BYTES_MAX) {
        response.destroy();
        throw new Fault("PODMAN_ANSWER", `${method} ${path}: podman's answer is longer than ${REST_ANSWER_BYTES_MAX} bytes`);
      }
      chunks.push(chunk as Buffer);
    }
    const status = response.statusCode ?? 0;
    const text = Buffer.concat(chunks).toString("utf8");
    if (isFine(status, call)) return { status, text };
    throw new Fault("PODMAN_REFUSED", `podman: ${method} ${path}: ${status}: ${causeIn(text)}`);
  }

  async json<T>(method: "GET" | "POST" | "DELETE", path: string, call: Call = {}): Promise<T> {
    const { text } = await this.call(method, path, call);
    try {
      return JSON.parse(text) as T;
    } catch (cause) {
      throw new Fault("PODMAN_ANSWER", `podman: ${method} ${path}: not JSON: ${text.slice(0, 200)}`, { cause });
    }
  }

  /** The answer as a stream; the caller reads it to its end or destroys it. */
  async stream(path: string, call: Call = {}): Promise<Readable> {
    const response = await this.open("GET", path, call);
    if (isFine(response.statusCode ?? 0, call)) return response;
    response.resume();
    throw new Fault("PODMAN_REFUSED", `podman: GET ${path}: ${response.statusCode}`);
  }

  private open(method: string, path: string, call: Call): Promise<IncomingMessage> {
    const query = call.query ? `?${new URLSearchParams(call.query).toString()}` : "";
    const body = call.json === undefined ? undefined : Buffer.from(JSON.stringify(call.json));
    return new Promise((resolve, reject) => {
      const request = httpRequest(
        {
          socketPath: this.socket,
          method,
          path: `${API}${path}${query}`,
          agent: false,
          timeout: call.timeout_ms ?? REST_TIMEOUT_MS,
          headers: body ? { "content-type": "application/json", "content-length": body.length } : call.body ? { "content-type": call.body.type } : {},
        },
        resolve,
      );
      const fail = (cause: Error) => reject(new Fault("PODMAN_UNREACHABLE", `podman's service does not answer: ${cause.message}`, { cause, retry: true, hint: "run 'nexus status'" }));
      request.on("error", fail);
      request.on("timeout", () => request.destroy(new Error(`no answer to ${method} ${path} in time`)));
      if (call.body) pipeline(call.body.stream, request).catch(fail);
      else request.end(body);
    });
  }
}

function isFine(status: number, call: Call): boolean {
  return (status >= 200 && status < 300) || status === 304 || (call.also ?? []).includes(status);
}

function causeIn(text: string): string {
  try {
    const { message, cause } = JSON.parse(text) as { message?: string; cause?: string };
    return (message ?? cause ?? text).slice(0, 1_000);
  } catch {
    return text.slice(0, 1_000);
  }
}
