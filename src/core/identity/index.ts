/**
 * Identity: Ed25519 keys, signed commands and their approvals, signed requests, and the keystore on the owner's side.
 * Pure but for the keystore; it says who signed, never what he may do.
 * Depends on kernel and contract.
 */
export { type RequestToSign, type SignedHeaders, signRequest } from "./http-signature.ts";
export { createIdentityKey, kidOf, type PrivateJwk, type PublicKey, publicKeyFromText, type SigningKey, signingKeyFromJwk } from "./key.ts";
export {
  type AskPassphrase, createStoredIdentity, type ListedIdentity, listStoredIdentities, loadRetiredKey, loadStoredIdentity, type NewIdentity, nextStoredKey, protectStoredIdentity, setAsideNextKey, type StoredIdentity, takeUpNextKey,
  waitingStoredKey,
} from "./keystore.ts";
export { KeyHistory, type KeyThen } from "./key-history.ts";
export { type BareKey, broughtBy, firstRing, type HeldKey, type IdentityCommand, isIdentityCommand, type KeyRing, type KeyState, keysIn, nextRing, stateIn } from "./key-ring.ts";
export { NonceWindow } from "./nonce-window.ts";
export { type OpenedCommand, openCommand } from "./open-command.ts";
export { PASSPHRASE_CHARS_MAX, PASSPHRASE_CHARS_MIN } from "./seal.ts";
export { formatRecoveryKey, parseRecoveryKey } from "./recovery-key.ts";
export { addApproval, type CommandFields, commandFields, newNonce, signCommand } from "./signed-command.ts";
export { type NonceMemory, type ReceivedRequest, type RequestChecks, type VerifiedRequest, verifyRequest } from "./verify-request.ts";
export { type VerifiedSignature, verifySignatures } from "./verify-signatures.ts";
