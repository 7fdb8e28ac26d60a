import { readFile, writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { RECOVERY_WAIT_MS, type SignedCommand } from "../../contract/index.ts";
import {
  addApproval, createIdentityKey, formatRecoveryKey, listStoredIdentities, loadRetiredKey, nextStoredKey, openCommand, parseRecoveryKey, setAsideNextKey, type SigningKey, type StoredIdentity, takeUpNextKey, waitingStoredKey,
} from "../../core/identity/index.ts";
import { type IdentityName, type Json, type KeyId, parseIdentityName, parseKeyId } from "../../kernel/index.ts";
import type { Done } from "../client.ts";
import { Context, must } from "../context.ts";
import { Failure, usageFailure } from "../failure.ts";
import { print } from "../output.ts";
import { newPassphrase, passphraseOf } from "../passphrase.ts";
import { keepReceipt } from "../receipts.ts";
import { knownAs, parseDevice, type Ring, recoveryLines } from "../rings.ts";
import { secretFile, typedSecret } from "../secret-input.ts";

const RECOVERY_FILE = { what: "the recovery key", code: "RECOVERY_KEY_FILE", bytes_max: 1_024 };
const REQUEST_BYTES_MAX = 16 * 1_024;

/** What an identity does with its own keys: each verb signs one command, and the platform's answer decides what the home keeps. */
export function keyVerbs(noun: Command): void {
  noun
    .command("rotate [name]")
    .description("a new key takes the place of this home's; the old one is kept under identities/retired for platforms that know no other")
    .action(async (name: string | undefined, _options, command: Command) => {
      const context = await Context.of(command);
      await rotate(context, await context.signer(name));
    });

  noun
    .command("revoke [name]")
    .description("a key of this identity ends at once, for good")
    .option("--device <device>", "the live key of this machine, as 'identity show' lists it")
    .option("--kid <kid>", "a key by its id")
    .action(async (name: string | undefined, options: { device?: string; kid?: string }, command: Command) => {
      const context = await Context.of(command);
      const who = await context.signer(name);
      const kid = await kidToRevoke(context, who, options);
      const done = await context.command(who, "identity.key.revoke", null, { kid });
      await told(context, done, { name: who.name, revoked: kid }, `${kid} of ${who.name} is revoked`);
    });

  noun
    .command("recovery-key [name]")
    .description("make a recovery key and show it once; one that was set before must be at hand (NEXUS_RECOVERY_KEY_FILE, or typed)")
    .action(async (name: string | undefined, _options, command: Command) => {
      const context = await Context.of(command);
      const who = await context.signer(name);
      const ring = (await (await context.client()).read(who, "/v1/identity")) as unknown as Ring;
      const made = createIdentityKey();
      const signers = [made, ...(ring.recovery ? [await recoveryKey(context, who.name)] : [])];
      const done = await context.submit(signers.reduce(addApproval, context.sign(who.key, "identity.recovery.set", { recoveryKey: made.publicKey.text })));
      const written = formatRecoveryKey(made);
      const receipt = await receiptOf(context, done);
      print(context.output, { name: who.name, recoveryKey: written, receipt }, () => [...recoveryLines(who.name, written), `ledger entry ${receipt.index}`]);
    });

  noun
    .command("recover <name>")
    .description("begin to bring an identity back with its recovery key; three days later, unless an older key objected, --complete ends it")
    .option("--complete", "the three days are over: the new key becomes the only one")
    .option("--device <device>", "what you call this machine")
    .option("--passphrase", "seal the new key with a passphrase")
    .action(async (text: string, options: { complete?: true; device?: string; passphrase?: true }, command: Command) => {
      const context = await Context.of(command);
      const name = must(parseIdentityName(text));
      if (options.complete) await completeRecovery(context, name);
      else await beginRecovery(context, name, options.device === undefined ? undefined : must(parseDevice(options.device)), options.passphrase === true);
    });

  noun
    .command("object [name]")
    .description("say with a live key that you are there: a recovery that waits is over")
    .action(async (name: string | undefined, _options, command: Command) => {
      const context = await Context.of(command);
      const who = await context.signer(name);
      const done = await context.command(who, "identity.recovery.object", null, {});
      await told(context, done, { name: who.name }, `the recovery of ${who.name} is over; your keys are as they were`);
    });

  deviceVerbs(noun.command("device").description("several machines, one identity"));
}

function deviceVerbs(device: Command): void {
  device
    .command("request <name>")
    .description("on the new machine: make a key there, and a request that a machine you use already signs")
    .requiredOption("--device <device>", "what you call the new machine")
    .requiredOption("--out <file>", "where the request is written; it holds nothing secret")
    .option("--passphrase", "seal the new key with a passphrase")
    .action(async (text: string, options: { device: string; out: string; passphrase?: true }, command: Command) => {
      const context = await Context.of(command);
      const name = must(parseIdentityName(text));
      const label = must(parseDevice(options.device));
      const identity = await context.newIdentity(name, { device: label, passphrase: options.passphrase ? must(await newPassphrase(name, context.input)) : undefined });
      const request = context.sign(identity.key, "identity.key.add", { publicKey: identity.key.publicKey.text, device: label });
      await writeFile(options.out, `${JSON.stringify(request)}\n`, { mode: 0o600, flag: "wx" }).catch((error: unknown) => {
        throw usageFailure(`--out: ${options.out} cannot be written: ${(error as Error).message}`, "name a file that is not there yet");
      });
      print(context.output, { name, kid: identity.key.kid, device: label, request: options.out }, () => [`${name} on ${label}  ${identity.key.kid}`, `next, on a machine you use already: nexus identity device add ${options.out}`]);
    });

  device
    .command("add <file>")
    .description("on a machine you use already: take up the new machine's key")
    .action(async (file: string, _options, command: Command) => {
      const context = await Context.of(command);
      const who = await context.signer();
      const request = await requestIn(file);
      const opened = must(openCommand(request));
      if (opened.command.op !== "identity.key.add" || opened.signatures.length !== 1) throw usageFailure(`${file} is no request for a device`, "make one on the new machine: nexus identity device request NAME --device DEVICE --out FILE");
      const { device: label } = opened.command.params;
      // The actor signs first.
      const [mine] = addApproval({ payload: request.payload, signatures: [] }, who.key).signatures;
      const done = await context.submit({ payload: request.payload, signatures: [mine as SignedCommand["signatures"][0], ...request.signatures] });
      const kid = opened.signatures[0]?.kid ?? "";
      await told(context, done, { name: who.name, kid, device: label }, `${label} signs for ${who.name} now, with ${kid}`);
    });
}

/** What a crash left of an earlier rotation goes on where it was; a platform that missed one is brought up to date. */
async function rotate(context: Context, who: StoredIdentity): Promise<void> {
  const { name } = who;
  const known = await knownAs(await context.client(), name);
  if (known === undefined) throw new Failure({ code: "NO_SUCH_IDENTITY", message: `nobody is registered as ${name} on this platform`, hint: `nexus identity register ${name}` }, 4);
  const live = known.keys.filter(({ status }) => status === "live").map(({ kid }) => kid);
  const waiting = await waitingStoredKey(context.identities, name, (of) => passphraseOf(of, context.input));
  if (waiting.ok && live.includes(waiting.value.key.kid)) {
    await takeUpNextKey(context.identities, name);
    print(context.output, { name, kid: waiting.value.key.kid }, () => [`${name} signs with ${waiting.value.key.kid} now`]);
    return;
  }
  if (!live.includes(who.key.kid)) return await catchUp(context, who, known);
  const next = must(await nextStoredKey(context.identities, name, { device: who.device, recovery: who.recovery, passphrase: await samePassphrase(context, name) }, (of) => passphraseOf(of, context.input)));
  const done = await rotateFrom(context, who.key, next.key);
  await takeUpNextKey(context.identities, name);
  await told(context, done, { name, kid: next.key.kid, before: who.key.kid }, `${name} signs with ${next.key.kid} now`);
}

/** This home rotated on another platform: here a retired key is live still, and hands over to the present one. */
async function catchUp(context: Context, who: StoredIdentity, known: Ring): Promise<void> {
  for (const { kid, status } of known.keys) {
    const retired = status === "live" ? await loadRetiredKey(context.identities, who.name, kid, (of) => passphraseOf(of, context.input)) : undefined;
    if (!retired?.ok) continue;
    const done = await rotateFrom(context, retired.value.key, who.key);
    await told(context, done, { name: who.name, kid: who.key.kid, before: kid }, `${who.name} signs with ${who.key.kid} here too now`);
    return;
  }
  throw usageFailure(`no live key of ${who.name} on this platform is in this home`, `sign from a machine that has one, or recover it: nexus identity recover ${who.name}`, "NO_LIVE_KEY");
}

async function rotateFrom(context: Context, old: SigningKey, next: SigningKey): Promise<Done> {
  return await context.submit(addApproval(context.sign(old, "identity.key.rotate", { publicKey: next.publicKey.text }), next));
}

async function beginRecovery(context: Context, name: IdentityName, device: string | undefined, seal: boolean): Promise<void> {
  const recovery = await recoveryKey(context, name);
  const waiting = await waitingStoredKey(context.identities, name, (of) => passphraseOf(of, context.input));
  const { recovering } = (await knownAs(await context.client(), name)) ?? {};
  if (waiting.ok && recovering?.kid === waiting.value.key.kid) {
    const from = new Date(recovering.since_ms + RECOVERY_WAIT_MS).toISOString();
    throw usageFailure(`a recovery of ${name} by this home waits until ${from}`, `then: nexus identity recover ${name} --complete`, "RECOVERY_WAITS");
  }
  if (waiting.ok) await setAsideNextKey(context.identities, waiting.value);
  const passphrase = seal ? must(await newPassphrase(name, context.input)) : undefined;
  const next = must(await nextStoredKey(context.identities, name, { device, recovery: recovery.publicKey.text, passphrase }, (of) => passphraseOf(of, context.input)));
  const params = { name, publicKey: next.key.publicKey.text, ...(device === undefined ? {} : { device }) };
  const done = await context.submit(addApproval(context.sign(recovery, "identity.recovery.begin", params), next.key));
  await told(context, done, { name, kid: next.key.kid }, `the recovery of ${name} has begun; older keys have three days to object. Then: nexus identity recover ${name} --complete`);
}

async function completeRecovery(context: Context, name: IdentityName): Promise<void> {
  const next = must(await waitingStoredKey(context.identities, name, (of) => passphraseOf(of, context.input)));
  const done = await context.command(next, "identity.recovery.complete", null, { name });
  await takeUpNextKey(context.identities, name);
  await told(context, done, { name, kid: next.key.kid }, `${name} is back: ${next.key.kid} is its only key`);
}

async function kidToRevoke(context: Context, who: StoredIdentity, { device, kid }: { readonly device?: string; readonly kid?: string }): Promise<KeyId> {
  if ((device === undefined) === (kid === undefined)) throw usageFailure("name the key: --device DEVICE or --kid KID", `nexus identity show ${who.name}`);
  if (kid !== undefined) return must(parseKeyId(kid));
  const ring = (await (await context.client()).read(who, "/v1/identity")) as unknown as Ring;
  const found = ring.keys.filter((key) => key.device === device && key.ended === null);
  const [only] = found;
  if (!only || found.length !== 1) throw usageFailure(`--device: ${found.length === 0 ? "no live key is" : `${found.length} live keys are`} of ${JSON.stringify(device)}`, `nexus identity show ${who.name} lists them; --kid names one`);
  return only.kid;
}

/** A sealed identity stays sealed by what NEXUS_PASSPHRASE_FILE holds, or is typed. */
async function samePassphrase(context: Context, name: IdentityName): Promise<string | undefined> {
  const listed = (await listStoredIdentities(context.identities)).find((one) => one.name === name);
  return listed?.protected ? must(await newPassphrase(name, context.input)) : undefined;
}

async function recoveryKey(context: Context, name: IdentityName): Promise<SigningKey> {
  const file = process.env.NEXUS_RECOVERY_KEY_FILE;
  if (file) return must(parseRecoveryKey(must(await secretFile(file, "NEXUS_RECOVERY_KEY_FILE", RECOVERY_FILE))));
  if (!context.input || !process.stdin.isTTY || !process.stderr.isTTY) throw usageFailure("the recovery key is needed, and nobody can be asked", "name a file of mode 0600 that holds it in NEXUS_RECOVERY_KEY_FILE, or run this on a terminal", "NO_RECOVERY_KEY");
  return must(parseRecoveryKey(await typedSecret(`recovery key of ${name}: `)));
}

async function requestIn(file: string): Promise<SignedCommand> {
  const text = await readFile(file, "utf8").catch(() => undefined);
  try {
    if (text !== undefined && text.length <= REQUEST_BYTES_MAX) return JSON.parse(text) as SignedCommand;
  } catch {}
  throw usageFailure(`${file} is no request for a device`, "make one on the new machine: nexus identity device request NAME --device DEVICE --out FILE");
}

async function receiptOf(context: Context, done: Done): Promise<{ readonly index: number; readonly file: string }> {
  return { index: done.receipt.index, file: await keepReceipt(context.home, done) };
}

async function told(context: Context, done: Done, document: Record<string, Json>, said: string): Promise<void> {
  const receipt = await receiptOf(context, done);
  print(context.output, { ...document, verdicts: done.verdicts, receipt }, () => [`${said} (ledger entry ${receipt.index})`]);
}
