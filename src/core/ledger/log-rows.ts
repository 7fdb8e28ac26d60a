import { Fault } from "../../kernel/index.ts";
import { bigintArray, type Bound, byteaArray, type CopyField, type CopyIn, type ReadTx, textArray, type Tx } from "../store/index.ts";
import { type Appended, parseEntryBody, type StreamHead, TIME_UNKNOWN } from "./entry.ts";

/** The ledger's rows: the only SQL that names ledger_entry and ledger_checkpoint. */

export interface EntryRow {
  readonly index: number;
  readonly stream: string;
  readonly stream_seq: number;
  /** null: erased. */
  readonly body: string | null;
  readonly leaf: Buffer;
}

export interface CheckpointRow {
  readonly size: number;
  readonly previous: number | null;
  readonly root: Buffer;
  readonly note: string;
}

export function copyEntries(tx: Tx): CopyIn {
  return tx.copy("ledger_entry (index, stream, stream_seq, body, leaf)");
}

export function entryFields(entry: Appended): readonly CopyField[] {
  return [entry.index, entry.stream, entry.streamSeq, entry.body, entry.leaf];
}

const INSERT_ENTRIES = { name: "ledger entries", text: "INSERT INTO ledger_entry (index, stream, stream_seq, body, leaf) SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::bytea[])" };

/** The same rows as copyEntries takes, as one statement: for so few that one more round trip would cost more than COPY saves. */
export function insertEntries(entries: readonly Appended[]): Bound {
  return {
    statement: INSERT_ENTRIES,
    params: [
      bigintArray(entries.map(({ index }) => index)),
      textArray(entries.map(({ stream }) => stream)),
      bigintArray(entries.map(({ streamSeq }) => streamSeq)),
      textArray(entries.map(({ body }) => body)),
      byteaArray(entries.map(({ leaf }) => leaf)),
    ],
  };
}

export async function entryCount(tx: ReadTx): Promise<number> {
  const rows = await tx.query<{ last: number | null }>("SELECT max(index) AS last FROM ledger_entry");
  const last = rows[0]?.last ?? null;
  return last === null ? 0 : last + 1;
}

export async function entryRow(tx: ReadTx, index: number): Promise<EntryRow | undefined> {
  return (await tx.query<EntryRow>("SELECT index, stream, stream_seq, body, leaf FROM ledger_entry WHERE index = $1", [index]))[0];
}

/** To the letter the condition of the index `ledger_entry_but_readings`. */
const BUT_READINGS = `AND right(body, 30) IS DISTINCT FROM ',"type":"meter.reading","v":1}'`;

/** Up to `limit` rows with from ≤ index < to, in order; of one stream when it is given, and of that without its readings. */
export async function entryRows(tx: ReadTx, from: number, to: number, limit: number, stream?: string, butReadings = false): Promise<readonly EntryRow[]> {
  const columns = "SELECT index, stream, stream_seq, body, leaf FROM ledger_entry WHERE index >= $1 AND index < $2";
  if (stream === undefined) return await tx.query<EntryRow>(`${columns} ORDER BY index LIMIT $3`, [from, to, limit]);
  return await tx.query<EntryRow>(`${columns} AND stream = $4 ${butReadings ? BUT_READINGS : ""} ORDER BY index LIMIT $3`, [from, to, limit, stream]);
}

/** Takes a body away for good, in the transaction of the entry that says so. */
export async function eraseBodies(tx: Tx, indexes: readonly number[], order: number): Promise<void> {
  await tx.query("SELECT ledger_erase($1::bigint[], $2)", [indexes, order]);
}

export async function leavesOf(tx: ReadTx, from: number, to: number): Promise<readonly Buffer[]> {
  return (await tx.query<{ leaf: Buffer }>("SELECT leaf FROM ledger_entry WHERE index >= $1 AND index < $2 ORDER BY index", [from, to])).map(
    (row) => row.leaf,
  );
}

/** The last entry of each stream that has one. */
export async function streamHeads(tx: ReadTx, streams: readonly string[]): Promise<ReadonlyMap<string, StreamHead>> {
  const rows = await tx.query<EntryRow>(
    `SELECT last.* FROM unnest($1::text[]) AS wanted (stream), LATERAL (
       SELECT index, stream, stream_seq, body, leaf FROM ledger_entry e WHERE e.stream = wanted.stream ORDER BY stream_seq DESC LIMIT 1
     ) AS last`,
    [streams],
  );
  return new Map(
    rows.map((row) => {
      if (row.body === null) return [row.stream, { streamSeq: row.stream_seq, time: TIME_UNKNOWN, leaf: row.leaf }];
      const body = parseEntryBody(row.body);
      if (!body.ok) throw new Fault("LEDGER_BROKEN", `entry ${row.index}: ${body.message}`, { hint: "nexus ledger fsck" });
      return [row.stream, { streamSeq: row.stream_seq, time: body.value.time, leaf: row.leaf }];
    }),
  );
}

export async function newestCheckpoint(tx: ReadTx): Promise<CheckpointRow | undefined> {
  return (await tx.query<CheckpointRow>("SELECT size, previous, root, note FROM ledger_checkpoint ORDER BY size DESC LIMIT 1"))[0];
}

export async function checkpointRows(tx: ReadTx, above: number, limit: number): Promise<readonly CheckpointRow[]> {
  return await tx.query<CheckpointRow>("SELECT size, previous, root, note FROM ledger_checkpoint WHERE size > $1 ORDER BY size LIMIT $2", [
    above,
    limit,
  ]);
}

const INSERT_CHECKPOINT = { name: "ledger checkpoint", text: "INSERT INTO ledger_checkpoint (size, previous, root, note) VALUES ($1, $2, $3, $4)" };

/** Compare and swap: fails on a unique constraint when another checkpoint extends the same previous one. */
export function insertCheckpoint({ size, previous, root, note }: CheckpointRow): Bound {
  return { statement: INSERT_CHECKPOINT, params: [size, previous, root, note] };
}
