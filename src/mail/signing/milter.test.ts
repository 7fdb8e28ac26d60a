import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import type { Socket } from "node:net";
import { duplexPair } from "node:stream";
import test from "node:test";
import type { Fqdn, ImvuId, MailAddress } from "../../kernel/index.ts";
import { Directory } from "../identity-binding/directory.ts";
import { verifySignatures } from "./dkim.ts";
import { signingKey } from "./keys.ts";
import { type MilterDeps, serveMilter } from "./milter.ts";
import { packet, PacketReader, textsOf } from "./milter-protocol.ts";

const OWN = "hello@imvu001.world";
const QUEUE = "4jXyY61yhBzJKTd";
const key = signingKey("e", generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString());
const resolver = async () => [[key.txt]];
const directory = new Directory();
directory.announceDomain("imvu001.world" as Fqdn, "IMVU-001" as ImvuId);
directory.announceAccount({ address: OWN as MailAddress, imvu: "IMVU-001" as ImvuId, uid: 1, home: "/x", password: "x", quotaBytes: 1, probe: false });
directory.expect("late@imvu003.world" as MailAddress, "IMVU-003" as ImvuId);

interface Sent {
  readonly login?: string;
  readonly queueId?: string;
  readonly header: readonly (readonly [string, string])[];
  readonly body?: string;
}

/** What the milter answers to each message, as `letter text`; and what it reserved and said. */
async function converse(messages: readonly Sent[], more: Partial<MilterDeps> = {}) {
  const [near, far] = duplexPair();
  const reserved: string[] = [];
  const said: string[] = [];
  const deps: MilterDeps = {
    directory,
    keysOf: async () => [key],
    reserve: async (queueId, account) => {
      reserved.push(`${queueId} ${account.imvu}`);
    },
    resolver,
    now: () => new Date(),
    say: (line) => said.push(line),
    ...more,
  };
  const serving = serveMilter(deps, near as unknown as Socket);
  const reader = new PacketReader();
  const answers: string[] = [];
  const inserted: string[] = [];
  let answered = () => {};
  far.on("data", (chunk: Buffer) => {
    for (const { command, data } of reader.push(chunk)) {
      const [first = "", second = ""] = textsOf(command === "y" ? data : data.subarray(4));
      if (command === "i") inserted.unshift(`${first}:${second}`);
      answers.push(`${command} ${first} ${command === "m" ? data.readUInt32BE(0) : ""}`.trim());
      if ("acty".includes(command)) answered();
    }
  });
  // As Postfix does: a question, then its answer; after a refusal nothing more of that message.
  const ask = async (...packets: readonly Buffer[]) => {
    const word = new Promise<void>((resolve) => {
      answered = resolve;
    });
    for (const one of packets) far.write(one);
    await word;
    return answers.at(-1);
  };
  const nul = (...texts: readonly string[]) => Buffer.from(texts.map((text) => `${text}\0`).join(""), "latin1");
  for (const { login = "", queueId = QUEUE, header, body = "text\r\n" } of messages) {
    // Without a login Postfix does not send its macro at all.
    far.write(packet("D", Buffer.from("M"), nul(...(login ? ["{auth_authen}", login] : []), "i", queueId)));
    far.write(packet("M", nul("<x@y.example>")));
    if ((await ask(...header.map(([name, value]) => packet("L", nul(name, value))), packet("N"))) !== "c") continue;
    await ask(packet("B", Buffer.from(body, "latin1")), packet("E"));
  }
  far.write(packet("Q"));
  await serving;
  return { answers, inserted, reserved, said };
}

const plain = [["From", ` ${OWN}`], ["Subject", " one"]] as const;

test("a login's message: reserved, attributed, signed; forged attributions go, the last one first", async () => {
  const forged = [["X-Nexus-Attribution", " imvu=IMVU-999"], ["x-nexus-attribution", " again"]] as const;
  const { answers, inserted, reserved } = await converse([{ login: OWN, header: [...plain, ...forged] }]);
  assert.deepEqual(answers, ["c", "m x-nexus-attribution 2", "m X-Nexus-Attribution 1", "i X-Nexus-Attribution", "i DKIM-Signature", "a"]);
  assert.deepEqual(reserved, [`${QUEUE} IMVU-001`]);
  assert.equal(inserted[1], `X-Nexus-Attribution: imvu=IMVU-001; mailbox=${OWN}; queue=${QUEUE}`);
  const message = [...inserted.map((line) => line.replaceAll("\n", "\r\n")), ...plain.map(([name, value]) => `${name}:${value}`), "", "text", ""].join("\r\n");
  const verified = await verifySignatures(Buffer.from(message, "latin1"), resolver);
  assert.deepEqual(verified.map(({ domain, passes }) => [domain, passes]), [["imvu001.world", true]]);
});

test("the header must say who the login is; nothing that was refused is reserved", async () => {
  const header: readonly (readonly (readonly [string, string])[])[] = [
    [["Subject", " none"]],
    [...plain, ["From", " boss@imvu001.world"]],
    [["From", " boss@imvu001.world"]],
    [["From\t", ` "${OWN}" <x@y.example>`]],
    [...plain, ["Sender", " x@y.example"]],
  ];
  const { answers, reserved } = await converse(header.map((one) => ({ login: OWN, header: one })));
  const refusals = answers.filter((answer) => answer.startsWith("y 550 5.7.1"));
  assert.equal(refusals.length, header.length, answers.join());
  assert.deepEqual(reserved, []);
});

test("what cannot be judged, signed or written down is put off", async () => {
  const first = async (sent: Partial<Sent>, more: Partial<MilterDeps> = {}) => {
    const { answers, said } = await converse([{ login: OWN, header: plain, ...sent }], more);
    return { answer: answers.find((answer) => answer !== "c"), said };
  };
  assert.equal((await first({ login: "late@imvu003.world" })).answer, "t");
  assert.match((await first({ login: "ghost@imvu001.world" })).answer ?? "", /^y 550 5\.7\.1/);
  assert.equal((await first({ queueId: "" })).answer, "t");
  const keyless = await first({}, { keysOf: async () => [] });
  assert.equal(keyless.answer, "t");
  assert.match(keyless.said[0] ?? "", /put off: there is no signing key for imvu001\.world/);
  assert.equal((await first({}, { reserve: async () => { throw new Error("disk full"); } })).answer, "t");
  assert.match((await first({ header: [...plain, ["X", "x".repeat(600_000)]] })).answer ?? "", /^y 552 5\.3\.4/);
});

test("a stranger: one From, no hosted zone without its signature, no attribution of ours", async () => {
  const one = async (header: Sent["header"]) => (await converse([{ header }])).answers;
  assert.deepEqual(await one([["From", " x@y.example"], ["X-Nexus-Attribution", " z"]]), ["c", "m X-Nexus-Attribution 1", "a"]);
  assert.match((await one([["From", " x@y.example"], ["From", " z@y.example"]]))[0] ?? "", /^y 550 5\.7\.1 the message has 2 From/);
  assert.match((await one([["From", ` ${OWN}`]]))[1] ?? "", /^y 550 5\.7\.1 the message says it is from imvu001\.world/);
  const signed = await converse([{ login: OWN, header: plain }]);
  const signature = signed.inserted.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)] as const);
  assert.equal((await one([...signature, ...plain])).at(-1), "a", "one that comes back signed is taken");
});

test("messages on one connection know nothing of one another", async () => {
  const { answers, reserved } = await converse([{ login: OWN, header: plain }, { header: [["From", " x@y.example"]] }, { login: OWN, queueId: "4aaaaaaaaaaaaaa", header: plain }]);
  assert.equal(answers.filter((answer) => answer === "a").length, 3);
  assert.deepEqual(reserved, [`${QUEUE} IMVU-001`, "4aaaaaaaaaaaaaa IMVU-001"]);
});
