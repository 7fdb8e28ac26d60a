import type { EntryBody } from "../../contract/index.ts";
import { accept, Fault, type Outcome } from "../../kernel/index.ts";
import type { Store } from "../store/index.ts";
import { type Appended, parseEntryBody } from "./entry.ts";
import { entryRows } from "./log-rows.ts";

const PAGE_ENTRIES = 256;

export type LedgerEntry = (Appended & Pick<EntryBody, "type" | "actor" | "data">) | ErasedEntry;

/** An entry whose body is gone: its place and its commitment are left. */
export interface ErasedEntry extends Pick<Appended, "index" | "stream" | "streamSeq" | "leaf"> {
  readonly type: "erased";
  readonly body: null;
}

export interface EntryFilter {
  readonly stream?: string;
  readonly from?: number;
  readonly to?: number;
  /** Of a stream: no `meter.reading` entries, which are most of them. */
  readonly butReadings?: boolean;
}

/**
 * A body as the sequencer wrote it, taken as it is: that a body is in canonical form is for verifiers and fsck to check, and costs more than to read it.
 * Whoever could write another into the database would write it in canonical form.
 */
export function bodyAsWritten(text: string): Outcome<EntryBody> {
  return accept(JSON.parse(text) as EntryBody);
}

/** Entries with from ≤ index < to as the database holds them, in order, two pages in memory. */
export async function* storedEntries(store: Pick<Store, "snapshot">, { stream, from = 0, to = Number.MAX_SAFE_INTEGER, butReadings = false }: EntryFilter = {}, parse: typeof parseEntryBody = parseEntryBody): AsyncGenerator<LedgerEntry> {
  const page = (first: number) => {
    const rows = store.snapshot((tx) => entryRows(tx, first, to, PAGE_ENTRIES, stream, butReadings));
    // Whoever stops reading before it is there leaves nobody who would hear of its fault.
    rows.catch(() => {});
    return rows;
  };
  let next = from < to ? page(from) : undefined;
  while (next) {
    const rows = await next;
    const last = rows.at(-1);
    // The next page is on its way while this one is read.
    next = last && rows.length === PAGE_ENTRIES && last.index + 1 < to ? page(last.index + 1) : undefined;
    for (const row of rows) {
      if (row.body === null) {
        yield { index: row.index, stream: row.stream, streamSeq: row.stream_seq, leaf: row.leaf, type: "erased", body: null };
        continue;
      }
      const body = parse(row.body);
      if (!body.ok) throw new Fault("LEDGER_BROKEN", `entry ${row.index}: ${body.message}`, { hint: "nexus ledger fsck" });
      const { time, type, actor, data } = body.value;
      yield { index: row.index, stream: row.stream, streamSeq: row.stream_seq, time, body: row.body, leaf: row.leaf, type, actor, data };
    }
  }
}
