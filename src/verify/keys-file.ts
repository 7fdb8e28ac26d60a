/** ledger/keys.txt: the public keys that a bundle is verified with, one per line, for people and tools. */
export const KEYS_PATH = "ledger/keys.txt";
export const KEYS_BYTES_MAX = 1024 * 1024;

export interface IdentityKeyLine {
  readonly name: string;
  readonly kid: string;
  /** Raw Ed25519 public key, base64url. */
  readonly publicKey: string;
}

export function keysFile(logKey: string, identities: readonly IdentityKeyLine[]): string {
  return [
    "# log: the signed-note verifier key of the ledger's checkpoints and of MANIFEST.sig. Compare it with one you kept:",
    "#   node verify.mjs --log-key KEY",
    `log ${logKey}`,
    "# identity: name, key id (RFC 7638 thumbprint), raw Ed25519 public key (base64url)",
    ...identities.map(({ name, kid, publicKey }) => `identity ${name} ${kid} ${publicKey}`),
    "",
  ].join("\n");
}

export function logKeyOf(text: string): string | undefined {
  return linesOf(text, "log")[0]?.[0];
}

function linesOf(text: string, word: string): readonly (readonly string[])[] {
  return text.split("\n").flatMap((line) => (line.startsWith(`${word} `) ? [line.slice(word.length + 1).split(" ")] : []));
}
