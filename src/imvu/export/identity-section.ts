import type { ExportSink, Imvu } from "../../contract/index.ts";
import type { IdentityName, KeyId } from "../../kernel/index.ts";

export interface KnownKey {
  readonly identity: IdentityName;
  readonly kid: KeyId;
  /** Raw Ed25519 public key, base64url. */
  readonly publicKey: string;
  readonly status: "live" | "rotated" | "revoked";
  /** Ledger index of the entry that made it live. */
  readonly registered: number;
  /** Of the one that ended it; null: it is live. */
  readonly ended: number | null;
}

export const IMVU_DOCUMENT_PATH = "identity/imvu.json";
export const OWNER_PATH = "identity/owner.json";
export const MEMBERS_PATH = "identity/members.json";

/** Writes identity/: the IMVU's document as the ledger tells it, the owner's public keys with their history, members and roles. */
export async function writeIdentitySection(sink: ExportSink, imvu: Imvu, keys: readonly KnownKey[]): Promise<void> {
  const keysOf = (name: IdentityName) => keys.filter(({ identity }) => identity === name).map(({ identity: _, ...key }) => key);
  await sink.file(IMVU_DOCUMENT_PATH, json(imvu));
  await sink.file(OWNER_PATH, json({ name: imvu.owner, keys: keysOf(imvu.owner) }));
  await sink.file(MEMBERS_PATH, json(imvu.members.map(({ identity, role }) => ({ identity, role, keys: keysOf(identity) }))));
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
