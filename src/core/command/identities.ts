import type { IdentityName, KeyId } from "../../kernel/index.ts";
import { type IdentityCommand, type KeyRing, keysIn, nextRing, publicKeyFromText, stateIn } from "../identity/index.ts";
import type { RegisteredKey } from "../policy-engine/index.ts";
import type { ReadTx, Statement, Store, Tx } from "../store/index.ts";

/** Key rings and operators: tables told by the ledger, written only in the transaction of an entry. */

export async function ringByName(tx: ReadTx, name: string): Promise<KeyRing | undefined> {
  return (await tx.query<{ doc: KeyRing }>("SELECT doc FROM identity WHERE name = $1", [name]))[0]?.doc;
}

/** Of these keys those that some identity made known, whatever became of them. */
export async function knownKids(tx: ReadTx, kids: readonly string[]): Promise<ReadonlySet<string>> {
  if (kids.length === 0) return new Set();
  return new Set((await tx.query<{ kid: string }>("SELECT kid FROM identity_key WHERE kid = ANY($1)", [kids])).map(({ kid }) => kid));
}

export type KeyNow = RegisteredKey & { readonly ring: KeyRing };

export interface KeyRow extends Record<string, unknown> {
  readonly kid: KeyId;
  readonly doc: KeyRing;
  readonly public_key: string;
}

const KEYS_NOW: Statement = { name: "keys now", text: "SELECT kid, doc, public_key FROM identity_key JOIN identity ON name = identity WHERE kid = ANY($1)" };

/** Keys with what they are good for now, and the rings they belong to; nobody's are not among them. */
export async function keysNow(tx: ReadTx, kids: readonly KeyId[]): Promise<ReadonlyMap<KeyId, KeyNow>> {
  return knownIn(await tx.query<KeyRow>(KEYS_NOW.text, [kids]));
}

/** The same as a snapshot of its own, in one round trip. */
export async function lookUpKeys(store: Pick<Store, "select">, kids: readonly KeyId[]): Promise<ReadonlyMap<KeyId, KeyNow>> {
  return knownIn(await store.select<KeyRow>(KEYS_NOW, [kids]));
}

export function knownIn(rows: readonly KeyRow[]): ReadonlyMap<KeyId, KeyNow> {
  const known = new Map<KeyId, KeyNow>();
  for (const { kid, doc, public_key } of rows) {
    const publicKey = publicKeyFromText(public_key);
    if (publicKey.ok) known.set(kid, { publicKey: publicKey.value, identity: doc.name, status: stateIn(doc, kid), ring: doc });
  }
  return known;
}

export async function keyNow(tx: ReadTx, kid: KeyId): Promise<KeyNow | undefined> {
  return (await keysNow(tx, [kid])).get(kid);
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
