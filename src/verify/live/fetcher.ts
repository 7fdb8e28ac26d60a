import { Buffer } from "node:buffer";
import { Fault, messageOf, quoteForPeople, sleep } from "../../kernel/index.ts";

export interface FetchLimits {
  /** For one request, from the first byte sent to the last one read. */
  readonly timeout_ms: number;
  /** How often one thing is asked for when nobody answers. */
  readonly attempts_max: number;
  /** Before the second attempt; doubled before each further one. */
  readonly pause_ms: number;
}

export const FETCH_LIMITS: FetchLimits = { timeout_ms: 30_000, attempts_max: 3, pause_ms: 500 };

export type Answer =
  | { readonly ok: true; readonly bytes: Buffer }
  /** The server answered, and not with the thing. `absent`: it says that it has none, or none for everybody. */
  | { readonly ok: false; readonly found: string; readonly absent: boolean };

/** Asking again may help: nobody is hurt by a second GET, and the server says itself that it is a matter of time. */
const AGAIN = new Set([408, 425, 429, 500, 502, 503, 504]);

/**
 * GET requests to a server that may be hostile: each answer has a size it may have, counted after any compression, and a time; redirects are
 * not followed. What cannot be had for reasons that say nothing about the log is a Fault LOG_UNREACHABLE or LOG_REDIRECTS.
 */
export class Fetcher {
  requests = 0;
  /** Of answers, after decompression. */
  bytes = 0;
  private readonly limits: FetchLimits;
  private readonly running = new Set<AbortController>();
  private readonly closing = new AbortController();

  constructor(limits: FetchLimits = FETCH_LIMITS) {
    this.limits = limits;
  }

  async get(url: URL, bytes_max: number): Promise<Answer> {
    for (let attempt = 1; ; attempt += 1) {
      const answer = await this.once(url, bytes_max);
      if (typeof answer !== "string") return answer;
      if (this.closing.signal.aborted || attempt >= this.limits.attempts_max)
        throw new Fault("LOG_UNREACHABLE", `${url.href}: ${answer} (asked ${attempt} ${attempt === 1 ? "time" : "times"})`, { hint: "nothing is known about the log from this; try again later", retry: true });
      await sleep(this.limits.pause_ms * 2 ** (attempt - 1), this.closing.signal);
    }
  }

  /** Ends what is still being fetched. */
  close(): void {
    this.closing.abort();
    for (const one of this.running) one.abort();
  }

  /** An answer; or, in words, why asking again may help. */
  private async once(url: URL, bytes_max: number): Promise<Answer | string> {
    if (this.closing.signal.aborted) return "it was given up";
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), this.limits.timeout_ms);
    this.running.add(controller);
    this.requests += 1;
    try {
      const response = await fetch(url, { redirect: "manual", signal: controller.signal, headers: { "accept-encoding": "gzip" } });
      const { status } = response;
      if (status === 200) return await this.read(response, bytes_max);
      await response.body?.cancel();
      if (AGAIN.has(status)) return `it answered ${status}`;
      if (status >= 300 && status < 400) throw redirected(url, status, response.headers.get("location"));
      return { ok: false, found: `the answer ${status}`, absent: [401, 403, 404, 405, 410].includes(status) };
    } catch (error) {
      if (error instanceof Fault) throw error;
      return controller.signal.aborted ? `no whole answer within ${this.limits.timeout_ms} ms` : reasonOf(error);
    } finally {
      clearTimeout(timer);
      this.running.delete(controller);
    }
  }

  private async read(response: Response, bytes_max: number): Promise<Answer> {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of response.body ?? []) {
      bytes += chunk.length;
      this.bytes += chunk.length;
      // Leaving the loop cancels the body: a server that never ends is not listened to further.
      if (bytes > bytes_max) return { ok: false, found: `more than ${bytes_max} bytes`, absent: false };
      chunks.push(chunk);
    }
    return { ok: true, bytes: Buffer.concat(chunks) };
  }
}

function redirected(url: URL, status: number, location: string | null): Fault {
  return new Fault("LOG_REDIRECTS", `${url.href}: answered ${status} and points to ${quoteForPeople(location ?? "nowhere")}; redirects are not followed`, {
    hint: "if that is where the log is, give that address yourself",
  });
}

/** fetch says "fetch failed" and puts what it means into the cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return messageOf(cause) !== "undefined" && messageOf(cause) !== "" ? messageOf(cause) : ((cause as { code?: string } | undefined)?.code ?? messageOf(error));
}
