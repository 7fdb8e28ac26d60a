import { join } from "node:path";
import { type Fabric, type NewEntry, type Reading, type ReadingSet, type ReadingSummary, RESOURCES, type Resource } from "../../src/contract/index.ts";
import { type Gathered, gather } from "../../src/core/handshake/index.ts";
import type { Ledger } from "../../src/core/ledger/index.ts";
import { newImvu } from "../../src/imvu/imvu-manager/imvu.fixture.ts";
import { type ImvuId, imvuIdOf, type Json, runOk } from "../../src/kernel/index.ts";
import { Meters } from "../../src/platform/meters.ts";
import type { BenchDatabase } from "./bench-database.ts";
import type { CloseRun } from "./close-run.ts";

/** Units whose months are read each minute, as the platform records them. */
export const SERIES = Object.keys(RESOURCES).length;
export const ORIGIN = "bench.example/nexus";
const BATCH = 250;
export const MINUTE_MS = 60_000;
const RUN_TIMEOUT_MS = 600_000;
const RESOURCE_NAMES = Object.keys(RESOURCES) as Resource[];

/** Units of which every counter and every level is another one each minute, and such as stand still. */
export const KINDS = ["never idle", "idle"] as const;
export type Kind = (typeof KINDS)[number];

/** What the platform writes of readings from `begin_ms` on, but for the first, which is recorded already. */
export function monthOf(kind: Kind, begin_ms: number, end_ms: number): readonly ReadingSummary[] {
  const entries: ReadingSummary[] = [];
  let gathered: Gathered = {};
  for (let at_ms = begin_ms; at_ms < end_ms; at_ms += MINUTE_MS) {
    const set: ReadingSet = { imvu: imvuIdOf(1), at: new Date(at_ms).toISOString(), readings: readingsAt(at_ms, kind) };
    const { write, known } = gather(gathered, set, at_ms + MINUTE_MS >= end_ms);
    if (at_ms > begin_ms) entries.push(...write);
    gathered = known;
  }
  return entries;
}

export async function newUnit({ store }: BenchDatabase, number: number): Promise<ImvuId> {
  const id = imvuIdOf(number);
  await store.transaction((tx) => tx.run("INSERT INTO imvu (id, number, owner, status, doc, updated_index) VALUES ($1, $2, 'bench', 'active', $3::jsonb, 0)", [id, number, JSON.stringify({ ...newImvu(), id, number })]));
  return id;
}

/** A reading on demand at that instant, by the platform's own recorder. */
export async function readAt(ledger: Ledger, imvu: ImvuId, kind: Kind, now_ms: number): Promise<void> {
  await new Meters([{ meter: async () => readingsAt(now_ms, kind) } as unknown as Fabric<unknown, Json>], ledger, { now: () => now_ms }).record(imvu);
}

export async function append(ledger: Ledger, imvu: ImvuId, month: readonly ReadingSummary[]): Promise<void> {
  for (let from = 0; from < month.length; from += BATCH) {
    await ledger.append(month.slice(from, from + BATCH).map((summary): NewEntry => ({ stream: imvu, type: "meter.reading", actor: "platform", data: { ...summary, imvu } as unknown as Json })));
  }
}

/** Every month that is over then is closed, by a process of its own. */
export async function closeAt({ site }: BenchDatabase, now_ms: number): Promise<CloseRun> {
  return JSON.parse(await runOk([process.execPath, join(import.meta.dirname, "close-run.ts"), JSON.stringify({ site, now_ms, origin: ORIGIN })], { timeout_ms: RUN_TIMEOUT_MS })) as CloseRun;
}

/** Lives as engines have them: a group of their own for CPU, memory, storage, the device, answers, mail and the link. */
function readingsAt(at_ms: number, kind: Kind): readonly Reading[] {
  const minutes = kind === "idle" ? 7 : Math.floor((at_ms - Date.UTC(2026, 9, 31)) / MINUTE_MS);
  return RESOURCE_NAMES.map((resource, at) => {
    const life = resource.startsWith("compute.io") || resource.startsWith("network") || resource.startsWith("mail") ? resource.split(".")[0] : resource;
    const value = RESOURCES[resource].kind === "gauge" ? 268_435_456 + 4_096 * ((minutes * (at + 7)) % 1_000) : (1_000_003 + at) * minutes;
    return { resource, value: String(value), boot: "5b7f0f0c-8b7c-4a3e-9df1-3c5d0e9a1b2c", epoch: `4026532281-${life}` };
  });
}
