import { type OpenedCommand, type PublicKey, publicKeyFromText } from "../core/identity/index.ts";
import { type SignatureFact, signatureFactsOf } from "../core/policy-engine/index.ts";
import { type IdentityName, type KeyId, parseIdentityName } from "../kernel/index.ts";

interface Registered {
  readonly name: IdentityName;
  readonly key: PublicKey;
  /** Ledger index of the entry that made the key live; it is live for every later entry. */
  readonly since: number;
}

/** Who held which key from when on, told by the bundle's identity entries alone. */
export class Registry {
  private readonly byKid = new Map<KeyId, Registered>();

  /** Why the key cannot be registered; undefined: it is. The first registration of a key or a name stands. */
  register(name: unknown, publicKey: unknown, since: number): string | undefined {
    const parsed = parseIdentityName(name);
    if (!parsed.ok) return parsed.message;
    const key = publicKeyFromText(publicKey);
    if (!key.ok) return key.message;
    const earlier = [...this.byKid.values()].find((one) => one.name === parsed.value || one.key.kid === key.value.kid);
    if (earlier) return `${earlier.name} with key ${earlier.key.kid} is registered by entry ${earlier.since} already`;
    this.byKid.set(key.value.kid, { name: parsed.value, key: key.value, since });
    return undefined;
  }

  keyLines(): readonly { readonly name: string; readonly kid: string; readonly publicKey: string }[] {
    return [...this.byKid.values()].map(({ name, key }) => ({ name, kid: key.kid, publicKey: key.text }));
  }

  /** The facts about a command's signatures as they were at entry `index`, found by verifying them again. */
  signatureFacts(opened: OpenedCommand, index: number): readonly SignatureFact[] {
    return signatureFactsOf(opened, (kid) => {
      const known = this.byKid.get(kid);
      return known && known.since < index ? { publicKey: known.key, identity: known.name, status: "live" } : undefined;
    });
  }
}
