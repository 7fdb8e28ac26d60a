import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Command as Commander, InvalidArgumentError } from "commander";
import { COMMAND_LIFETIME_MS_DEFAULT, type Op, type SignedCommand } from "../contract/index.ts";
import { commandFields, createStoredIdentity, listStoredIdentities, loadStoredIdentity, type NewIdentity, newNonce, signCommand, type SigningKey, type StoredIdentity } from "../core/identity/index.ts";
import { type IdentityName, type ImvuId, type Json, type Outcome, parseIdentityName, parseImvuId } from "../kernel/index.ts";
import { Client, type Done, type Signer, type StepSeen } from "./client.ts";
import { DryRun } from "./dry-run.ts";
import { EXIT, Failure, failureOfRefusal, usageFailure } from "./failure.ts";
import { homeFolder } from "./home.ts";
import { type Output, stepPrinter } from "./output.ts";
import { passphraseOf } from "./passphrase.ts";
import { lifetimeOf } from "./units.ts";

export interface GlobalFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly input?: boolean;
  readonly dryRun?: boolean;
  readonly home?: string;
  readonly platform?: string;
  readonly as?: string;
  readonly validFor?: string;
}

/** Everything a verb works with, made once from the global flags. */
export class Context {
  readonly flags: GlobalFlags;
  readonly home: string;
  readonly output: Output;
  private readonly opened = new Map<IdentityName, StoredIdentity>();

  private constructor(flags: GlobalFlags, home: string) {
    this.flags = flags;
    this.home = home;
    this.output = { json: flags.json === true, quiet: flags.quiet === true };
  }

  static async of(command: Commander): Promise<Context> {
    const flags = command.optsWithGlobals<GlobalFlags>();
    return new Context(flags, await homeFolder(flags.home));
  }

  /** How long what is signed now may still be carried out. */
  private get lifetime_ms(): number {
    return this.flags.validFor === undefined ? COMMAND_LIFETIME_MS_DEFAULT : lifetimeOf(this.flags.validFor);
  }

  /** `--platform`, else NEXUS_PLATFORM, else the platform that lives in this home. */
  async client(): Promise<Client> {
    const named = this.flags.platform ?? process.env.NEXUS_PLATFORM;
    if (named) {
      if (!/^https?:\/\/[A-Za-z0-9.:[\]-]+\/?$/.test(named)) throw usageFailure(`--platform: ${JSON.stringify(named.slice(0, 80))} is not an address like http://127.0.0.1:8000`, "nexus status prints it as listen.api");
      return new Client(named, this.home, this.lifetime_ms);
    }
    const text = await readFile(join(this.home, "platform", "home.json"), "utf8").catch(() => undefined);
    if (!text) throw new Failure({ code: "NO_PLATFORM", message: `there is no platform in ${this.home}, and none was named`, hint: "start one with 'nexus up --detach', or name one with --platform URL" }, EXIT.unreachable);
    const { ports } = JSON.parse(text) as { ports: { api: number } };
    return new Client(`http://127.0.0.1:${ports.api}`, this.home, this.lifetime_ms);
  }

  get identities(): string {
    return join(this.home, "identities");
  }

  /** Who signs: `--as`, else NEXUS_IDENTITY, else the only identity of this home. */
  async signer(name: string | undefined = this.flags.as ?? process.env.NEXUS_IDENTITY): Promise<StoredIdentity> {
    if (name !== undefined) return await this.loaded(must(parseIdentityName(name)));
    const all = await listStoredIdentities(this.identities);
    const only = all[0];
    if (only && all.length === 1) return await this.loaded(only.name);
    if (!only) throw usageFailure(`there is no identity in ${this.home}`, "make one: nexus identity create NAME", "NO_IDENTITY");
    throw usageFailure(`several identities are in ${this.home}: ${all.map((one) => one.name).join(", ")}`, "say who signs: --as NAME", "WHICH_IDENTITY");
  }

  /** Once for each name: whoever typed a passphrase is not asked again. */
  private async loaded(name: IdentityName): Promise<StoredIdentity> {
    const known = this.opened.get(name) ?? must(await loadStoredIdentity(this.identities, name, (of) => passphraseOf(of, this.input)));
    this.opened.set(name, known);
    return known;
  }

  /** Whether somebody may be asked at all. */
  get input(): boolean {
    return this.flags.input !== false && !this.output.json;
  }

  async newIdentity(name: IdentityName, options: NewIdentity): Promise<StoredIdentity> {
    return must(await createStoredIdentity(this.identities, name, options));
  }

  /** An operator: `--as`, else NEXUS_IDENTITY, else the first one, whose key the platform of this home keeps. */
  async operator(): Promise<StoredIdentity> {
    if (this.flags.as ?? process.env.NEXUS_IDENTITY) return await this.signer();
    const folder = join(this.home, "platform", "operators");
    const [first] = await listStoredIdentities(folder);
    return first ? must(await loadStoredIdentity(folder, first.name)) : await this.signer();
  }

  /** Sends a signed command and prints its steps; with `--dry-run` throws the rehearsal's answer as a finished call. */
  async command(who: Signer, op: Op, imvu: ImvuId | null, params: Record<string, Json>): Promise<Done> {
    return await this.submit((await this.client()).signed(who, op, imvu, params));
  }

  /** A command on an identity, signed but not sent. */
  sign(key: SigningKey, op: Op, params: Record<string, Json>): SignedCommand {
    return signCommand(commandFields(op, null, params, Date.now(), newNonce(), this.lifetime_ms), key);
  }

  /** The same for a command that is signed already, by one or more. */
  async submit(signed: SignedCommand): Promise<Done> {
    const client = await this.client();
    if (this.flags.dryRun) throw new DryRun(await client.rehearse(signed));
    const printStep: (step: StepSeen) => void = stepPrinter(this.output);
    return await client.submit(signed, printStep);
  }
}

export function must<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) throw failureOfRefusal(outcome);
  return outcome.value;
}

/** For commander: a flag's text parsed into its type, or a usage error that names the flag. */
export function parsed<T>(parse: (text: unknown) => Outcome<T>): (text: string) => T {
  return (text) => {
    const outcome = parse(text);
    if (!outcome.ok) throw new InvalidArgumentError(`${outcome.message} – ${outcome.hint}`);
    return outcome.value;
  };
}

export const imvuFlag = parsed<ImvuId>(parseImvuId);
