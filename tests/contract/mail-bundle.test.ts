import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import test, { after, before } from "node:test";
import { dkimVerify } from "mailauth/lib/dkim/verify.js";
import type { BundleReader, ExportSink, MailDesired } from "../../src/contract/index.ts";
import { Fault, imvuIdOf, runOk, sleep } from "../../src/kernel/index.ts";
import { domainOf, MailHouse } from "./mail-house.ts";

/** What leaves: mail to other platforms, and the mail section of a bundle, into stock tools and into a second home. */
const GALLERY = `hello@${domainOf(1)}`;
const WORKSHOP = `hello@${domainOf(2)}`;
const PASSWORD = "oil on canvas";
const IMVU = imvuIdOf(1);
const FOLDERS = ["Archive/2026", "Äpfel & Birnen", "Arch*", "Sent"];

class MemoryBundle implements ExportSink, BundleReader {
  readonly files = new Map<string, Buffer>();
  readonly omitted: string[] = [];

  async file(path: string, source: string | Uint8Array | Readable): Promise<void> {
    assert.match(path, /^[A-Za-z0-9@._%/+-]+$/);
    assert.ok(!this.files.has(path), `${path} was written twice`);
    this.files.set(path, source instanceof Readable ? await buffer(source) : Buffer.from(source as string));
  }

  omit(what: string): void {
    this.omitted.push(what);
  }

  list(prefix: string): readonly string[] {
    return [...this.files.keys()].filter((path) => path.startsWith(prefix)).sort();
  }

  async read(path: string): Promise<Uint8Array> {
    const found = this.files.get(path);
    if (!found) throw new Error(`the bundle has no ${path}`);
    return found;
  }

  stream(path: string): Readable {
    return Readable.from([this.files.get(path) ?? Buffer.alloc(0)]);
  }
}

/** Another platform's mail server, as far as it takes mail: every message is kept with its recipients. */
class Elsewhere {
  readonly messages: { recipients: string[]; source: string }[] = [];
  private readonly server: Server;

  constructor() {
    this.server = createServer((socket) => {
      let text = "";
      let data = false;
      let recipients: string[] = [];
      socket.on("error", () => {});
      socket.write("220 elsewhere.example ESMTP\r\n");
      socket.on("data", (chunk) => {
        text += chunk.toString("latin1");
        for (;;) {
          const end = text.indexOf(data ? "\r\n.\r\n" : "\r\n");
          if (end < 0) return;
          const piece = text.slice(0, end);
          text = text.slice(end + (data ? 5 : 2));
          if (data) {
            this.messages.push({ recipients, source: `${piece}\r\n`.replace(/^\.\./gm, ".") });
            data = false;
            recipients = [];
            socket.write("250 2.0.0 taken, status=sent (not a log line)\r\n");
          } else if (/^DATA$/i.test(piece)) {
            data = true;
            socket.write("354 go on\r\n");
          } else if (/^QUIT$/i.test(piece)) socket.end("221 bye\r\n");
          else {
            const recipient = /^RCPT TO:<(.*)>/i.exec(piece)?.[1];
            if (recipient?.startsWith("refused")) socket.write("550 5.1.1 nobody here\r\n");
            else {
              if (recipient) recipients.push(recipient);
              socket.write("250 ok\r\n");
            }
          }
        }
      });
    });
  }

  listen(): Promise<number> {
    return new Promise((resolve) => this.server.listen(0, "127.0.0.1", () => resolve((this.server.address() as { port: number }).port)));
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}

const elsewhere = new Elsewhere();
let house: MailHouse;

before(async () => {
  house = await MailHouse.start({ smarthost: `[127.0.0.1]:${await elsewhere.listen()}` });
  await house.order(1, [await house.mailbox(GALLERY, PASSWORD)]);
  await house.order(2, [await house.mailbox(WORKSHOP, "bench vice")]);
});

after(async () => {
  await house?.[Symbol.asyncDispose]();
  await elsewhere.close();
});

async function passing(source: Buffer, keys: MailDesired["dkim"], domain: string): Promise<readonly string[]> {
  const resolver = async (name: string) => {
    const key = keys.find(({ selector }) => name === `${selector}._domainkey.${domain}`);
    if (!key) throw Object.assign(new Error(name), { code: "ENOTFOUND" });
    return [[key.txt]];
  };
  const { results } = await dkimVerify(source, { resolver });
  return results.filter((result) => result.status.result === "pass").map((result) => String(result.selector)).sort();
}

test("mail to another platform is signed and attributed, each delivered recipient counts once, a refused one does not", async () => {
  const to = ["a@elsewhere.example", "b@elsewhere.example", "refused@elsewhere.example"];
  const raw = `From: ${GALLERY}\r\nTo: all\r\nSubject: öffnung\r\nContent-Transfer-Encoding: 8bit\r\n\r\n${"long ".repeat(400)}\r\n.\r\n`;
  assert.match(await house.submit({ user: GALLERY, password: PASSWORD }, { to: to.join(", "), raw }), /^250/);
  for (let tries = 0; tries < 50 && (await house.meters(1))["mail.received"] === 0; tries += 1) await sleep(100);
  assert.deepEqual(elsewhere.messages.map((message) => message.recipients.sort()), [["a@elsewhere.example", "b@elsewhere.example"]]);
  const source = Buffer.from(elsewhere.messages[0]?.source ?? "", "latin1");
  assert.match(source.toString("latin1"), new RegExp(`^X-Nexus-Attribution: imvu=${IMVU}; mailbox=${GALLERY}; queue=`, "m"));
  assert.deepEqual(await passing(source, house.desired.get(IMVU)?.dkim ?? [], domainOf(1)), ["nexus-ed25519", "nexus-rsa"]);
  const meters = await house.meters(1);
  // The one that was refused came back as a notice: that is a message received.
  assert.deepEqual([meters["mail.sent"], meters["mail.received"]], [2, 1]);
  await house.down();
  await house.up();
  for (const imvu of house.desired.keys()) await house.converge(imvu);
  assert.deepEqual(await house.meters(1), meters, "a new process counts on from where the old one stopped");
});

test("the bundle's mail is read by Python, and a second home has it again: folders, flags, dates, keys, byte for byte", async () => {
  const client = house.imap(GALLERY, PASSWORD);
  await client.connect();
  const inbox = await client.getMailboxLock("INBOX");
  await client.messageDelete("1:*");
  inbox.release();
  for (const folder of FOLDERS.slice(0, 3)) {
    await client.mailboxCreate(folder);
    await client.mailboxSubscribe(folder);
  }
  const message = (number: number, body: string) => Buffer.from(`From: a@x.example\r\nTo: ${GALLERY}\r\nSubject: number ${number}\r\nStatus: RO\r\nMessage-ID: <${number}@x.example>\r\n\r\n${body}`);
  for (let number = 1; number <= 12; number += 1) {
    const flags = [["\\Seen"], ["\\Seen", "\\Answered", "$Forwarded"], ["\\Flagged", "Blau"], [], ["\\Draft"], ["\\Deleted", "\\Seen"]][number % 6] ?? [];
    await client.append("INBOX", message(number, `From the start\r\n>From quoted\r\n\r\nFrom: x\r\n${"y".repeat(number * 9_000)}\r\n\r\n`), flags, new Date(Date.UTC(2020, number - 1, number, 10, 20, 30)));
  }
  await client.append("Archive/2026", message(13, "tab\there\r\n"), ["\\Seen"], new Date("2021-02-03T04:05:06Z"));
  await client.append("Äpfel & Birnen", message(14, "ü\r\n"), [], new Date("2022-02-03T04:05:06Z"));
  await client.logout();

  const bundle = new MemoryBundle();
  await house.room.fabric.export(IMVU, bundle);
  assert.deepEqual(bundle.omitted, ["mail/policies/spf.txt", "mail/policies/dmarc.txt"]);
  const again = new MemoryBundle();
  await house.room.fabric.export(IMVU, again);
  assert.deepEqual([...again.files], [...bundle.files], "the same state gives the same bytes");
  const folders = JSON.parse(String(bundle.files.get("mail/metadata/folders.json")));
  assert.deepEqual(folders.mailboxes[0].folders.map((folder: { name: string; messages: number }) => [folder.name, folder.messages]), [["Arch*", 0], ["Archive/2026", 1], ["INBOX", 12], ["Äpfel & Birnen", 1]]);
  assert.ok(FOLDERS.every((folder) => folders.mailboxes[0].subscriptions.includes(folder)));
  await readWithPython(bundle);

  await using second = await MailHouse.start();
  const ordered = house.desired.get(IMVU) as MailDesired;
  const [mailbox] = ordered.mailboxes;
  assert.ok(mailbox);
  await second.putHash(await readFile(join(house.site.dir, "blobs", mailbox.passwordHash), "utf8"));
  second.desired.set(IMVU, ordered);
  await second.converge(IMVU);
  await second.room.fabric.import(IMVU, ordered, bundle);
  await second.room.fabric.import(IMVU, ordered, bundle);
  assert.equal(await second.converge(IMVU), 0);
  const restored = new MemoryBundle();
  await second.room.fabric.export(IMVU, restored);
  for (const [path, bytes] of bundle.files) assert.equal(restored.files.get(path)?.toString("latin1"), bytes.toString("latin1"), path);
  assert.deepEqual([...restored.files.keys()].sort(), [...bundle.files.keys()].sort());
  const seen = await second.read(GALLERY, PASSWORD);
  assert.deepEqual(seen, await house.read(GALLERY, PASSWORD));
  assert.deepEqual(await second.room.createDkimKeys(IMVU, domainOf(1)), ordered.dkim);
  assert.match(await second.submit({ user: GALLERY, password: PASSWORD }, { to: GALLERY, raw: `From: ${GALLERY}\r\nSubject: home\r\n\r\nx\r\n` }), /^250/);
  const last = (await second.waitFor(GALLERY, PASSWORD, 13)).at(-1);
  assert.deepEqual(await passing(Buffer.from(last?.source ?? "", "latin1"), ordered.dkim, domainOf(1)), ["nexus-ed25519", "nexus-rsa"]);

  // A bundle is hostile until it is read.
  const hostile = async (path: string, text: string, wanted: string) => {
    const bad = new MemoryBundle();
    for (const [name, bytes] of bundle.files) bad.files.set(name, bytes);
    bad.files.set(path, Buffer.from(text));
    await assert.rejects(second.room.fabric.import(IMVU, ordered, bad), (error: unknown) => error instanceof Fault && error.code === wanted, path);
  };
  const named = (name: string) => JSON.stringify({ version: 1, mailboxes: [{ address: GALLERY, quotaBytes: 1, subscriptions: [], folders: [{ name, file: "x", messages: 0, flags: {} }] }] });
  for (const name of ["../../etc", "a.b", "a//b", "a\nb", "", "x".repeat(300)]) await hostile("mail/metadata/folders.json", named(name), "BUNDLE_MAIL");
  await hostile("mail/metadata/folders.json", named("x").replace(GALLERY, WORKSHOP), "BUNDLE_MAIL");
  await hostile("mail/dkim/..%2fx.private.pem", "x", "DKIM_KEY");
  await hostile("mail/dkim/nexus-rsa.private.pem", "not a key", "DKIM_KEY");
});

test("a mailbox that nobody ever opened and one that was opened and is empty are exported alike", async () => {
  const imvu = imvuIdOf(7);
  const untouched = await house.mailbox(`untouched@${domainOf(7)}`, PASSWORD);
  const opened = await house.mailbox(`opened@${domainOf(7)}`, PASSWORD);
  await house.order(7, [untouched, opened]);
  assert.deepEqual(await house.read(opened.address, PASSWORD), []);
  const bundle = new MemoryBundle();
  await house.room.fabric.export(imvu, bundle);
  for (const { address } of [untouched, opened]) assert.equal(bundle.files.get(`mail/mailboxes/${address}/INBOX.mbox`)?.length, 0, address);
  await house.room.fabric.import(imvu, house.desired.get(imvu) as MailDesired, bundle);
  const again = new MemoryBundle();
  await house.room.fabric.export(imvu, again);
  assert.deepEqual([...again.files].sort(), [...bundle.files].sort());
});

/** Python's standard library reads every file: the same count, flags, and bodies with the quoting of mboxrd. */
async function readWithPython(bundle: MemoryBundle): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "nx-mbox-"));
  try {
    const path = join(dir, "inbox.mbox");
    await writeFile(path, bundle.files.get(`mail/mailboxes/${GALLERY}/INBOX.mbox`) ?? "");
    const script = [
      "import json, mailbox, sys",
      "box = mailbox.mbox(sys.argv[1], create=False)",
      "print(json.dumps([[m['Subject'], m.get_flags(), m['X-Keywords'], m.get_payload().split(chr(10))[0:2], len(m.get_payload())] for m in box]))",
    ].join("\n");
    const read = JSON.parse(await runOk(["/usr/bin/python3", "-c", script, path])) as [string, string, string, string[], number][];
    assert.deepEqual(read.map(([subject]) => subject), Array.from({ length: 12 }, (_, index) => `number ${index + 1}`));
    assert.deepEqual(read.slice(0, 6).map(([, flags]) => [...flags].sort().join("")), ["AOR", "FO", "O", "OT", "DOR", "OR"]);
    assert.deepEqual(read.slice(0, 2).map(([, , keywords]) => keywords), ["$Forwarded", "Blau"]);
    assert.deepEqual(read[0]?.[3], [">From the start", ">>From quoted"]);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

test("gate 5's probe says broken when signing is, or when a relay opens", async () => {
  const folder = join(house.site.dir, "mail/dkim", IMVU);
  const evidence = await house.room.fabric.probe(5, IMVU);
  assert.equal(evidence.verdict, "holds", evidence.detail);
  assert.match(evidence.detail, /sending as hello@imvu002\.world \(553\)/);
  await rm(join(folder, "nexus-ed25519.pem"));
  await house.down();
  await house.up();
  for (const imvu of house.desired.keys()) await house.converge(imvu);
  const broken = await house.room.fabric.probe(5, IMVU);
  assert.equal(broken.verdict, "broken", broken.detail);
});
