import { readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { ImapFlow } from "imapflow";
import { createTransport } from "nodemailer";
import { hashMailPassword, type MailDesired, type Mailbox, type Site } from "../../src/contract/index.ts";
import { type Fqdn, type ImvuId, imvuIdOf, type MailAddress, runOk, sha256Hex } from "../../src/kernel/index.ts";
import { type MailRoom, type MailRoomDeps, openMailRoom } from "../../src/mail/index.ts";
import { type RunningEngines, superviseEngines } from "../../src/platform/supervision/index.ts";
import { ScratchSite } from "../harness/scratch-site.ts";

/** The highest user id Dovecot can use is 2^31 - 1. */
const UID_BASE = 1_000_000_000;

/** A mail room with running engines in a scratch home, and clients that know nothing of it. */
export class MailHouse implements AsyncDisposable {
  readonly site: Site;
  readonly desired = new Map<ImvuId, MailDesired>();
  readonly said: string[] = [];
  room: MailRoom;
  ca = "";
  private readonly scratch: ScratchSite;
  private readonly more: Partial<MailRoomDeps>;
  private engines: RunningEngines | undefined;

  private constructor(scratch: ScratchSite, more: Partial<MailRoomDeps>) {
    this.scratch = scratch;
    this.more = more;
    this.site = { ...scratch.site, uidBase: UID_BASE };
    this.room = this.makeRoom();
  }

  static async start(more: Partial<MailRoomDeps> = {}): Promise<MailHouse> {
    const house = new MailHouse(await ScratchSite.create(), more);
    try {
      const { certFile, keyFile } = house.tls();
      await runOk(["/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=mail.world", "-addext", "subjectAltName=DNS:mail.world", "-keyout", keyFile, "-out", certFile]);
      house.ca = await readFile(certFile, "utf8");
      await house.up();
      return house;
    } catch (error) {
      await house[Symbol.asyncDispose]();
      throw error;
    }
  }

  private tls() {
    return { certFile: join(this.scratch.site.dir, "cert.pem"), keyFile: join(this.scratch.site.dir, "key.pem") };
  }

  private makeRoom(): MailRoom {
    return openMailRoom({
      site: this.site,
      blobs: { path: (digest) => join(this.site.dir, "blobs", digest) },
      tls: () => this.tls(),
      desiredOf: (imvu) => this.desired.get(imvu),
      say: (line) => this.said.push(line),
      ...this.more,
    });
  }

  async up(): Promise<void> {
    await this.room.open();
    this.engines = await superviseEngines(this.site, this.room.engines, (line) => this.said.push(line));
  }

  /** Stops everything; the next up() is a new process's: nothing in memory survives. */
  async down(): Promise<void> {
    await this.engines?.stop();
    this.engines = undefined;
    await this.room.close();
    this.room = this.makeRoom();
  }

  async putHash(hash: string): Promise<Mailbox["passwordHash"]> {
    const digest = sha256Hex(hash);
    await writeFile(join(this.site.dir, "blobs", digest), hash, { mode: 0o600 });
    return digest;
  }

  async mailbox(address: string, password: string, quotaBytes = 8 * 1024 * 1024): Promise<Mailbox> {
    return { address: address as MailAddress, passwordHash: await this.putHash(await hashMailPassword(password)), quotaBytes };
  }

  /** Orders and makes it so; returns how many steps it took. */
  async order(number: number, mailboxes: readonly Mailbox[]): Promise<number> {
    const imvu = imvuIdOf(number);
    const domain = domainOf(number);
    const desired: MailDesired = { imvu, number, domain, mailboxes, dkim: await this.room.createDkimKeys(imvu, domain) };
    this.desired.set(imvu, desired);
    return await this.converge(imvu);
  }

  async converge(imvu: ImvuId): Promise<number> {
    const steps = this.room.fabric.plan(imvu, this.desired.get(imvu), await this.room.fabric.observe(imvu));
    for (const step of steps) await step.do();
    return steps.length;
  }

  async meters(number: number): Promise<Record<string, number>> {
    return Object.fromEntries((await this.room.fabric.meter(imvuIdOf(number))).map((reading) => [reading.resource, Number(reading.value)]));
  }

  /** Sends through submission; a refusal is an answer. */
  async submit(login: { user: string; password: string }, message: { envelopeFrom?: string; to: string; raw: string }, port: "submission" | "submissions" = "submission"): Promise<string> {
    const transport = createTransport({
      host: this.site.listenAddress,
      port: this.site.ports[port],
      secure: port === "submissions",
      requireTLS: port === "submission",
      auth: { user: login.user, pass: login.password },
      tls: { ca: this.ca, servername: "mail.world" },
    });
    try {
      return (await transport.sendMail({ envelope: { from: message.envelopeFrom ?? login.user, to: message.to }, raw: message.raw })).response;
    } catch (error) {
      const { response, message: text } = error as { response?: string; message: string };
      return response ?? text;
    } finally {
      transport.close();
    }
  }

  imap(user: string, password: string, options: { tls?: boolean } = {}): ImapFlow {
    const tls = options.tls ?? true;
    return new ImapFlow({
      host: this.site.listenAddress,
      port: this.site.ports.imap,
      secure: false,
      doSTARTTLS: tls,
      auth: { user, pass: password },
      tls: { ca: this.ca, servername: "mail.world" },
      logger: false,
    });
  }

  async read(user: string, password: string, folder = "INBOX"): Promise<{ source: string; flags: readonly string[] }[]> {
    const client = this.imap(user, password);
    await client.connect();
    try {
      const lock = await client.getMailboxLock(folder);
      try {
        const found: { source: string; flags: readonly string[] }[] = [];
        for await (const message of client.fetch("1:*", { source: true, flags: true })) found.push({ source: message.source?.toString("latin1") ?? "", flags: [...(message.flags ?? [])].filter((flag) => flag !== "\\Recent").sort() });
        return found;
      } finally {
        lock.release();
      }
    } finally {
      await client.logout();
    }
  }

  /** Waits until a folder holds `count` messages. */
  async waitFor(user: string, password: string, count: number): Promise<{ source: string; flags: readonly string[] }[]> {
    for (let tries = 0; ; tries += 1) {
      const found = await this.read(user, password);
      if (found.length >= count || tries > 60) return found;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.engines?.stop().catch(() => {});
    await this.room.close();
    await this.scratch[Symbol.asyncDispose]();
  }
}

export function domainOf(number: number): Fqdn {
  return `imvu${String(number).padStart(3, "0")}.world` as Fqdn;
}

/** A stranger's conversation with a port: one command after another, each answered; stops at the first reply that is not wanted. */
export async function talk(host: string, port: number, commands: readonly string[]): Promise<readonly string[]> {
  const socket = connect({ host, port });
  socket.setTimeout(10_000, () => socket.destroy(new Error("no answer within 10 s")));
  const replies: string[] = [];
  let text = "";
  const queue = [...commands, "QUIT"];
  for await (const chunk of socket) {
    text += chunk.toString("latin1");
    for (let match = /^(?:\d{3}-.*\r\n)*\d{3} .*\r\n/.exec(text); match; match = /^(?:\d{3}-.*\r\n)*\d{3} .*\r\n/.exec(text)) {
      replies.push(match[0].trim());
      text = text.slice(match[0].length);
      const next = queue.shift();
      if (next !== undefined) socket.write(`${next}\r\n`);
    }
  }
  return replies;
}
