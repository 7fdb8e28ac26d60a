import { Fault, messageOf, type Outcome, accept, refuse, sleep } from "../../kernel/index.ts";

const ANSWER_TIMEOUT_MS = 30_000;
const ANSWER_BYTES_MAX = 1024 * 1024;
/** Of each question: the first, and again where the provider was busy, failed, or did not answer. */
const TRIES_MAX = 5;
const PAUSE_FIRST_MS = 500;
const PAUSE_MAX_MS = 30_000;

export interface ProviderHttpOptions {
  readonly answerTimeout_ms?: number;
  readonly pauseFirst_ms?: number;
}

/** What was answered: JSON whose numbers are text, because money is no float. */
export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/**
 * Asks a provider over HTTPS with a bearer token that appears nowhere else. Every question that comes here can be asked twice: a question that is
 * answered 429 or 5xx, or not at all, is asked again at most TRIES_MAX times, later each time and no sooner than the provider says.
 */
export class ProviderHttp {
  private readonly base: URL;
  private readonly token: string;
  private readonly answerTimeout_ms: number;
  private readonly pauseFirst_ms: number;

  private constructor(base: URL, token: string, options: ProviderHttpOptions) {
    this.base = base;
    this.token = token;
    this.answerTimeout_ms = options.answerTimeout_ms ?? ANSWER_TIMEOUT_MS;
    this.pauseFirst_ms = options.pauseFirst_ms ?? PAUSE_FIRST_MS;
  }

  /** Only HTTPS; plain HTTP to this machine alone. */
  static at(address: string, token: string, options: ProviderHttpOptions = {}): Outcome<ProviderHttp> {
    const base = URL.canParse(address) ? new URL(address) : undefined;
    const loopback = base !== undefined && /^(127\.0\.0\.1|\[::1\]|localhost)$/.test(base.hostname);
    if (!base || !(base.protocol === "https:" || (base.protocol === "http:" && loopback)) || base.username !== "" || base.search !== "" || base.hash !== "")
      return refuse("usage", "BAD_PROVIDER_URL", "--url: must be an https address", "like https://api.wise.com");
    if (!/^[\x21-\x7e]{8,4096}$/.test(token)) return refuse("usage", "BAD_TOKEN", "--token-file: holds no token", "put the token alone into it, on one line");
    return accept(new ProviderHttp(base, token, options));
  }

  async ask(method: "GET" | "POST", path: string, body?: unknown): Promise<Answered> {
    let why = "";
    for (let tried = 0; tried < TRIES_MAX; tried += 1) {
      if (tried > 0) await sleep(Math.min(PAUSE_MAX_MS, this.pauseFirst_ms * 2 ** (tried - 1)));
      const answered = await this.once(method, path, body).catch((error: unknown) => {
        why = messageOf(error instanceof Error && error.cause ? error.cause : error);
        return undefined;
      });
      if (!answered) continue;
      if (answered.status !== 429 && answered.status < 500) return answered;
      why = `it answered ${answered.status}`;
      const wait_s = Number(answered.headers.get("retry-after") ?? 0);
      if (wait_s > 0) await sleep(Math.min(PAUSE_MAX_MS, wait_s * 1_000));
    }
    throw new Fault("PROVIDER_UNREACHABLE", `the payment provider did not take ${method} ${path} in ${TRIES_MAX} tries: ${why}`, { retry: true, hint: "run the same command again: what was paid is not paid twice" });
  }

  private async once(method: string, path: string, body: unknown): Promise<Answered> {
    const response = await fetch(new URL(path, this.base), {
      method,
      redirect: "error",
      headers: { authorization: `Bearer ${this.token}`, accept: "application/json", ...(body === undefined ? {} : { "content-type": "application/json" }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(this.answerTimeout_ms),
    });
    let [text, bytes] = ["", 0];
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      bytes += chunk.length;
      if (bytes > ANSWER_BYTES_MAX) throw new Error(`its answer is longer than ${ANSWER_BYTES_MAX} bytes`);
      text += decoder.decode(chunk, { stream: true });
    }
    return { status: response.status, headers: response.headers, body: parsed(text) };
  }
}

/** Numbers come as the text they were written in. */
function parsed(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text, ((_key: string, value: unknown, context?: { readonly source?: string }) => (typeof value === "number" ? (context?.source ?? String(value)) : value)) as (key: string, value: unknown) => unknown);
  } catch {
    return undefined;
  }
}
