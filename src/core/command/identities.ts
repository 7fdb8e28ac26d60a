import type { IdentityName, KeyId } from "../../kernel/index.ts";
import { type IdentityCommand, type KeyRing, keysIn, nextRing, publicKeyFromText, stateIn } from "../identity/index.ts";
import type { RegisteredKey } from "../policy-engine/index.ts";
import type { ReadTx, Tx } from "../store/index.ts";

/** Key rings and operators: tables told by the ledger, written only in the transaction of an entry. */

export async function ringByName(tx: ReadTx, name: string): Promise<KeyRing | undefined> {
  return (await tx.query<{ doc: KeyRing }>("SELECT doc FROM identity WHERE name = $1", [name]))[0]?.doc;
}

/** Whether some identity made the key known, whatever became of it. */
export async function isKeyKnown(tx: ReadTx, kid: string): Promise<boolean> {
  return (await tx.query("SELECT 1 FROM identity_key WHERE kid = $1", [kid])).length > 0;
}

/** A key with what it is good for now, and the ring it belongs to; undefined: nobody's. */
export async function keyNow(tx: ReadTx, kid: KeyId): Promise<(RegisteredKey & { readonly ring: KeyRing }) | undefined> {
  const [row] = await tx.query<{ doc: KeyRing; public_key: string }>("SELECT doc, public_key FROM identity_key JOIN identity ON name = identity WHERE kid = $1", [kid]);
  const publicKey = row && publicKeyFromText(row.public_key);
  return row && publicKey?.ok ? { publicKey: publicKey.value, identity: row.doc.name, status: stateIn(row.doc, kid), ring: row.doc } : undefined;
}

/** Rings in which a recovery waits for objections. */
export async function recoveringRings(tx: ReadTx): Promise<readonly KeyRing[]> {
  return (await tx.query<{ doc: KeyRing }>("SELECT doc FROM identity WHERE doc->'pending' <> 'null'::jsonb")).map((row) => row.doc);
}

export async function putRing(tx: Tx, ring: KeyRing, index: number): Promise<void> {
  await tx.run("INSERT INTO identity (name, doc, updated_index) VALUES ($1, $2::jsonb, $3) ON CONFLICT (name) DO UPDATE SET doc = $2::jsonb, updated_index = $3", [ring.name, JSON.stringify(ring), index]);
  for (const { kid, publicKey } of keysIn(ring)) await tx.run("INSERT INTO identity_key (kid, identity, public_key) VALUES ($1, $2, $3) ON CONFLICT (kid) DO NOTHING", [kid, ring.name, publicKey]);
}

/** Takes effect with the intent's own entry: from there on the new keys count and the old ones do not. */
export async function applyIdentity(tx: Tx, command: IdentityCommand, signer: KeyId, actor: string, at: { readonly index: number; readonly time_ms: number }): Promise<void> {
  const before = command.op === "identity.register" ? undefined : await ringByName(tx, actor);
  await putRing(tx, nextRing(before, command, signer, at), at.index);
}

export async function operatorNames(tx: ReadTx): Promise<readonly IdentityName[]> {
  return (await tx.query<{ identity: IdentityName }>("SELECT identity FROM operator ORDER BY entry_index, identity")).map((row) => row.identity);
}

export async function putOperator(tx: Tx, identity: string, index: number): Promise<void> {
  await tx.run("INSERT INTO operator (identity, entry_index) VALUES ($1, $2)", [identity, index]);
}

export async function removeOperator(tx: Tx, identity: string): Promise<void> {
  await tx.run("DELETE FROM operator WHERE identity = $1", [identity]);
}
