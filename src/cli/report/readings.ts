import type { MeterReading } from "../../contract/index.ts";
import type { ImvuId } from "../../kernel/index.ts";
import { ReadingRows } from "../../verify/index.ts";
import type { Context } from "../context.ts";
import { instantsOf } from "../month-state.ts";

const ENTRIES_PAGE = 500;

interface Shown {
  readonly period: string;
  /** Of a month by another clock than UTC. */
  readonly start?: string;
  readonly end?: string;
  readonly streamHead: { readonly streamSeq: number } | null;
}

interface Page {
  readonly entries: readonly { readonly index: number; readonly streamSeq: number; readonly type: string; readonly data: unknown }[];
}

/** The readings that a month's statement knows, of an open month up to now, as rows. */
export async function readingsOf(context: Context, imvu: ImvuId, asked: string | undefined): Promise<{ readonly csv: string; readonly month: string; readonly readings: number; readonly rows: number }> {
  const [client, signer] = [await context.client(), await context.signer()];
  const read = async (path: string) => (await client.read(signer, `/v1/imvus/${imvu}/${path}`)) as unknown;
  const statement = (await read(`statement${asked === undefined ? "" : `?month=${encodeURIComponent(asked)}`}`)) as Shown;
  const made = new ReadingRows(instantsOf(statement));
  const headSeq = statement.streamHead?.streamSeq ?? -1;
  let readings = 0;
  for (let from = 0, more = true; more; ) {
    const { entries } = (await read(`ledger?from=${from}&limit=${ENTRIES_PAGE}`)) as Page;
    for (const { index, type, data } of entries.filter(({ streamSeq }) => streamSeq <= headSeq)) {
      if (type !== "meter.reading") continue;
      made.add(index, data as MeterReading);
      readings += 1;
    }
    const last = entries.at(-1);
    more = entries.length === ENTRIES_PAGE && last !== undefined && last.streamSeq < headSeq;
    from = (last?.index ?? 0) + 1;
  }
  const csv = made.csv();
  return { csv, month: statement.period, readings, rows: csv.split("\r\n").length - 2 };
}
