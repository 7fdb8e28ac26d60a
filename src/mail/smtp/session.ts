import { connect, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { Fault } from "../../kernel/index.ts";
import { linesOf } from "../unix-server.ts";

/** A plain SMTP client for asking our own server what it would do (RFC 5321): observation and probes. */

const REPLY_TIMEOUT_MS = 15_000;
const REPLY_LINE_BYTES_MAX = 8_192;
const REPLY_LINES_MAX = 64;

export interface Reply {
  readonly code: number;
  readonly text: string;
}

export class SmtpSession implements AsyncDisposable {
  private socket: Socket | TLSSocket;
  private lines: AsyncGenerator<string>;

  private constructor(socket: Socket) {
    this.socket = socket;
    this.lines = this.listen();
  }

  /** Greeted and introduced. */
  static async open(host: string, port: number): Promise<SmtpSession> {
    const socket = connect({ host, port });
    const session = new SmtpSession(socket);
    await session.reply();
    await session.send("EHLO probe.invalid");
    return session;
  }

  private listen(): AsyncGenerator<string> {
    this.socket.setTimeout(REPLY_TIMEOUT_MS, () => this.socket.destroy(new Fault("SMTP_TIMEOUT", `the mail server did not answer within ${REPLY_TIMEOUT_MS} ms`, { retry: true })));
    this.socket.on("error", () => {});
    return linesOf(this.socket as AsyncIterable<Buffer>, REPLY_LINE_BYTES_MAX);
  }

  async send(line: string): Promise<Reply> {
    if (/[\r\n]/.test(line)) throw new TypeError("an SMTP command is one line");
    this.socket.write(`${line}\r\n`);
    return await this.reply();
  }

  /** The dot-stuffed message; lines end with CRLF already. */
  async sendMessage(message: string): Promise<Reply> {
    const asked = await this.send("DATA");
    if (asked.code !== 354) return asked;
    this.socket.write(`${message.replace(/^\./gm, "..")}\r\n.\r\n`);
    return await this.reply();
  }

  /** STARTTLS; the server must show exactly the certificate given (PEM), whatever name it holds. */
  async startTls(certificate: string): Promise<void> {
    const ready = await this.send("STARTTLS");
    if (ready.code !== 220) throw new Fault("SMTP_TLS", `the mail server does not start TLS: ${ready.code} ${ready.text}`, { retry: true });
    // The reader gives the socket back unclosed: what follows on it is TLS's.
    const plain = this.socket as Socket;
    plain.removeAllListeners("timeout");
    plain.setTimeout(0);
    const secure = connectTls({ socket: plain, ca: certificate, checkServerIdentity: () => undefined, ...{ allowPartialTrustChain: true } });
    await new Promise<void>((resolve, reject) => {
      secure.once("secureConnect", resolve);
      secure.once("error", reject);
    });
    this.socket = secure;
    this.lines = this.listen();
    await this.send("EHLO probe.invalid");
  }

  async login(user: string, password: string): Promise<Reply> {
    return await this.send(`AUTH PLAIN ${Buffer.from(`\0${user}\0${password}`).toString("base64")}`);
  }

  private async reply(): Promise<Reply> {
    const texts: string[] = [];
    for (let count = 0; count < REPLY_LINES_MAX; count += 1) {
      const { value, done } = await this.lines.next();
      if (done) throw new Fault("SMTP_CLOSED", "the mail server closed the connection", { retry: true });
      const match = /^(\d{3})([ -]?)(.*?)\r?$/.exec(value);
      if (!match) throw new Fault("SMTP_REPLY", `the mail server said ${JSON.stringify(value.slice(0, 80))}`);
      texts.push(match[3] as string);
      if (match[2] !== "-") return { code: Number(match[1]), text: texts.join(" ") };
    }
    throw new Fault("SMTP_REPLY", `the mail server's reply has more than ${REPLY_LINES_MAX} lines`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.end("QUIT\r\n");
    this.socket.destroySoon();
  }
}
