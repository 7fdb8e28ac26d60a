import type { IdentityName, KeyId } from "../../kernel/index.ts";
import { broughtBy, type KeyState, type OpenedCommand, type PublicKey, publicKeyFromText, verifySignatures } from "../identity/index.ts";
import type { Facts, SignatureFact } from "./facts.ts";

/** What the registry says of a key. */
export interface RegisteredKey {
  readonly publicKey: PublicKey;
  readonly identity: IdentityName;
  readonly status: KeyState;
}

/** Verifies every signature and writes down with which key. A command that brings keys is verified with them. */
export function signatureFactsOf(opened: OpenedCommand, keyOf: (kid: KeyId) => RegisteredKey | undefined): readonly SignatureFact[] {
  const brought = broughtKeys(opened);
  const verified = verifySignatures(opened, (kid) => keyOf(kid)?.publicKey ?? brought.find((key) => key.kid === kid));
  return verified.map(({ kid, publicKey, valid }) => {
    const known = keyOf(kid);
    return { kid, identity: known?.identity ?? null, publicKey: publicKey?.text ?? null, status: known?.status ?? "unknown", valid };
  });
}

/** For a reader of the ledger: the recorded facts say of each signature exactly what its own bytes say. Who owned the key is another question. */
export function signatureFactsHold(opened: OpenedCommand, facts: Pick<Facts, "signatures">): boolean {
  const keys = new Map<string, PublicKey>();
  for (const { publicKey } of facts.signatures) {
    const key = publicKeyFromText(publicKey);
    if (key.ok) keys.set(key.value.kid, key.value);
  }
  const verified = verifySignatures(opened, (kid) => keys.get(kid));
  return verified.length === facts.signatures.length && verified.every(({ kid, valid }, at) => facts.signatures[at]?.kid === kid && facts.signatures[at]?.valid === valid);
}

function broughtKeys({ command }: OpenedCommand): readonly PublicKey[] {
  return broughtBy(command).flatMap((text) => {
    const key = publicKeyFromText(text);
    return key.ok ? [key.value] : [];
  });
}
