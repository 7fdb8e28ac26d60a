import { Buffer } from "node:buffer";
import { verify } from "node:crypto";
import type { KeyId } from "../../kernel/index.ts";
import type { PublicKey } from "./key.ts";
import type { OpenedCommand } from "./open-command.ts";
import { signingInput } from "./signed-command.ts";

export interface VerifiedSignature {
  readonly kid: KeyId;
  /** undefined: keyOf knows no such key. */
  readonly publicKey: PublicKey | undefined;
  readonly valid: boolean;
}

/** Of each command the signatures that were verified before: a key id names one key for ever, so the answer cannot change. */
const VERIFIED = new WeakMap<OpenedCommand["signed"], Map<KeyId, boolean>>();

/** Each signature against the key it names, in the command's order. An unknown key is not valid. */
export function verifySignatures(
  opened: Pick<OpenedCommand, "signed" | "signatures">,
  keyOf: (kid: KeyId) => PublicKey | undefined,
): readonly VerifiedSignature[] {
  const before = verifiedOf(opened.signed);
  return opened.signatures.map(({ kid, protected: header, signature }) => {
    const publicKey = keyOf(kid);
    // A registry that answers another key than asked for must not count.
    const fits = publicKey !== undefined && publicKey.kid === kid;
    if (!fits) return { kid, publicKey, valid: false };
    const valid = before.get(kid) ?? verify(null, signingInput(header, opened.signed.payload), publicKey.key, Buffer.from(signature, "base64url"));
    before.set(kid, valid);
    return { kid, publicKey, valid };
  });
}

function verifiedOf(signed: OpenedCommand["signed"]): Map<KeyId, boolean> {
  const before = VERIFIED.get(signed) ?? new Map<KeyId, boolean>();
  VERIFIED.set(signed, before);
  return before;
}
