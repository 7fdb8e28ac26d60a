import type { IdentityName, KeyId } from "../../kernel/index.ts";
import { type PublicKey, publicKeyFromText } from "./key.ts";
import { broughtBy, firstRing, isIdentityCommand, type KeyRing, type KeyState, keysIn, nextRing, stateIn } from "./key-ring.ts";
import type { OpenedCommand } from "./open-command.ts";

export interface KeyThen {
  readonly publicKey: PublicKey;
  readonly identity: IdentityName;
  readonly state: KeyState;
}

/** Who held which key when, told by the log's accepted identity commands in their order: for replays, probes and the offline verifier. */
export class KeyHistory {
  /** Of each identity every ring it had, oldest first, with the entry that made it. */
  private readonly versions = new Map<IdentityName, { readonly index: number; readonly ring: KeyRing }[]>();
  private readonly holders = new Map<KeyId, { readonly name: IdentityName; readonly publicKey: PublicKey }>();

  /** The platform's own word for a first key: `identity.registered`. Why it cannot be; undefined: it is so. */
  registered(name: IdentityName, publicKey: string, index: number): string | undefined {
    return this.versions.has(name) ? `${name} is registered already` : this.keep(firstRing({ name, publicKey }, index), [publicKey], index);
  }

  /** An accepted command. Why it cannot have been accepted; undefined: it is followed, or is none of an identity. */
  follow({ command, signatures }: Pick<OpenedCommand, "command" | "signatures">, index: number, time_ms: number): string | undefined {
    if (!isIdentityCommand(command)) return undefined;
    const signer = signatures[0]?.kid as KeyId;
    const name = command.op === "identity.register" ? command.params.name : this.holders.get(signer)?.name;
    const before = name === undefined ? undefined : this.ring(name);
    if (command.op === "identity.register" ? before !== undefined : before === undefined) return before ? `${before.name} is registered already` : `the key ${signer} belongs to nobody`;
    if (command.op === "identity.recovery.complete" && before?.pending?.kid !== signer) return `no recovery by the key ${signer} waits`;
    return this.keep(nextRing(before, command, signer, { index, time_ms }), broughtBy(command), index);
  }

  /** The newest ring. */
  ring(name: IdentityName): KeyRing | undefined {
    return this.versions.get(name)?.at(-1)?.ring;
  }

  rings(): readonly KeyRing[] {
    return [...this.versions.keys()].map((name) => this.ring(name) as KeyRing);
  }

  /** What a key was when entry `index` was judged; undefined: nobody's. */
  at(kid: KeyId, index: number): KeyThen | undefined {
    const holder = this.holders.get(kid);
    const version = holder && this.versions.get(holder.name)?.findLast((one) => one.index < index);
    if (!holder || !version) return undefined;
    // A key that arrived later than the entry was nobody's then.
    const known = this.versions.get(holder.name)?.some((one) => one.index < index && keysIn(one.ring).some((key) => key.kid === kid));
    return known ? { publicKey: holder.publicKey, identity: holder.name, state: stateIn(version.ring, kid) } : undefined;
  }

  private keep(ring: KeyRing, brought: readonly string[], index: number): string | undefined {
    const keys: PublicKey[] = [];
    for (const text of brought) {
      const key = publicKeyFromText(text);
      if (!key.ok) return key.message;
      const holder = this.holders.get(key.value.kid);
      if (holder) return `the key ${key.value.kid} belongs to ${holder.name} already`;
      keys.push(key.value);
    }
    for (const publicKey of keys) this.holders.set(publicKey.kid, { name: ring.name, publicKey });
    this.versions.set(ring.name, [...(this.versions.get(ring.name) ?? []), { index, ring }]);
    return undefined;
  }
}
