import { finished } from "node:stream/promises";
import type { Client } from "pg";
import { from as copyFrom } from "pg-copy-streams";
import type { NewEntry } from "../../src/contract/index.ts";
import type { Appended, Ledger } from "../../src/core/ledger/index.ts";
import { copyBytes } from "../../src/core/store/index.ts";
import { BenchDatabase } from "./bench-database.ts";
import { type Figure, median, type Part, round } from "./report.ts";

const ROUNDS = 5;
const ENTRIES = 80_000;
const CALLERS = 8_000;
const RAW_BATCH = 1_000;
const STREAMS = 16;
const BODY_BYTES = 400;
/** Of a body without its padding, as the streams and numbers of this bench make it. */
const PAD = "x".repeat(BODY_BYTES - 254);

export const ledgerAppend: Part = {
  name: "ledger-append",
  title: "Ledger: appends",
  about: `${CALLERS} callers append one entry at a time through the real ledger – entries, tree, checkpoints, tiles, each answer after COMMIT, the last checkpoint waited for – against binary COPY of rows with the same bodies in batches of ${RAW_BATCH} into the same PostgreSQL, each batch committed and on the disk, once into a table with the ledger's four indexes and once into a table with the primary key alone, neither with a check or a trigger. ${ENTRIES} entries each time, ${ROUNDS} times in turn.`,
  async measure() {
    await using database = await BenchDatabase.start();
    const ledger = await database.ledger();
    const raw = await database.owner();
    try {
      await raw.query("CREATE TABLE raw_indexed (LIKE ledger_entry INCLUDING INDEXES); CREATE TABLE raw_plain (LIKE ledger_entry); ALTER TABLE raw_plain ADD PRIMARY KEY (index)");
      // Both sides compiled and their files made before anything counts.
      const warm = await appendAll(ledger, ENTRIES);
      await rawAll(raw, "raw_indexed", warm.rows);
      await rawAll(raw, "raw_plain", warm.rows);
      const [ours, indexed, plain, bytes]: number[][] = [[], [], [], []];
      for (let at = 0; at < ROUNDS; at += 1) {
        const { rows, seconds } = await appendAll(ledger, ENTRIES);
        ours?.push(ENTRIES / seconds);
        indexed?.push(ENTRIES / (await rawAll(raw, "raw_indexed", rows)));
        plain?.push(ENTRIES / (await rawAll(raw, "raw_plain", rows)));
        bytes?.push(rows.reduce((sum, row) => sum + Buffer.byteLength(row.body), 0) / rows.length);
      }
      const figure = (name: string, base: readonly number[], goal: number): Figure => {
        const ratio = median((ours ?? []).map((value, at) => value / (base[at] ?? 1)));
        return { name, ours: round(median(ours ?? []), 0), baseline: round(median(base), 0), unit: "/s", ratio: round(ratio), goal: goal > 0 ? `at least ${goal} (aim 0.7)` : "", met: ratio >= goal };
      };
      return [
        figure(`durable appends of ${round(median(bytes ?? []), 0)}-byte bodies / raw COPY with the same indexes`, indexed ?? [], 0.5),
        figure("the same / raw COPY into a table with its primary key alone", plain ?? [], 0),
      ];
    } finally {
      await raw.end();
      await ledger.close();
    }
  },
};

/** A closed loop: each caller asks for the next entry when its last one is durable. */
async function appendAll(ledger: Ledger, count: number): Promise<{ readonly rows: readonly Appended[]; readonly seconds: number }> {
  const rows: Appended[] = [];
  let given = 0;
  const caller = async () => {
    for (let n = given++; n < count; n = given++) rows.push(...(await ledger.append([entryOf(n)])));
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: CALLERS }, caller));
  await ledger.receipt(ledger.size() - 1);
  const seconds = (performance.now() - began) / 1_000;
  return { rows: rows.sort((a, b) => a.index - b.index), seconds };
}

function entryOf(n: number): NewEntry {
  return { stream: `IMVU-${String(n % STREAMS).padStart(3, "0")}`, type: "meter.reading", actor: "platform", data: { n, pad: PAD } };
}

async function rawAll(client: Client, table: string, rows: readonly Appended[]): Promise<number> {
  const began = performance.now();
  for (let from = 0; from < rows.length; from += RAW_BATCH) {
    const bytes = copyBytes(rows.slice(from, from + RAW_BATCH).map((row) => [row.index, row.stream, row.streamSeq, row.body, row.leaf]));
    const copy = client.query(copyFrom(`COPY ${table} (index, stream, stream_seq, body, leaf) FROM STDIN (FORMAT binary)`));
    copy.end(bytes);
    await finished(copy);
  }
  return (performance.now() - began) / 1_000;
}
