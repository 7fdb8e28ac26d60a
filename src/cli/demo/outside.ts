import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { ImapFlow } from "imapflow";
import { createTransport } from "nodemailer";
import { run } from "../../kernel/index.ts";

/** Clients that know nothing of us: kdig, HTTP, IMAP and SMTP as any stranger's machine speaks them. */

const CLIENT_TIMEOUT_MS = 10_000;

export interface Answered {
  readonly status: string;
  readonly authenticated: boolean;
  readonly answers: readonly string[];
  readonly signed: boolean;
}

/** Asks a resolver with kdig; `authenticated` is the AD flag it set. */
export async function ask(server: string, name: string, type: string): Promise<Answered> {
  const [host, port] = split(server);
  const ran = await run(["kdig", `@${host}`, "-p", port, "+dnssec", "+nocrypto", "+timeout=3", "+retry=1", name, type]);
  const text = ran.stdout.toString("utf8");
  const answers = text.split("\n").filter((line) => line !== "" && !line.startsWith(";"));
  return {
    status: /status: ([A-Z]+)/.exec(text)?.[1] ?? "NO ANSWER",
    authenticated: /Flags:[^;]*\bad\b/.test(text),
    answers: answers.filter((line) => new RegExp(`\\sIN\\s+${type}\\s`).test(line)),
    signed: answers.some((line) => /\sIN\s+RRSIG\s/.test(line)),
  };
}

export interface Fetched {
  readonly status: number;
  readonly body: string;
}

/** One request with an explicit Host (and SNI), whatever the address resolves to. */
export function get(address: string, host: string, path: string, options: { ca?: string; headers?: Record<string, string>; servername?: string } = {}): Promise<Fetched> {
  const [hostname, port] = split(address);
  return new Promise((resolve, reject) => {
    const headers = { host, ...options.headers };
    const common = { hostname, port, path, headers, timeout: CLIENT_TIMEOUT_MS, agent: false as const };
    const request = options.ca ? httpsRequest({ ...common, ca: options.ca, servername: options.servername ?? host }) : httpRequest(common);
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") }));
    });
    request.on("timeout", () => request.destroy(new Error(`no answer from ${address} within ${CLIENT_TIMEOUT_MS} ms`)));
    request.on("error", reject);
    request.end();
  });
}

export interface Login {
  readonly address: string;
  readonly password: string;
  /** PEM of the platform's certificate authority. */
  readonly ca: string;
  /** The name in the mail server's certificate. */
  readonly servername: string;
}

export interface ReadMessage {
  readonly subject: string;
  readonly source: string;
  readonly flags: readonly string[];
}

/** Logs in over IMAP with STARTTLS and reads every message of a folder. */
export async function readMailbox(server: string, login: Login, folder = "INBOX", mark?: { subject: string; flags: string[] }): Promise<readonly ReadMessage[]> {
  const [host, port] = split(server);
  const client = new ImapFlow({
    host,
    port: Number(port),
    secure: false,
    doSTARTTLS: true,
    auth: { user: login.address, pass: login.password },
    tls: { ca: login.ca, servername: login.servername },
    logger: false,
    greetingTimeout: CLIENT_TIMEOUT_MS,
  });
  await client.connect();
  try {
    const lock = await client.getMailboxLock(folder);
    try {
      const messages: ReadMessage[] = [];
      const marked: number[] = [];
      for await (const message of client.fetch("1:*", { source: true, flags: true, envelope: true, uid: true })) {
        messages.push({ subject: message.envelope?.subject ?? "", source: message.source?.toString("utf8") ?? "", flags: [...(message.flags ?? [])] });
        if (mark && message.envelope?.subject === mark.subject) marked.push(message.uid);
      }
      if (mark && marked.length > 0) await client.messageFlagsAdd(marked, mark.flags, { uid: true });
      return messages;
    } finally {
      lock.release();
    }
  } finally {
    await client.logout();
  }
}

export interface Sent {
  readonly accepted: boolean;
  readonly response: string;
}

/** Sends through a submission port with STARTTLS and AUTH; a refusal is an answer, not an error. */
export async function submit(server: string, login: Login | undefined, message: { envelopeFrom: string; from: string; to: string; subject: string; text: string }): Promise<Sent> {
  const [host, port] = split(server);
  const transport = createTransport({
    host,
    port: Number(port),
    secure: false,
    ...(login ? { requireTLS: true, auth: { user: login.address, pass: login.password }, tls: { ca: login.ca, servername: login.servername } } : { ignoreTLS: true }),
    connectionTimeout: CLIENT_TIMEOUT_MS,
    greetingTimeout: CLIENT_TIMEOUT_MS,
    socketTimeout: CLIENT_TIMEOUT_MS,
  });
  try {
    const sent = await transport.sendMail({
      from: message.from,
      to: message.to,
      subject: message.subject,
      text: message.text,
      envelope: { from: message.envelopeFrom, to: message.to },
    });
    return { accepted: sent.rejected.length === 0, response: sent.response };
  } catch (error) {
    const { response, message: text } = error as { response?: string; message: string };
    return { accepted: false, response: response ?? text };
  } finally {
    transport.close();
  }
}

function split(server: string): [string, string] {
  const at = server.lastIndexOf(":");
  return [server.slice(0, at), server.slice(at + 1)];
}
