import assert from "node:assert/strict";
import type { NewEntry, Receipt, SignedCommand } from "../../src/contract/index.ts";
import { commandFields, createIdentityKey, signCommand, type SigningKey } from "../../src/core/identity/index.ts";
import { type Json, sha256Hex, sleep } from "../../src/kernel/index.ts";
import type { ServiceProcess } from "./service-process.ts";

/** What somebody was told for certain, to be held against the log at the end. */
export interface Acknowledged {
  readonly digest: string;
  readonly accepted: boolean;
  readonly receipts: readonly Receipt[];
}

export class Memory {
  readonly commands: Acknowledged[] = [];
  readonly entries = new Map<string, Receipt>();
  /** Every token ever sent, acknowledged or not. */
  readonly tokens = new Set<string>();
  readonly digests = new Set<string>();
  unclear = 0;
  sentAgain = 0;
  busy = 0;
  readonly reasons = new Map<string, number>();
}

const BUSY_WAIT_MS = 250;
const UNCLEAR_WAIT_MS = 20;
const ASK_AGAIN_EVERY = 7;

/**
 * Registers an identity, then sends commands with its real signature: registrations of new identities, which are accepted, and of names
 * that are taken, which are refused. A command with an unclear answer is sent again as it is until the answer is clear; some are sent
 * once more afterwards. @param until the last command is finished even after it says so.
 */
export async function commandClient(service: ServiceProcess, who: string, memory: Memory, until: () => boolean): Promise<void> {
  const key = createIdentityKey();
  await command(service, register(who, key, key), memory);
  for (let n = 0; !until(); n += 1) {
    // One new identity for some commands of known ones: keys cost nothing, so the platform takes few strangers at a time.
    const newcomer = createIdentityKey();
    const signed = n % 8 === 0 ? register(`${who}-${n}`, newcomer, newcomer) : register(who, key, newcomer);
    const first = await command(service, signed, memory);
    if (n % ASK_AGAIN_EVERY !== 0) continue;
    const again = await command(service, signed, memory);
    memory.sentAgain += 1;
    assert.deepEqual(again.receipts.map(({ index, body }) => [index, body]), first.receipts.map(({ index, body }) => [index, body]), "the same command answers its first outcome");
  }
}

function register(name: string, signer: SigningKey, owner: SigningKey): SignedCommand {
  return signCommand(commandFields("identity.register", null, { name, publicKey: owner.publicKey.text }, Date.now()), signer);
}

async function command(service: ServiceProcess, signed: SignedCommand, memory: Memory): Promise<Acknowledged> {
  const digest = sha256Hex(Buffer.from(signed.payload, "base64url"));
  memory.digests.add(digest);
  for (;;) {
    const answer = await service.ask({ command: signed });
    if ("unclear" in answer) {
      await unclear(memory, answer.unclear);
      continue;
    }
    const outcome = answer.outcome as unknown as { ok: true; value: { receipt: Receipt; outcome: { receipt: Receipt } } } | { ok: false; kind: string; code: string; receipt?: Receipt };
    if (!outcome.ok && outcome.kind === "busy") {
      memory.busy += 1;
      await sleep(BUSY_WAIT_MS);
      continue;
    }
    assert.ok(outcome.ok || (outcome.kind === "gate" && outcome.receipt), `${JSON.stringify(outcome)}`);
    const receipts = outcome.ok ? [outcome.value.receipt, outcome.value.outcome.receipt] : [outcome.receipt as Receipt];
    const acknowledged = { digest, accepted: outcome.ok, receipts };
    memory.commands.push(acknowledged);
    return acknowledged;
  }
}

/** Appends without a command behind it: nobody knows the outcome of an unclear one, so it is never sent again. */
export async function appendClient(service: ServiceProcess, who: string, memory: Memory, until: () => boolean): Promise<void> {
  for (let n = 0; !until(); n += 1) {
    const token = `${who}-${n}`;
    memory.tokens.add(token);
    const entry: NewEntry = { stream: who, type: "statement.closed", actor: "platform", data: { token, pad: "x".repeat(n % 400) } satisfies Json };
    const answer = await service.ask({ entry });
    if ("unclear" in answer) await unclear(memory, answer.unclear);
    else memory.entries.set(token, (answer.outcome as unknown as { receipt: Receipt }).receipt);
  }
}

async function unclear(memory: Memory, why: string): Promise<void> {
  memory.unclear += 1;
  const reason = why.replace(/\d+/g, "N").slice(0, 80);
  memory.reasons.set(reason, (memory.reasons.get(reason) ?? 0) + 1);
  await sleep(UNCLEAR_WAIT_MS);
}
