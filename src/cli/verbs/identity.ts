import type { Command } from "commander";
import { createIdentityKey, formatRecoveryKey, listStoredIdentities, protectStoredIdentity, type StoredIdentity } from "../../core/identity/index.ts";
import { type Json, parseIdentityName } from "../../kernel/index.ts";
import type { Client } from "../client.ts";
import { Context, must } from "../context.ts";
import { EXIT, Failure } from "../failure.ts";
import { print, table } from "../output.ts";
import { newPassphrase, passphraseFrom } from "../passphrase.ts";
import { knownAs, parseDevice, type Ring, recoveryLines, ringLines } from "../rings.ts";
import { keyVerbs } from "./keys.ts";

export function identityVerbs(program: Command): void {
  const noun = program.command("identity").description("keys that live with you; the platform only ever sees public ones");

  noun
    .command("create <name>")
    .description("make an Ed25519 key pair, mode 0600; registered with a platform at its first use there")
    .option("--passphrase", "seal the private key with a passphrase (age, scrypt): asked on the terminal, or read from the file NEXUS_PASSPHRASE_FILE names")
    .option("--device <device>", "what you call this machine, like laptop")
    .option("--no-recovery", "make no recovery key: whoever loses this key then loses the name")
    .action(async (text: string, options: { passphrase?: true; device?: string; recovery: boolean }, command: Command) => {
      const context = await Context.of(command);
      const name = must(parseIdentityName(text));
      const recovery = options.recovery ? createIdentityKey() : undefined;
      const passphrase = options.passphrase ? must(await newPassphrase(name, context.input)) : undefined;
      const identity = await context.newIdentity(name, { passphrase, recovery: recovery?.publicKey.text, device: options.device === undefined ? undefined : must(parseDevice(options.device)) });
      const written = recovery && formatRecoveryKey(recovery);
      print(context.output, { ...shown(identity), ...(written ? { recoveryKey: written } : {}) }, () => [
        `${identity.name}  ${identity.key.kid}`,
        ...(written ? recoveryLines(name, written) : []),
        `next: nexus imvu create --name NAME --owner ${identity.name} --jurisdiction EU-GDPR`,
      ]);
    });

  noun
    .command("passphrase [name]")
    .description("seal an identity's private key with a passphrase, or with another one")
    .option("--remove", "keep it without a passphrase again, mode 0600")
    .option("--new-file <file>", "where the new passphrase stands, when NEXUS_PASSPHRASE_FILE holds the present one")
    .action(async (text: string | undefined, options: { remove?: true; newFile?: string }, command: Command) => {
      const context = await Context.of(command);
      const identity = await context.signer(text);
      const passphrase = options.remove ? undefined : must(options.newFile === undefined ? await newPassphrase(identity.name, context.input) : await passphraseFrom(options.newFile));
      await protectStoredIdentity(context.identities, identity, passphrase);
      print(context.output, { ...shown(identity), protected: passphrase !== undefined }, () => [passphrase === undefined ? `${identity.name} is kept without a passphrase` : `${identity.name} is sealed; a passphrase cannot be recovered`]);
    });

  noun
    .command("register [name]")
    .description("make an identity known to a platform, so that others can name it; a first 'imvu create' does it as well")
    .action(async (name: string | undefined, _options, command: Command) => {
      const context = await Context.of(command);
      const identity = await context.signer(name);
      const client = await context.client();
      await ensureRegistered(context, client, identity);
      print(context.output, { ...shown(identity), platform: client.base }, () => [`${identity.name} is known to ${client.base}`]);
    });

  noun
    .command("list")
    .description("the identities of this home")
    .action(async (_options, command: Command) => {
      const context = await Context.of(command);
      const all = await listStoredIdentities(context.identities);
      print(context.output, { identities: all }, () => (all.length === 0 ? ["none yet: nexus identity create NAME"] : table(all.map((one) => [one.name, one.kid, one.protected ? "passphrase" : ""]))));
    });

  noun
    .command("show [name]")
    .description("the public half of one identity, and what the platform knows of it when one answers")
    .action(async (name: string | undefined, _options, command: Command) => {
      const context = await Context.of(command);
      const identity = await context.signer(name);
      const ring = await ringOn(context, identity);
      print(context.output, { ...shown(identity), ...(ring === undefined ? {} : { platform: ring as unknown as Json }) }, () => [
        ...table([["name", identity.name], ["key id", identity.key.kid], ["public key", identity.key.publicKey.text]]),
        ...(ring ? ringLines(ring) : []),
      ]);
    });

  keyVerbs(noun);
}

/** Of the platform, when one is named and answers; the identity's own devices only when its key is live there. */
async function ringOn(context: Context, identity: StoredIdentity): Promise<Ring | undefined> {
  const quiet = (error: unknown) => {
    if (error instanceof Failure) return undefined;
    throw error;
  };
  const client = await context.client().catch(quiet);
  if (!client) return undefined;
  const own = await client.read(identity, "/v1/identity").catch(quiet);
  return (own ?? (await client.get(`/v1/identities/${identity.name}`).catch(quiet))) as Ring | undefined;
}

function shown({ name, key }: StoredIdentity) {
  return { name, kid: key.kid, publicKey: key.publicKey.text };
}

/** Registers an identity with a platform that does not know it yet; a name held by another key there is said plainly. */
export async function ensureRegistered(context: Context, client: Client, who: StoredIdentity): Promise<void> {
  const known = await knownAs(client, who.name);
  if (known === undefined) {
    const { name, key, recovery, device } = who;
    await context.command(who, "identity.register", null, { name, publicKey: key.publicKey.text, ...(recovery === undefined ? {} : { recoveryKey: recovery }), ...(device === undefined ? {} : { device }) });
    return;
  }
  if (!known.keys.some(({ kid, status }) => kid === who.key.kid && status === "live"))
    throw new Failure({ code: "IDENTITY_TAKEN", message: `the key of ${who.name} in this home is not a live one of ${who.name} on this platform (${known.kid ?? "it has none"})`, hint: `if it is yours: nexus identity rotate ${who.name}; otherwise make one with another name: nexus identity create NAME` }, EXIT.usage);
}
