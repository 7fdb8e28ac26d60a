import assert from "node:assert/strict";
import { chmod, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import test, { after, before } from "node:test";
import { imvuUidBase, type MailDesired } from "../../src/contract/index.ts";
import { Fault, type ImvuId, imvuIdOf, type MailAddress, type Sha256, sleep } from "../../src/kernel/index.ts";
import { dkimVerify } from "mailauth/lib/dkim/verify.js";
import { started } from "../harness/started.ts";
import { domainOf, MailHouse, talk } from "./mail-house.ts";

/** The mail room against real Postfix and Dovecot: Workshop is IMVU-002, ArtGallery IMVU-001. */
const GALLERY = `hello@${domainOf(1)}`;
const WORKSHOP = `hello@${domainOf(2)}`;
const workshop = { user: WORKSHOP, password: "bench vice" };
const gallery = { user: GALLERY, password: "oil on canvas" };
const RELAY_DENIED = /^554 5\.7\.1 .*Relay access denied/;

let house: MailHouse;

before(async () => {
  house = await MailHouse.start();
  await house.order(1, [await house.mailbox(GALLERY, gallery.password)]);
  await house.order(2, [await house.mailbox(WORKSHOP, workshop.password)]);
});

after(async () => {
  await house?.[Symbol.asyncDispose]();
});

function letter(from: string, to: string, subject: string, more = ""): string {
  return `From: ${from}\r\nTo: ${to}\r\nSubject: ${subject}\r\n${more}\r\nDear reader,\r\nFrom here on it is text.\r\n.one dot\r\n`;
}

const dns = async (name: string) => {
  for (const desired of house.desired.values()) for (const key of desired.dkim) if (name === `${key.selector}._domainkey.${desired.domain}`) return [[key.txt]];
  throw Object.assign(new Error(name), { code: "ENOTFOUND" });
};

async function signatures(source: string): Promise<readonly string[]> {
  const { results } = await dkimVerify(Buffer.from(source, "latin1"), { resolver: dns });
  return results.map((result) => `${result.signingDomain} ${result.selector} ${result.status.result}`).sort();
}

test("Workshop writes to ArtGallery: signed twice, attributed once, delivered, read over IMAP, counted once on both sides", async () => {
  const answer = await house.submit(workshop, {
    to: GALLERY,
    raw: letter(`"The Workshop" <${WORKSHOP}>`, GALLERY, "frames", "X-Nexus-Attribution: imvu=IMVU-001; mailbox=forged@x.example; queue=FORGED1\r\nX-Nexus-Attribution: again\r\n"),
  });
  const queueId = /^250 2\.0\.0 Ok: queued as (\S+)$/.exec(answer)?.[1];
  assert.ok(queueId, answer);
  const [message] = await house.waitFor(gallery.user, gallery.password, 1);
  assert.ok(message);
  assert.deepEqual(await signatures(message.source), [`${domainOf(2)} nexus-ed25519 pass`, `${domainOf(2)} nexus-rsa pass`]);
  assert.deepEqual(message.source.match(/^X-Nexus-Attribution:.*$/gm), [`X-Nexus-Attribution: imvu=IMVU-002; mailbox=${WORKSHOP}; queue=${queueId}`]);
  assert.match(message.source, /^Message-ID: /im, "submission adds what the client left out");
  assert.match(message.source, /\r\nFrom here on it is text\.\r\n\.one dot\r\n$/);
  // A second From put in front must not pass as signed.
  const spoofed = await signatures(`From: boss@${domainOf(2)}\r\n${message.source}`);
  assert.ok(spoofed.every((one) => !one.endsWith(" pass")), spoofed.join());
  await sleep(200);
  assert.deepEqual(await house.meters(2), { "mail.sent": 1, "mail.received": 0, "mail.storage": 0 });
  assert.deepEqual(await house.meters(1), { "mail.sent": 0, "mail.received": 1, "mail.storage": message.source.length });
});

test("a login sends as its own address and as nobody else: envelope, header, two Froms, Sender, null sender", async () => {
  const before = await house.meters(1);
  const attempts: readonly [string, string, string, RegExp][] = [
    ["envelope of ArtGallery", GALLERY, letter(WORKSHOP, GALLERY, "x"), /^553 5\.7\.1/],
    ["envelope of an address of its own domain that is not its own", `boss@${domainOf(2)}`, letter(WORKSHOP, GALLERY, "x"), /^55[03] 5\.[17]\.[01]/],
    ["envelope of a foreign address", "someone@elsewhere.example", letter(WORKSHOP, GALLERY, "x"), /^553 5\.7\.1/],
    ["null sender", "", letter(WORKSHOP, GALLERY, "x"), /^55[03] 5\.7\.1/],
    ["header From of ArtGallery", WORKSHOP, letter(GALLERY, GALLERY, "x"), /^550 5\.7\.1 the from field names an address/],
    ["header From with a friendly name", WORKSHOP, letter(`"${WORKSHOP}" <${GALLERY}>`, GALLERY, "x"), /^550 5\.7\.1/],
    ["two addresses in From", WORKSHOP, letter(`${WORKSHOP}, ${GALLERY}`, GALLERY, "x"), /^550 5\.7\.1/],
    ["two From fields", WORKSHOP, `From: ${GALLERY}\r\n${letter(WORKSHOP, GALLERY, "x")}`, /^550 5\.7\.1 the message has 2 From fields/],
    ["From with a tab before the colon", WORKSHOP, `From\t: ${GALLERY}\r\n${letter(WORKSHOP, GALLERY, "x")}`, /^550 5\.7\.1/],
    ["Sender of ArtGallery", WORKSHOP, letter(WORKSHOP, GALLERY, "x", `Sender: ${GALLERY}\r\n`), /^550 5\.7\.1 the sender field/],
    ["Resent-From of ArtGallery", WORKSHOP, letter(WORKSHOP, GALLERY, "x", `Resent-From: ${GALLERY}\r\n`), /^550 5\.7\.1 the resent-from field/],
  ];
  for (const [what, envelopeFrom, raw, wanted] of attempts) assert.match(await house.submit(workshop, { envelopeFrom, to: GALLERY, raw }), wanted, what);
  assert.deepEqual(await house.meters(1), before, "nothing arrived");
});

test("the submission services: no AUTH before TLS, no sending without AUTH, TLS from the start on the other port", async () => {
  const { listenAddress: host, ports } = house.site;
  const [, ehlo, mail] = await talk(host, ports.submission, ["EHLO x.example", `MAIL FROM:<${WORKSHOP}>`]);
  assert.match(ehlo ?? "", /STARTTLS/);
  assert.doesNotMatch(ehlo ?? "", /AUTH/);
  assert.match(mail ?? "", /^530 5\.7\.0 Must issue a STARTTLS/);
  assert.match(await house.submit(workshop, { to: GALLERY, raw: letter(WORKSHOP, GALLERY, "465") }, "submissions"), /^250 2\.0\.0/);
  assert.match(await house.submit({ ...workshop, password: "wrong" }, { to: GALLERY, raw: letter(WORKSHOP, GALLERY, "x") }), /^535 5\.7\.8/);
  assert.match(await house.submit(workshop, { to: `nobody@${domainOf(1)}`, raw: letter(WORKSHOP, GALLERY, "x") }), /^550 5\.1\.1/, "unknown recipients are refused at once");
});

test("strangers: no relaying in any spelling, no hosted sender, no AUTH; their honest mail arrives without a forged attribution", async () => {
  const { listenAddress: host, ports } = house.site;
  const outside = "b@elsewhere.example";
  for (const recipient of [outside, `"${outside}"`, `b%elsewhere.example@${domainOf(1)}`, `@${domainOf(1)}:${outside}`, `elsewhere.example!b@${domainOf(1)}`]) {
    const replies = await talk(host, ports.smtp, ["EHLO x.example", "MAIL FROM:<a@x.example>", `RCPT TO:<${recipient}>`]);
    assert.match(replies[3] ?? "", /^5\d\d /, recipient);
  }
  const relay = await talk(host, ports.smtp, ["EHLO x.example", "MAIL FROM:<a@x.example>", `RCPT TO:<${outside}>`]);
  assert.match(relay[3] ?? "", RELAY_DENIED);
  assert.match(relay[1] ?? "", /STARTTLS/);
  assert.doesNotMatch(relay[1] ?? "", /AUTH/);
  for (const sender of [WORKSHOP, `nobody@${domainOf(2)}`, `a@sub.${domainOf(2)}`]) {
    const replies = await talk(host, ports.smtp, ["EHLO x.example", `MAIL FROM:<${sender}>`, `RCPT TO:<${GALLERY}>`]);
    assert.match(replies[3] ?? "", /^55[03] 5\./, sender);
  }
  const send = async (body: string) => (await talk(host, ports.smtp, ["EHLO x.example", "MAIL FROM:<a@x.example>", `RCPT TO:<${GALLERY}>`, "DATA", `${body}\r\n.`]))[5] ?? "";
  assert.match(await send(`From: ${WORKSHOP}\r\nSubject: x\r\n\r\nx`), /^550 5\.7\.1 the message says it is from imvu002\.world/);
  assert.match(await send(`From: x <a@x.example>, (c) <hello@(c)${domainOf(2)}>\r\n\r\nx`), /^550 5\.7\.1/);
  assert.match(await send(`From: a@x.example\r\nFrom: ${WORKSHOP}\r\n\r\nx`), /^550 5\.7\.1 the message has 2 From fields/);
  const before = await house.meters(1);
  assert.match(await send(`From: a@x.example\r\nSubject: honest\r\nX-Nexus-Attribution: imvu=IMVU-002; mailbox=${WORKSHOP}; queue=4jXyY61yhBzJKTd\r\n\r\nx`), /^250 2\.0\.0/);
  const inbox = await house.waitFor(gallery.user, gallery.password, 3);
  const honest = inbox.find((message) => message.source.includes("Subject: honest"));
  assert.ok(honest);
  assert.doesNotMatch(honest.source, /X-Nexus-Attribution/i);
  await sleep(200);
  assert.equal((await house.meters(1))["mail.received"], (before["mail.received"] ?? 0) + 1);
});

test("a message of a hosted domain that comes back from outside is taken when its signature still holds", async () => {
  const [signed] = await house.read(gallery.user, gallery.password);
  const source = (signed?.source ?? "").replace(/^[\s\S]*?(?=^DKIM-Signature:)/m, "");
  const { listenAddress: host, ports } = house.site;
  const send = async (body: string) => (await talk(host, ports.smtp, ["EHLO list.example", "MAIL FROM:<list@list.example>", `RCPT TO:<${GALLERY}>`, "DATA", `${body.replace(/^\./gm, "..")}.`]))[5] ?? "";
  // What the platform attributes it attributes itself: the copy that comes back has lost that field, and with it the signature over it.
  assert.match(await send(source), /^250 2\.0\.0/);
  assert.match(await send(source.replace("Dear reader", "Dear victim")), /^550 5\.7\.1/);
});

test("IMAP: plain text logins are refused without TLS, other logins are somebody else's", async () => {
  await assert.rejects(house.imap(gallery.user, gallery.password, { tls: false }).connect());
  await assert.rejects(house.imap(gallery.user, workshop.password).connect());
  await assert.rejects(house.imap("IMVU-001", gallery.password).connect());
  assert.ok((await house.read(gallery.user.toUpperCase(), gallery.password)).length > 0, "logins are not case sensitive");
});

test("messages are counted in all folders of a box, as Dovecot knows them", async () => {
  const address = `count@${domainOf(2)}` as MailAddress;
  const before = house.desired.get(imvuIdOf(2))?.mailboxes ?? [];
  await house.order(2, [...before, await house.mailbox(address, "abacus")]);
  assert.equal(await house.room.messagesIn(imvuIdOf(2), address), 0, "a box nobody has opened yet");
  const client = house.imap(address, "abacus");
  await client.connect();
  try {
    await client.append("INBOX", letter(address, address, "one"));
    for (const folder of ["Sold 2026", "Sold 2026/Käufer & Co", "12"]) {
      await client.mailboxCreate(folder);
      await client.append(folder, letter(address, address, folder), ["\\Seen"]);
    }
    await client.append("12", letter(address, address, "two"), ["\\Deleted"]);
    await client.mailboxCreate("empty");
  } finally {
    await client.logout();
  }
  assert.equal(await house.room.messagesIn(imvuIdOf(2), address), 5);
  await assert.rejects(house.room.messagesIn(imvuIdOf(1), address), (error: unknown) => error instanceof Fault && error.code === "MAIL_NOT_THEIRS");
  await house.order(2, before);
  await assert.rejects(house.room.messagesIn(imvuIdOf(2), address), (error: unknown) => error instanceof Fault && error.code === "MAIL_NOT_THEIRS", "a box that was removed");
});

test("a full mailbox answers 552 at SMTP time", async () => {
  const full = `full@${domainOf(1)}`;
  await house.order(1, [...(house.desired.get(imvuIdOf(1))?.mailboxes ?? []), await house.mailbox(full, "tiny", 6_000)]);
  const padding = `${"x".repeat(70)}\r\n`.repeat(90);
  const send = () => house.submit(workshop, { to: full, raw: `${letter(WORKSHOP, full, "big")}${padding}` });
  const { listenAddress: host, ports } = house.site;
  const announced = await talk(host, ports.smtp, ["EHLO x.example", "MAIL FROM:<a@x.example> SIZE=7000", `RCPT TO:<${full}>`]);
  assert.match(announced[3] ?? "", /^552 5\.2\.2/, "refused by the size it announces");
  assert.match(await send(), /^552 5\.2\.2/, "refused by the size it has");
  assert.match(await house.submit(workshop, { to: full, raw: letter(WORKSHOP, full, "fits") }), /^250/);
  await house.waitFor(full, "tiny", 1);
  assert.match(await send(), /^552 5\.2\.2/);
  assert.equal((await house.read(full, "tiny")).length, 1);
});

test("steps: a mailbox works the moment it is opened, changes its password and quota, and is gone the moment it is removed", async () => {
  const imvu = imvuIdOf(3);
  const address = `new@${domainOf(3)}`;
  const { fabric } = house.room;
  const refused = async () => (await talk(house.site.listenAddress, house.site.ports.smtp, ["EHLO x.example", "MAIL FROM:<a@x.example>", `RCPT TO:<${address}>`]))[3] ?? "";
  assert.match(await refused(), RELAY_DENIED);
  const started = performance.now();
  assert.equal(await house.order(3, [await house.mailbox(address, "first")]), 2);
  const took_ms = performance.now() - started;
  assert.deepEqual(await house.read(address, "first"), []);
  assert.ok(took_ms < 5_000, `${took_ms} ms`);
  assert.equal(await house.converge(imvu), 0, "nothing is left to do");
  const box = join(house.site.dir, "mail/boxes", imvu, address);
  const uid = imvuUidBase(house.site, 3);
  const seen = await stat(box);
  assert.deepEqual([seen.uid, seen.gid, seen.mode & 0o777], [uid, uid, 0o700]);
  const key = await stat(join(house.site.dir, "mail/dkim", imvu, "nexus-rsa.pem"));
  assert.deepEqual([key.uid, key.mode & 0o777], [0, 0o600]);

  assert.equal(await house.order(3, [await house.mailbox(address, "second", 1_048_576)]), 1);
  await assert.rejects(house.imap(address, "first").connect());
  assert.deepEqual(await house.read(address, "second"), []);

  const hostile = await house.putHash(`{PLAIN}x\nuid=0`);
  const [step] = fabric.plan(imvu, { ...(house.desired.get(imvu) as MailDesired), mailboxes: [{ address: address as MailAddress, passwordHash: hostile, quotaBytes: 1_048_576 }] }, await fabric.observe(imvu));
  await assert.rejects(async () => step?.do(), (error: unknown) => error instanceof Fault && error.code === "MAIL_PASSWORD_BLOB");
  await step?.undo();
  assert.deepEqual(await house.read(address, "second"), [], "what was before is again");

  const removal = fabric.plan(imvu, undefined, await fabric.observe(imvu));
  for (const one of removal) await one.do();
  for (const one of removal) await one.do();
  assert.match(await refused(), RELAY_DENIED);
  await assert.rejects(house.imap(address, "second").connect());
  await assert.rejects(stat(join(house.site.dir, "mail/boxes", imvu)));
  assert.deepEqual(await fabric.observe(imvu), { domains: [], mailboxes: [] });
  await house.room.removeDkimKeys(imvu);
  await house.room.removeDkimKeys(imvu);
  house.desired.delete(imvu);
});

test("a create that fails is undone without a trace, also when the step never ran", async () => {
  const imvu = imvuIdOf(4);
  const { fabric } = house.room;
  const missing = "0".repeat(64) as Sha256;
  const desired = { imvu, number: 4, domain: domainOf(4), dkim: [], mailboxes: [{ address: `a@${domainOf(4)}` as MailAddress, passwordHash: missing, quotaBytes: 1_048_576 }] };
  const steps = fabric.plan(imvu, desired, await fabric.observe(imvu));
  await steps[0]?.do();
  await assert.rejects(async () => steps[1]?.do());
  for (const step of steps.toReversed()) await step.undo();
  assert.deepEqual(await fabric.observe(imvu), { domains: [], mailboxes: [] });
});

test("DKIM keys are made once and found again", async () => {
  const imvu = imvuIdOf(1);
  const again = await house.room.createDkimKeys(imvu, domainOf(1));
  assert.deepEqual(again, house.desired.get(imvu)?.dkim);
  assert.deepEqual(again.map((key) => key.algorithm).sort(), ["ed25519-sha256", "rsa-sha256"]);
});

test("the probes of gates 5, 14 and 16 ask the running servers, and say broken when something is", async () => {
  const { fabric } = house.room;
  const before = await house.meters(1);
  for (const gate of [5, 14, 16] as const) {
    for (const imvu of [imvuIdOf(1), undefined]) {
      const evidence = await fabric.probe(gate, imvu);
      assert.equal(evidence.verdict, "holds", `${gate} ${imvu}: ${evidence.detail}`);
    }
  }
  assert.deepEqual(await house.meters(1), before, "a probe is not metered");
  assert.equal((await fabric.probe(5, imvuIdOf(9))).verdict, "unproven");
  assert.equal((await fabric.probe(16, imvuIdOf(9))).verdict, "unproven");
  const box = join(house.site.dir, "mail/boxes/IMVU-001", GALLERY);
  await chmod(box, 0o755);
  assert.equal((await fabric.probe(16, imvuIdOf(1))).verdict, "broken");
  await chmod(box, 0o700);
  const wanted = house.desired.get(imvuIdOf(1));
  house.desired.set(imvuIdOf(1), { ...(wanted as MailDesired), mailboxes: wanted?.mailboxes.slice(1) ?? [] });
  assert.equal((await fabric.probe(14, imvuIdOf(1))).verdict, "broken");
  house.desired.set(imvuIdOf(1), wanted as MailDesired);
});

test("storage follows every letter at once; while no box moves, Dovecot is not asked, and when some do it is asked about all of them once", async () => {
  const ids = [imvuIdOf(1), imvuIdOf(2)];
  const read = async () => {
    const { answer, ...asked } = await started(() => Promise.all(ids.map((id) => house.room.fabric.meter(id))));
    return { bytes: answer.map((readings) => Number(readings.find(({ resource }) => resource === "mail.storage")?.value)), ...asked };
  };
  const { bytes: [first = 0, second = 0] } = await read();
  const clients = await Promise.all([gallery, workshop].map(async ({ user, password }) => {
    const client = house.imap(user, password);
    await client.connect();
    return client;
  }));
  try {
    for (const client of clients) await client.mailboxCreate("Kept");
    for (const client of clients) await client.append("Kept", letter(GALLERY, GALLERY, "kept"), ["\\Seen"]);
    const size = letter(GALLERY, GALLERY, "kept").length;
    assert.deepEqual(await read(), { bytes: [first + size, second + size], processes: 0, connections: 1 });
    await clients[0]?.append("Kept", letter(GALLERY, GALLERY, "more"));
    assert.deepEqual((await read()).bytes, [first + 2 * size, second + size]);
    // Until a further change could not leave the same times.
    await sleep(2_500);
    assert.equal((await read()).connections, 1);
    assert.deepEqual(await read(), { bytes: [first + 2 * size, second + size], processes: 0, connections: 0 });
    await clients[0]?.append("INBOX", letter(GALLERY, GALLERY, "late"));
    assert.deepEqual(await read(), { bytes: [first + 3 * size, second + size], processes: 0, connections: 1 });
    for (const client of clients) await client.mailboxDelete("Kept");
    assert.deepEqual((await read()).bytes, [first + size, second]);
  } finally {
    for (const client of clients) await client.logout();
  }
});

test("doctor finds engines, users and ports", async () => {
  for (const finding of await house.room.doctor()) assert.ok(finding.ok, `${finding.what}: ${finding.detail}`);
});

test("after a restart mail is put off until the steps have run, then everything is as it was, counters included", async () => {
  const ids: readonly ImvuId[] = [imvuIdOf(1), imvuIdOf(2)];
  const before = await Promise.all(ids.map((id) => house.room.fabric.meter(id)));
  await house.down();
  await house.up();
  const { listenAddress: host, ports } = house.site;
  const [, , , early] = await talk(host, ports.smtp, ["EHLO x.example", "MAIL FROM:<a@x.example>", `RCPT TO:<${GALLERY}>`]);
  assert.match(early ?? "", /^4\d\d /, "put off, not refused");
  assert.match((await talk(host, ports.smtp, ["EHLO x.example", `MAIL FROM:<${WORKSHOP}>`, `RCPT TO:<${GALLERY}>`]))[3] ?? "", /^[45]\d\d /);
  for (const id of ids) assert.ok((await house.converge(id)) > 0);
  assert.deepEqual(await Promise.all(ids.map((id) => house.room.fabric.meter(id))), before);
  assert.match(await house.submit(workshop, { to: GALLERY, raw: letter(WORKSHOP, GALLERY, "again") }), /^250/);
  for (let tries = 0; tries < 50 && (await house.meters(2))["mail.sent"] === Number(before[1]?.[0]?.value); tries += 1) await sleep(100);
  assert.equal((await house.meters(2))["mail.sent"], Number(before[1]?.[0]?.value) + 1);
});

test("when our servers are down senders are told to try later, and nothing gets past them", async () => {
  await house.room.close();
  const { listenAddress: host, ports } = house.site;
  const [, , sender, rcpt] = await talk(host, ports.smtp, ["EHLO x.example", "MAIL FROM:<a@x.example>", `RCPT TO:<${GALLERY}>`]);
  assert.match(`${sender}\n${rcpt}`, /^4\d\d /m);
  assert.doesNotMatch(rcpt ?? "", /^2/);
  assert.match(await house.submit(workshop, { to: GALLERY, raw: letter(WORKSHOP, GALLERY, "x") }), /^4\d\d |^454/);
  await house.room.open();
  for (const id of house.desired.keys()) await house.converge(id);
  assert.match(await house.submit(workshop, { to: GALLERY, raw: letter(WORKSHOP, GALLERY, "y") }), /^250/);
});

test("the engines' logs hold no faults", async () => {
  const log = await readFile(join(house.site.dir, "log/mail.log"), "utf8");
  assert.deepEqual(log.match(/^.*: (fatal|panic|error): .*$/gm), null);
});
