import type { Socket } from "node:net";
import { PassThrough } from "node:stream";
import { ATTRIBUTION_FIELD, attributionValue } from "../identity-binding/attribution.ts";
import { type Account, type Directory, domainOf } from "../identity-binding/directory.ts";
import { type HeaderField, judgeOwnHeader, nameOf, zonesClaimedBy } from "../identity-binding/sender-rules.ts";
import { type Signer, startSigning, type TxtResolver, verifySignatures } from "./dkim.ts";
import type { SigningKey } from "./keys.ts";
import { ACCEPT, CONTINUE, deleteHeader, insertHeader, negotiate, type Packet, PacketReader, replyCode, TEMPFAIL, textsOf } from "./milter-protocol.ts";

/**
 * Stands before the queue: refuses spoofed headers, signs and attributes what logins send, and takes forged attributions
 * out of what strangers send. It never says "accept" for what it could not do: Postfix then tells the sender to try later.
 */
export interface MilterDeps {
  readonly directory: Directory;
  keysOf(account: Account): Promise<readonly SigningKey[]>;
  /** Durable before it resolves. */
  reserve(queueId: string, account: Account): Promise<void>;
  /** For signatures of hosted zones on mail that comes from outside. */
  readonly resolver: TxtResolver;
  now(): Date;
  /** A line for the log when a message had to be put off. */
  say(line: string): void;
}

const HEADER_BYTES_MAX = 512 * 1024;

interface Message {
  login: string;
  queueId: string;
  readonly header: HeaderField[];
  header_bytes: number;
  /** Where the header and body flow: a signer's or a verifier's input; undefined while nobody needs them. */
  sink: PassThrough | undefined;
  finish: (() => Promise<readonly Buffer[]>) | undefined;
}

export async function serveMilter(deps: MilterDeps, socket: Socket): Promise<void> {
  const reader = new PacketReader();
  let message = blank();
  try {
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      for (const { command, data } of reader.push(chunk)) {
        if (command === "Q") return;
        if (command === "O") socket.write(negotiate(data));
        else if (command === "A") message = restart(message);
        // Another connection over the same socket.
        else if (command === "K") message = restart(message);
        else if (command === "M") message = { ...restart(message), login: message.login, queueId: message.queueId };
        else await onPacket(deps, socket, message, { command, data });
        // The next message on this connection brings its own login and queue id.
        if (command === "E") message = restart(message);
      }
    }
  } finally {
    message.sink?.destroy();
  }
}

async function onPacket(deps: MilterDeps, socket: Socket, message: Message, { command, data }: Packet): Promise<void> {
  switch (command) {
    case "D":
      return takeMacros(message, data);
    case "L": {
      const [name, value] = textsOf(data);
      message.header_bytes += data.length;
      if (message.header_bytes <= HEADER_BYTES_MAX) message.header.push({ name: name ?? "", value: value ?? "" });
      return;
    }
    case "N":
      socket.write(await answer(deps, message, () => onHeaderEnd(deps, message)));
      return;
    case "B":
      return await feed(message, data);
    case "E":
      await feed(message, data);
      socket.write(await answer(deps, message, async () => {
        message.sink?.end();
        return Buffer.concat(message.finish ? await message.finish() : [TEMPFAIL]);
      }));
      return;
    default:
      // Commands that were not asked for are answered all the same: Postfix waits for a word.
      socket.write(CONTINUE);
  }
}

async function answer(deps: MilterDeps, message: Message, work: () => Promise<Buffer>): Promise<Buffer> {
  try {
    return await work();
  } catch (error) {
    deps.say(`milter: message ${message.queueId} put off: ${(error as Error).message}`);
    message.sink?.destroy();
    return TEMPFAIL;
  }
}

/** Decides what becomes of the message as soon as its header is known. */
async function onHeaderEnd(deps: MilterDeps, message: Message): Promise<Buffer> {
  if (message.header_bytes > HEADER_BYTES_MAX) return replyCode(`552 5.3.4 the message's header is larger than ${HEADER_BYTES_MAX} bytes`);
  if (message.login === "") return onStranger(deps, message);
  const standing = deps.directory.account(message.login);
  if (standing.is !== "known") return standing.is === "pending" ? TEMPFAIL : replyCode("550 5.7.1 this login has no mailbox");
  const account = standing.value;
  const verdict = judgeOwnHeader(account, message.header);
  if (verdict.is === "refuse") return replyCode(`550 ${verdict.reply}`);
  if (message.queueId === "") return TEMPFAIL;
  const keys = await deps.keysOf(account);
  if (keys.length === 0) throw new Error(`there is no signing key for ${domainOf(account.address)}`);
  const attribution: HeaderField = { name: ATTRIBUTION_FIELD, value: ` ${attributionValue(account, message.queueId)}` };
  const signer: Signer = startSigning(domainOf(account.address), keys, deps.now());
  const kept = message.header.filter((field) => !isAttribution(field));
  await begin(message, signer.input, [attribution, ...kept]);
  message.finish = async () => {
    const signatures = await signer.signatures;
    await deps.reserve(message.queueId, account);
    return [
      ...stripAttributions(message.header),
      insertHeader(0, attribution.name, attribution.value),
      ...signatures.map((value) => insertHeader(0, "DKIM-Signature", value)),
      ACCEPT,
    ];
  };
  return CONTINUE;
}

async function onStranger(deps: MilterDeps, message: Message): Promise<Buffer> {
  const froms = message.header.filter((field) => nameOf(field) === "from").length;
  if (froms !== 1) return replyCode(`550 5.7.1 the message has ${froms} From fields; it must have one`);
  const zones = zonesClaimedBy(deps.directory, message.header);
  message.finish = async () => [...stripAttributions(message.header), ACCEPT];
  if (zones.length === 0) return CONTINUE;
  const sink = new PassThrough();
  const verifying = verifySignatures(sink, deps.resolver);
  verifying.catch(() => sink.destroy());
  await begin(message, sink, message.header);
  message.finish = async () => {
    const signed = new Set((await verifying).filter((signature) => signature.passes).map((signature) => signature.domain));
    const unsigned = zones.find((zone) => !signed.has(zone));
    if (unsigned !== undefined) return [replyCode(`550 5.7.1 the message says it is from ${unsigned} and carries no valid signature of it`)];
    return [...stripAttributions(message.header), ACCEPT];
  };
  return CONTINUE;
}

async function begin(message: Message, sink: PassThrough, header: readonly HeaderField[]): Promise<void> {
  message.sink = sink;
  const lines = header.map(({ name, value }) => `${name}:${value.replace(/\r?\n/g, "\r\n")}\r\n`);
  await write(sink, Buffer.from(`${lines.join("")}\r\n`, "latin1"));
}

async function feed(message: Message, data: Buffer): Promise<void> {
  if (message.sink && data.length > 0) await write(message.sink, data);
}

async function write(sink: PassThrough, data: Buffer): Promise<void> {
  if (sink.destroyed || sink.write(data)) return;
  // A signer that failed destroys its input: waiting for its appetite would be waiting for ever.
  await new Promise<void>((resolve) => {
    const done = () => {
      sink.off("drain", done).off("close", done);
      resolve();
    };
    sink.on("drain", done).on("close", done);
  });
}

function takeMacros(message: Message, data: Buffer): void {
  const [, ...pairs] = [data[0], ...textsOf(data.subarray(1))];
  for (let index = 0; index + 1 < pairs.length; index += 2) {
    const value = String(pairs[index + 1]);
    if (pairs[index] === "{auth_authen}" && String.fromCharCode(data[0] as number) === "M") message.login = value;
    if (pairs[index] === "i") message.queueId = value;
  }
}

/** From the last to the first, so that the numbers of those still there do not change. */
function stripAttributions(header: readonly HeaderField[]): readonly Buffer[] {
  const names = header.filter(isAttribution).map((field) => field.name);
  return names.map((name, index) => deleteHeader(name, index + 1)).reverse();
}

function isAttribution(field: HeaderField): boolean {
  return nameOf(field) === ATTRIBUTION_FIELD.toLowerCase();
}

function restart(message: Message): Message {
  message.sink?.destroy();
  return blank();
}

function blank(): Message {
  return { login: "", queueId: "", header: [], header_bytes: 0, sink: undefined, finish: undefined };
}

