import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { mboxPath, zFolders } from "./bundle-layout.ts";
import { maildirFlags, maildirFolder } from "./maildir.ts";
import { type MboxMessage, type MboxPiece, readMbox, writeMbox } from "./mbox.ts";

type Whole = { readonly message: MboxMessage; readonly text: string };

async function* pieces(messages: readonly Whole[], size: number): AsyncGenerator<MboxPiece> {
  for (const { message, text } of messages) {
    yield { begin: message };
    const bytes = Buffer.from(text, "latin1");
    for (let from = 0; from < bytes.length; from += size) yield { bytes: bytes.subarray(from, from + size) };
  }
}

async function* chunks(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

async function written(messages: readonly Whole[], size = 7): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of writeMbox(pieces(messages, size))) parts.push(part);
  return Buffer.concat(parts);
}

async function read(bytes: Buffer, size = 7): Promise<Whole[]> {
  const found: { message: MboxMessage; text: string }[] = [];
  for await (const piece of readMbox(chunks(bytes, size))) {
    if ("begin" in piece) found.push({ message: piece.begin, text: "" });
    else (found.at(-1) as { text: string }).text += piece.bytes.toString("latin1");
  }
  return found;
}

test("a file looks as every mail program knows it", async () => {
  const file = await written([{ message: { flags: ["\\Seen", "\\Flagged", "\\Draft", "b", "a"], received_s: 1_609_459_199 }, text: "Subject: x\n\nFrom me\n>From you\nend\n" }]);
  assert.equal(file.toString(), "From MAILER-DAEMON Thu Dec 31 23:59:59 2020\nStatus: RO\nX-Status: FT\nX-Keywords: a b\nSubject: x\n\n>From me\n>>From you\nend\n\n");
  assert.match((await written([{ message: { flags: [], received_s: 1_609_459_201 }, text: "x\n" }])).toString(), /^From MAILER-DAEMON Fri Jan {2}1 00:00:01 2021\nStatus: O\nX-Status: \nX-Keywords: \nx\n\n$/);
});

test("whatever a message holds comes back byte for byte, in pieces of any size", async () => {
  const line = fc.oneof(fc.constantFrom("", "From ", "From x", ">From y", ">>From ", "from ", "Status: RO", "\r", "X-Keywords: z"), fc.string({ unit: "binary-ascii", maxLength: 20 }).map((text) => text.replaceAll("\n", "")));
  const text = fc.array(line, { minLength: 1, maxLength: 8 }).map((lines) => `${lines.join("\n")}\n`);
  const flags = fc.subarray(["\\Answered", "\\Deleted", "\\Draft", "\\Flagged", "\\Seen", "$Forwarded", "blue"]);
  const whole = fc.record({ message: fc.record({ flags, received_s: fc.integer({ min: 0, max: 4_000_000_000 }) }), text });
  await fc.assert(
    fc.asyncProperty(fc.array(whole, { maxLength: 4 }), fc.integer({ min: 1, max: 40 }), async (messages, size) => {
      const back = await read(await written(messages, size), size);
      assert.deepEqual(back.map(({ message, text: body }) => ({ message: { ...message, flags: [...message.flags].sort() }, text: body })), messages.map(({ message, text: body }) => ({ message: { ...message, flags: [...message.flags].sort() }, text: body })));
    }),
    { numRuns: 60 },
  );
});

test("very long lines pass through in pieces", async () => {
  const text = `From ${"x".repeat(300_000)}\nFrom ${"y".repeat(200_000)}`;
  const [only] = await read(await written([{ message: { flags: [], received_s: 0 }, text }], 5_000), 60_000);
  assert.equal(only?.text, `${text}\n`, "a last line without its end gets one");
  const twice = await read(await written([only, only].map((one) => ({ ...(one as Whole), text: "no end" }))));
  assert.match(String(await written([only, only].map((one) => ({ ...(one as Whole), text: "no end" })))), /no end\n\nFrom MAILER-DAEMON/, "an empty line before each separator");
  assert.deepEqual(twice.map((one) => one.text), ["no end\n", "no end\n"]);
  for await (const piece of readMbox(chunks(await written([only as Whole], 5_000), 60_000))) if ("bytes" in piece) assert.ok(piece.bytes.length <= 130_000, "memory stays flat");
});

test("what is no such file is refused", async () => {
  const head = "From MAILER-DAEMON Thu Dec 31 23:59:59 2020\n";
  for (const text of ["x\n", "From nonsense\n", `${head}Status: X\nX-Status: \nX-Keywords: \n`, `${head}Status: O\nSubject: y\n\nz\n`, `${head}Status: O\n`, `${head}Status: O\nX-Status: Z\nX-Keywords: \n`, `${head}${head}`]) {
    await assert.rejects(read(Buffer.from(text)), RangeError, JSON.stringify(text));
  }
  assert.deepEqual(await read(Buffer.alloc(0)), []);
});

test("folders: file names in the bundle, names that lead nowhere, Maildir's own names and letters", () => {
  assert.equal(mboxPath("a@b.world", "INBOX"), "mail/mailboxes/a@b.world/INBOX.mbox");
  assert.equal(mboxPath("a@b.world", "A/B é*~.."), "mail/mailboxes/a@b.world/A%2FB%20%C3%A9%2A%7E%2E%2E.mbox");
  assert.match(mboxPath("a@b.world", "x".repeat(200)), /\/folder-[0-9a-f]{32}\.mbox$/);
  const folder = (name: string) => zFolders.safeParse({ version: 1, mailboxes: [{ address: "a", quotaBytes: 1, subscriptions: [], folders: [{ name, file: "x", messages: 0, flags: {} }] }] }).success;
  for (const name of ["INBOX", "A/B", "50% & *", "x~y", "ü"]) assert.ok(folder(name), name);
  for (const name of ["", ".", "..", "a.b", "/a", "a/", "a//b", "~a", "a\nb", "a\0b", "x".repeat(256)]) assert.ok(!folder(name), name);
  assert.equal(maildirFolder("A/B"), ".A.B");
  assert.equal(maildirFolder("Äpfel & Co"), ".&AMQ-pfel &- Co");
  assert.equal(maildirFolder("台北/日本語"), ".&U,BTFw-.&ZeVnLIqe-");
  const keywords: string[] = [];
  assert.equal(maildirFlags(["\\Seen", "blue", "\\Draft", "$F"], keywords), "DSab");
  assert.equal(maildirFlags(["$F", "blue"], keywords), "ab");
  assert.equal(maildirFlags(["$F", "\\Answered", "\\Deleted", "\\Flagged"], keywords), "FRTb");
  assert.deepEqual(keywords, ["blue", "$F"]);
  assert.throws(() => maildirFlags(Array.from({ length: 30 }, (_, index) => `k${index}`), keywords), RangeError);
});
