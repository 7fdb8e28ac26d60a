import type { Command } from "commander";
import { listStoredIdentities, protectStoredIdentity, type StoredIdentity } from "../../core/identity/index.ts";
import { parseIdentityName } from "../../kernel/index.ts";
import type { Client } from "../client.ts";
import { Context, must } from "../context.ts";
import { EXIT, Failure } from "../failure.ts";
import { print, table } from "../output.ts";
import { newPassphrase, passphraseFrom } from "../passphrase.ts";

export function identityVerbs(program: Command): void {
  const noun = program.command("identity").description("keys that live with you; the platform only ever sees public ones");

  noun
    .command("create <name>")
    .description("make an Ed25519 key pair, mode 0600; registered with a platform at its first use there")
    .option("--passphrase", "seal the private key with a passphrase (age, scrypt): asked on the terminal, or read from the file NEXUS_PASSPHRASE_FILE names")
    .action(async (text: string, options: { passphrase?: true }, command: Command) => {
      const context = await Context.of(command);
      const name = must(parseIdentityName(text));
      const identity = await context.newIdentity(name, options.passphrase ? must(await newPassphrase(name, context.input)) : undefined);
      print(context.output, shown(identity), () => [`${identity.name}  ${identity.key.kid}`, `next: nexus imvu create --name NAME --owner ${identity.name} --jurisdiction EU-GDPR`]);
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
    .description("the public half of one identity")
    .action(async (name: string | undefined, _options, command: Command) => {
      const context = await Context.of(command);
      const identity = await context.signer(name);
      print(context.output, shown(identity), () => table([["name", identity.name], ["key id", identity.key.kid], ["public key", identity.key.publicKey.text]]));
    });
}

function shown({ name, key }: StoredIdentity) {
  return { name, kid: key.kid, publicKey: key.publicKey.text };
}

/** Registers an identity with a platform that does not know it yet; a name held by another key there is said plainly. */
export async function ensureRegistered(context: Context, client: Client, who: StoredIdentity): Promise<void> {
  const known = await client.get(`/v1/identities/${who.name}`).catch((error: unknown) => {
    if (error instanceof Failure && error.document.code === "NO_SUCH_IDENTITY") return undefined;
    throw error;
  });
  if (known === undefined) {
    await context.command(who, "identity.register", null, { name: who.name, publicKey: who.key.publicKey.text });
    return;
  }
  const { kid } = known as { kid: string };
  if (kid !== who.key.kid)
    throw new Failure({ code: "IDENTITY_TAKEN", message: `another key is registered as ${who.name} on this platform (${kid})`, hint: "make an identity with another name: nexus identity create NAME" }, EXIT.usage);
}

