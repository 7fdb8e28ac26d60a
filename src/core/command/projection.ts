import type { Imvu, Op } from "../../contract/index.ts";
import type { ImvuId, Json } from "../../kernel/index.ts";
import type { Facts } from "../policy-engine/index.ts";
import type { ReadTx, Tx } from "../store/index.ts";

/** The tables that are told by the ledger: read here, and written only in the transaction of an entry. */

export interface SeenCommand {
  readonly digest: string;
  readonly actor: string;
  readonly op: Op;
  readonly imvu: ImvuId | null;
  readonly state: "accepted" | "refused" | "applied" | "failed";
  readonly intentIndex: number;
  readonly outcomeIndex: number | null;
  readonly result: Json;
  /** The JWS as it was judged, as JSON text. */
  readonly signed: string;
}

/** An IMVU's document with the one it had before a command that is still at work. */
interface ImvuRow {
  readonly doc: Imvu & { readonly before?: Imvu };
}

/** The identity whose valid signature comes first; "unknown" for a stranger's, and for a key that ended: whoever found it is nobody. */
export function actorOf(facts: Pick<Facts, "signatures">): string {
  const first = facts.signatures[0];
  return first?.valid && first.identity !== null && first.status !== "revoked" && first.status !== "rotated" ? first.identity : "unknown";
}

export async function seenCommand(tx: ReadTx, digest: string): Promise<SeenCommand | undefined> {
  const rows = await tx.query<SeenRow>("SELECT digest, actor, op, imvu, state, intent_index, outcome_index, result, signed FROM command_seen WHERE digest = $1", [digest]);
  return rows[0] && seenOf(rows[0]);
}

export async function openCommands(tx: ReadTx): Promise<readonly SeenCommand[]> {
  const rows = await tx.query<SeenRow>(
    "SELECT digest, actor, op, imvu, state, intent_index, outcome_index, result, signed FROM command_seen WHERE state = 'accepted' ORDER BY intent_index",
    [],
  );
  return rows.map(seenOf);
}

/** The newest refusals of commands about an IMVU, whoever sent them. */
export async function refusedCommands(tx: ReadTx, imvu: ImvuId, limit: number): Promise<readonly SeenCommand[]> {
  const rows = await tx.query<SeenRow>(
    "SELECT digest, actor, op, imvu, state, intent_index, outcome_index, result, signed FROM command_seen WHERE imvu = $1 AND state = 'refused' ORDER BY intent_index DESC LIMIT $2",
    [imvu, limit],
  );
  return rows.map(seenOf);
}

export interface OthersRefusals {
  /** The newest ones, newest first. */
  readonly refusals: readonly { readonly index: number; readonly actor: string; readonly op: Op }[];
  /** How many there are. */
  readonly count: number;
}

/** Refused commands on a unit after entry `after` that its owner did not send. */
export async function othersRefusals(tx: ReadTx, { id, owner }: Pick<Imvu, "id" | "owner">, after: number, limit: number): Promise<OthersRefusals> {
  const condition = "FROM command_seen WHERE imvu = $1 AND state = 'refused' AND actor <> $2 AND intent_index > $3";
  const [counted] = await tx.query<{ many: string }>(`SELECT count(*) AS many ${condition}`, [id, owner, after]);
  const rows = await tx.query<Pick<SeenRow, "actor" | "op" | "intent_index">>(`SELECT actor, op, intent_index ${condition} ORDER BY intent_index DESC LIMIT $4`, [id, owner, after, limit]);
  return { refusals: rows.map(({ actor, op, intent_index }) => ({ index: Number(intent_index), actor, op })), count: Number(counted?.many ?? 0) };
}

interface SeenRow {
  readonly digest: string;
  readonly actor: string;
  readonly op: Op;
  readonly imvu: ImvuId | null;
  readonly state: SeenCommand["state"];
  readonly intent_index: string;
  readonly outcome_index: string | null;
  readonly result: Json;
  readonly signed: string;
}

function seenOf(row: SeenRow): SeenCommand {
  return {
    digest: row.digest,
    actor: row.actor,
    op: row.op,
    imvu: row.imvu,
    state: row.state,
    intentIndex: Number(row.intent_index),
    outcomeIndex: row.outcome_index === null ? null : Number(row.outcome_index),
    result: row.result,
    signed: row.signed,
  };
}

export async function recordSeen(
  tx: Tx,
  seen: { digest: string; actor: string; nonce: string; op: Op; imvu: ImvuId | null; signed: string; state: "accepted" | "refused"; intentIndex: number },
): Promise<void> {
  // A command refused because its nonce was used leaves no row: the nonce stays with the first one.
  if (await nonceSeen(tx, seen.actor, seen.nonce, seen.digest)) return;
  await tx.run(
    `INSERT INTO command_seen (digest, actor, nonce, op, imvu, signed, intent_index, state) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
     ON CONFLICT (digest) DO UPDATE SET state = $8, intent_index = $7, signed = $6, actor = $2, imvu = $5 WHERE command_seen.state = 'refused'`,
    [seen.digest, seen.actor, seen.nonce, seen.op, seen.imvu, seen.signed, seen.intentIndex, seen.state],
  );
}

export async function settleSeen(tx: Tx, digest: string, state: "applied" | "failed", index: number, result: Json): Promise<void> {
  await tx.run("UPDATE command_seen SET state = $2, outcome_index = $3, result = $4::jsonb WHERE digest = $1", [digest, state, index, JSON.stringify(result)]);
}

export async function nonceSeen(tx: ReadTx, actor: string, nonce: string, digest: string): Promise<boolean> {
  const rows = await tx.query("SELECT 1 AS one FROM command_seen WHERE actor = $1 AND nonce = $2 AND digest <> $3", [actor, nonce, digest]);
  return rows.length > 0;
}

export async function imvuById(tx: ReadTx, id: ImvuId): Promise<Imvu | undefined> {
  const rows = await tx.query<ImvuRow>("SELECT doc FROM imvu WHERE id = $1", [id]);
  return rows[0] && withoutBefore(rows[0].doc);
}

/** The document an interrupted command started from: undefined when the command was creating it. */
export async function imvuBeforeReserve(tx: ReadTx, id: ImvuId): Promise<Imvu | undefined> {
  const rows = await tx.query<ImvuRow>("SELECT doc FROM imvu WHERE id = $1", [id]);
  const doc = rows[0]?.doc;
  if (!doc || doc.status === "creating") return undefined;
  return doc.before ?? doc;
}

export async function allImvus(tx: ReadTx): Promise<readonly Imvu[]> {
  const rows = await tx.query<ImvuRow>("SELECT doc FROM imvu ORDER BY number", []);
  return rows.map((row) => withoutBefore(row.doc));
}

function withoutBefore(doc: ImvuRow["doc"]): Imvu {
  const { before: _, ...imvu } = doc;
  return imvu;
}

/**
 * The number of the next unit made here: behind the last one that was ever made here, for numbers are never used twice, also when a create failed:
 * the intent entry names the number for good. Numbers that arrived with imports are passed over, and push nothing: whoever imports a high one
 * must not use up those before it.
 */
export async function nextImvuNumber(tx: ReadTx): Promise<number> {
  const rows = await tx.query<{ next: number }>(
    `WITH made AS (SELECT coalesce(max(substr(imvu, 6)::int), 0) AS last FROM command_seen WHERE op = 'imvu.create' AND imvu IS NOT NULL)
     SELECT min(n) AS next FROM made, generate_series(made.last + 1, made.last + 1 + (SELECT count(*)::int FROM imvu)) AS n WHERE n NOT IN (SELECT number FROM imvu)`,
  );
  return Number(rows[0]?.next ?? 1);
}

export async function putImvu(tx: Tx, imvu: Imvu, index: number, before?: Imvu): Promise<void> {
  const doc = JSON.stringify(before ? { ...imvu, before } : imvu);
  await tx.run(
    `INSERT INTO imvu (id, number, owner, status, doc, updated_index) VALUES ($1, $2, $3, $4, $5::jsonb, $6)
     ON CONFLICT (id) DO UPDATE SET owner = $3, status = $4, doc = $5::jsonb, updated_index = $6`,
    [imvu.id, imvu.number, imvu.owner, imvu.status, doc, index],
  );
}

/** A unit that was not here before: a row of the same id or number stops the whole transaction. */
export async function addImvu(tx: Tx, imvu: Imvu, index: number): Promise<void> {
  await tx.run("INSERT INTO imvu (id, number, owner, status, doc, updated_index) VALUES ($1, $2, $3, $4, $5::jsonb, $6)", [imvu.id, imvu.number, imvu.owner, imvu.status, JSON.stringify(imvu), index]);
}

/** While a command works, the larger of each limit counts, and the old document is kept for a crash. */
export async function reserve(tx: Tx, before: Imvu, after: Imvu, index: number): Promise<void> {
  const larger = (key: "cpuMillis" | "memoryBytes" | "storageBytes" | "iops" | "bandwidthBps" | "processes") => Math.max(before.envelope[key], after.envelope[key]);
  const envelope = {
    ...before.envelope,
    cpuMillis: larger("cpuMillis"),
    memoryBytes: larger("memoryBytes"),
    storageBytes: larger("storageBytes"),
    iops: larger("iops"),
    bandwidthBps: larger("bandwidthBps"),
    processes: larger("processes"),
  };
  await putImvu(tx, { ...before, envelope }, index, before);
}

export async function removeImvu(tx: Tx, id: ImvuId): Promise<void> {
  await tx.run("DELETE FROM imvu WHERE id = $1", [id]);
}
