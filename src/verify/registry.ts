import { KeyHistory, type OpenedCommand } from "../core/identity/index.ts";
import { type SignatureFact, signatureFactsOf } from "../core/policy-engine/index.ts";
import { type IdentityName, type KeyId, parseIdentityName } from "../kernel/index.ts";
import type { IdentityKeyLine } from "./keys-file.ts";

/** Who held which key when, told by the bundle's identity entries alone. */
export class Registry {
  private readonly history = new KeyHistory();

  /** `identity.registered`. Why it cannot be; undefined: it is so. */
  registered(name: unknown, publicKey: unknown, index: number): string | undefined {
    const parsed = parseIdentityName(name);
    if (!parsed.ok) return parsed.message;
    return this.history.registered(parsed.value, String(publicKey), index);
  }

  /** An accepted command. Why it cannot have been accepted; undefined: it is followed, or is none of an identity. */
  follow(opened: OpenedCommand, index: number, time_ms: number): string | undefined {
    return this.history.follow(opened, index, time_ms);
  }

  /** Every signing key that the entries made known. */
  keyLines(): readonly IdentityKeyLine[] {
    return this.history.rings().flatMap(({ name, keys }) => keys.map(({ kid, publicKey }) => ({ name, kid, publicKey })));
  }

  /** The facts about a command's signatures as they were at entry `index`, found by verifying them again. */
  signatureFacts(opened: OpenedCommand, index: number): readonly SignatureFact[] {
    return signatureFactsOf(opened, (kid: KeyId) => {
      const known = this.history.at(kid, index);
      return known && { publicKey: known.publicKey, identity: known.identity as IdentityName, status: known.state };
    });
  }
}
