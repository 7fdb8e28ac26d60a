import type { ImvuId, Json } from "../../kernel/index.ts";
import type { MeterReading, Resource } from "../../contract/index.ts";
import { resourcesOf } from "../handshake/index.ts";
import type { LedgerEntry } from "../ledger/index.ts";
import type { ReadTx } from "../store/index.ts";

/** What is asked of a unit's readings without reading its stream: since when it is metered, and what its newest entry says of when and what. */

/** Parameters: unit; index, first instant and resources of the first of some new entries; index, last instant and resources of their last. */
export const PUT_READING = {
  name: "put reading",
  text: `INSERT INTO reading (imvu, place, entry_index, at, resources) VALUES ($1, 'first', $2, $3, $4), ($1, 'newest', $5, $6, $7)
    ON CONFLICT (imvu, place) DO UPDATE SET entry_index = EXCLUDED.entry_index, at = EXCLUDED.at, resources = EXCLUDED.resources
    WHERE reading.place = 'newest' AND reading.entry_index < EXCLUDED.entry_index`,
};

/** Whose meters are attached; null where nothing was read yet. */
export async function metersOf(tx: ReadTx, imvu: ImvuId): Promise<readonly Resource[] | null> {
  const [row] = await tx.query<{ resources: readonly Resource[] }>("SELECT resources FROM reading WHERE imvu = $1 AND place = 'newest'", [imvu]);
  return row?.resources ?? null;
}

/** What its newest entry says; undefined where nothing was read yet. */
export async function newestReading(tx: ReadTx, imvu: ImvuId): Promise<MeterReading | undefined> {
  const [row] = await tx.query<{ body: string }>("SELECT body FROM ledger_entry WHERE index = (SELECT entry_index FROM reading WHERE imvu = $1 AND place = 'newest')", [imvu]);
  return row && (JSON.parse(row.body) as { readonly data: MeterReading }).data;
}

export async function heldReadings(tx: ReadTx): Promise<ReadonlyMap<string, Json>> {
  const rows = await tx.query<{ imvu: ImvuId; place: string; entry_index: number; at: string; resources: readonly Resource[] }>("SELECT imvu, place, entry_index, at, resources FROM reading");
  return new Map(rows.map(({ imvu, place, entry_index, at, resources }) => [`${imvu} ${place}`, { index: entry_index, at, resources }]));
}

/** The same rows, as the log tells them. */
export class ToldReadings {
  readonly rows = new Map<string, Json>();

  note(entry: LedgerEntry): void {
    if (entry.type !== "meter.reading") return;
    const reading = entry.data as unknown as MeterReading;
    const { imvu, at } = reading;
    const resources = resourcesOf(reading);
    if (!this.rows.has(`${imvu} first`)) this.rows.set(`${imvu} first`, { index: entry.index, at: "v" in reading ? reading.from : at, resources });
    this.rows.set(`${imvu} newest`, { index: entry.index, at, resources });
  }
}
