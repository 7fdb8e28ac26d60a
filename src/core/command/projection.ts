import type { Imvu, Op } from "../../contract/index.ts";
import type { Fqdn, ImvuId, Json } from "../../kernel/index.ts";
import type { Facts, NodeFigures } from "../policy-engine/index.ts";
import { bigintArray, type Bound, type ReadTx, textArray, type Tx } from "../store/index.ts";

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
export type ImvuDoc = Imvu & { readonly before?: Imvu };

interface ImvuRow {
  readonly doc: ImvuDoc;
}

/** The identity whose valid signature comes first; "unknown" for a stranger's, and for a key that ended: whoever found it is nobody. */
export function actorOf(facts: Pick<Facts, "signatures">): string {
  const first = facts.signatures[0];
  return first?.valid && first.identity !== null && first.status !== "revoked" && first.status !== "rotated" ? first.identity : "unknown";
}

const SEEN_COLUMNS = "digest, actor, op, imvu, state, intent_index, outcome_index, result, signed";

export async function seenCommand(tx: ReadTx, digest: string): Promise<SeenCommand | undefined> {
  return (await tx.query<SeenRow>(`SELECT ${SEEN_COLUMNS} FROM command_seen WHERE digest = $1`, [digest])).map(seenOf)[0];
}


export async function openCommands(tx: ReadTx): Promise<readonly SeenCommand[]> {
  const rows = await tx.query<SeenRow>(
    `SELECT ${SEEN_COLUMNS} FROM command_seen WHERE state = 'accepted' ORDER BY intent_index`,
    [],
  );
  return rows.map(seenOf);
}

/** The newest refusals of commands about an IMVU, whoever sent them. */
export async function refusedCommands(tx: ReadTx, imvu: ImvuId, limit: number): Promise<readonly SeenCommand[]> {
  const rows = await tx.query<SeenRow>(
    `SELECT ${SEEN_COLUMNS} FROM command_seen WHERE imvu = $1 AND state = 'refused' ORDER BY intent_index DESC LIMIT $2`,
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

export interface SeenRow extends Record<string, unknown> {
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

export function seenOf(row: SeenRow): SeenCommand {
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

export interface NewlySeen {
  readonly digest: string;
  readonly actor: string;
  readonly nonce: string;
  readonly op: Op;
  readonly imvu: ImvuId | null;
  readonly signed: string;
  readonly state: "accepted" | "refused" | "applied";
  /** Of a command that was done when it was written down. */
  readonly outcomeIndex: number | null;
  readonly result?: Json | undefined;
  readonly intentIndex: number;
}

/** The command's row goes with its entry: what is erased expired before, so that nobody needs its nonce. */
export async function eraseSeen(tx: Tx, digest: string, index: number): Promise<void> {
  await tx.run("DELETE FROM command_seen WHERE digest = $1 AND intent_index <= $2", [digest, index]);
}

/** Index of the outcome of the command whose entry stands at `index`; undefined: it has none. */
export async function outcomeOf(tx: ReadTx, index: number): Promise<number | undefined> {
  const [row] = await tx.query<{ outcome_index: string | null }>("SELECT outcome_index FROM command_seen WHERE intent_index = $1", [index]);
  return row?.outcome_index == null ? undefined : Number(row.outcome_index);
}

export interface Settled {
  readonly digest: string;
  readonly state: "applied" | "failed";
  readonly index: number;
  readonly result: Json;
}

export async function imvuById(tx: ReadTx, id: ImvuId): Promise<Imvu | undefined> {
  const rows = await tx.query<ImvuRow>("SELECT doc FROM imvu WHERE id = $1", [id]);
  return rows[0] && withoutBefore(rows[0].doc);
}

/** Every bound zone. */
export async function boundZones(tx: ReadTx): Promise<readonly { readonly zone: Fqdn; readonly imvu: ImvuId }[]> {
  return await tx.query<{ zone: Fqdn; imvu: ImvuId }>("SELECT zone, id AS imvu FROM imvu ORDER BY number");
}

/** Sum of all envelopes but one. */
export async function allocatedFigures(tx: ReadTx, except: ImvuId | null): Promise<NodeFigures> {
  const [row] = await tx.query<{ cpu: string; memory: string; storage: string }>(
    "SELECT coalesce(sum(cpu_millis), 0) AS cpu, coalesce(sum(memory_bytes), 0) AS memory, coalesce(sum(storage_bytes), 0) AS storage FROM imvu WHERE $1::text IS NULL OR id <> $1",
    [except],
  );
  return { cpuMillis: Number(row?.cpu ?? 0), memoryBytes: Number(row?.memory ?? 0), storageBytes: Number(row?.storage ?? 0) };
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

export function withoutBefore(doc: ImvuDoc): Imvu {
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

export interface UnitRow {
  readonly imvu: Imvu;
  /** The document before a command that is at work. */
  readonly before?: Imvu | undefined;
  readonly index: number;
}

const PUT_UNITS = {
  name: "rows of units",
  text: `INSERT INTO imvu (id, number, owner, status, doc, updated_index)
      SELECT id, number, owner, status, doc::jsonb, updated_index FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::bigint[]) AS new (id, number, owner, status, doc, updated_index)
     ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, status = excluded.status, doc = excluded.doc, updated_index = excluded.updated_index`,
};

/** What the row holds, as JSON text. */
export function documentOf({ imvu, before }: Pick<UnitRow, "imvu" | "before">): string {
  return JSON.stringify(before ? { ...imvu, before } : imvu);
}

/** Nothing to write: undefined. */
export function imvuRows(rows: readonly UnitRow[]): Bound | undefined {
  if (rows.length === 0) return undefined;
  return {
    statement: PUT_UNITS,
    params: [
      textArray(rows.map(({ imvu }) => imvu.id)),
      bigintArray(rows.map(({ imvu }) => imvu.number)),
      textArray(rows.map(({ imvu }) => imvu.owner)),
      textArray(rows.map(({ imvu }) => imvu.status)),
      textArray(rows.map(documentOf)),
      bigintArray(rows.map(({ index }) => index)),
    ],
  };
}

/** A unit that was not here before: a row of the same id or number stops the whole transaction. */
export async function addImvu(tx: Tx, imvu: Imvu, index: number): Promise<void> {
  await tx.run("INSERT INTO imvu (id, number, owner, status, doc, updated_index) VALUES ($1, $2, $3, $4, $5::jsonb, $6)", [imvu.id, imvu.number, imvu.owner, imvu.status, JSON.stringify(imvu), index]);
}

/** While a command works, the larger of each limit counts, and the old document is kept for a crash. */
export function reserved(before: Imvu, after: Imvu): Omit<UnitRow, "index"> {
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
  return { imvu: { ...before, envelope }, before };
}

export async function removeImvu(tx: Tx, id: ImvuId): Promise<void> {
  await tx.run("DELETE FROM imvu WHERE id = $1", [id]);
}
