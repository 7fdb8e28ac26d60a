import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { type Fabric, type NewEntry, type Reading, type ReadingSet, type ReadingSummary, RESOURCES, type Resource } from "../../src/contract/index.ts";
import { DEFAULT_PRICES_V1, type Gathered, gather, TARIFF_V1 } from "../../src/core/handshake/index.ts";
import { type Ledger, openLedger, openLogKey } from "../../src/core/ledger/index.ts";
import { newImvu } from "../../src/imvu/imvu-manager/imvu.fixture.ts";
import { type ImvuId, imvuIdOf, type Json, runOk } from "../../src/kernel/index.ts";
import { Meters } from "../../src/platform/meters.ts";
import { BenchDatabase } from "./bench-database.ts";
import type { CloseRun } from "./close-run.ts";
import { type Figure, type Part, round } from "./report.ts";

const TIMES = [1, 4, 16] as const;
const UNITS = 4;
const BATCH = 250;
const MINUTE_MS = 60_000;
const BEGIN_MS = Date.UTC(2026, 10, 1, 0, 0, 1);
const END_MS = Date.UTC(2026, 11, 1);
const CLOSED_MS = END_MS + 30_000;
const SETS = (END_MS - BEGIN_MS + 1_000) / MINUTE_MS;
const RESOURCE_NAMES = Object.keys(RESOURCES) as Resource[];
const MANY = 1_000;
const GOAL_SECONDS = 60;
const GOAL_MEMORY_MIB = 400;
const RUN_TIMEOUT_MS = 600_000;
const ORIGIN = "bench.example/nexus";

/** Units of which every counter and every level is another one each minute, and such as stand still. */
const KINDS = ["never idle", "idle"] as const;
type Kind = (typeof KINDS)[number];

export const handshakeClose: Part = {
  name: "handshake-close",
  title: "Handshake: closing a month",
  about: `${TIMES.map((times) => times * UNITS).join(", ")} units with readings of all ${RESOURCE_NAMES.length} series each minute of 30 days, ${SETS.toLocaleString("en")} of each unit, as the platform records them: an entry each half hour. Of units that are never idle every counter and every level is another one each minute. Every statement is made from the unit's stream and written with its row and its journal, by the platform's own closer in its two threads, against reading the same bodies from the same PostgreSQL and parsing them as JSON in one. The time is that from the first unit to the last. The last rows are what the largest comes to for ${MANY.toLocaleString("en")} units. The closer is a process of its own.`,
  async measure() {
    await using database = await BenchDatabase.start();
    const logKey = await openLogKey(join(database.site.dir, "keys", "log.pem"));
    const ledgerAt = (now_ms: number) => openLedger({ store: database.store, clock: { now: () => now_ms }, randomBytes, logKey, origin: ORIGIN });
    const raw = await database.owner();
    try {
      const first = await ledgerAt(BEGIN_MS);
      await first.append([{ stream: "platform", type: "platform.tariff", actor: "platform", data: { v: TARIFF_V1, currency: "EUR", validFrom: "2026-11-01T00:00:00.000Z", prices: DEFAULT_PRICES_V1 } }]);
      await first.close();
      const figures: Figure[] = [];
      const wholes: Figure[] = [];
      let [made, memory_mib] = [0, 0];
      for (const kind of KINDS) {
        const month = monthOf(kind);
        let [each_us, cpu] = [0, 0];
        for (const times of TIMES) {
          const ids = Array.from({ length: times * UNITS }, (_, at) => imvuIdOf(made + at + 1));
          const ledger = await ledgerAt(CLOSED_MS);
          const meters = (now_ms: number) => new Meters([{ meter: async () => readingsAt(now_ms, kind) } as unknown as Fabric<unknown, Json>], ledger, { now: () => now_ms });
          for (const [at, id] of ids.entries()) {
            await database.store.transaction((tx) => tx.run("INSERT INTO imvu (id, number, owner, status, doc, updated_index) VALUES ($1, $2, 'bench', 'active', $3::jsonb, 0)", [id, made + at + 1, JSON.stringify({ ...newImvu(), id, number: made + at + 1 })]));
            await meters(BEGIN_MS).record(id);
            await append(ledger, id, month);
            await meters(CLOSED_MS).record(id);
          }
          await ledger.close();
          made += ids.length;
          const rawBegan = performance.now();
          let bodies = 0;
          for (const id of ids) for (const { body } of (await raw.query<{ body: string }>("SELECT body FROM ledger_entry WHERE stream = $1 ORDER BY stream_seq", [id])).rows) bodies += JSON.parse(body).v;
          const rawSeconds = (performance.now() - rawBegan) / 1_000;
          const ran = await runIn(database);
          if (ran.closed !== ids.length || bodies !== ids.length * (month.length + 2)) throw new TypeError(`${ran.closed} of ${ids.length} months closed, ${bodies} bodies`);
          const sets = ids.length * SETS;
          [each_us, cpu] = [(ran.seconds * 1e6) / sets, (ran.cpuSeconds * MANY) / ids.length];
          memory_mib = Math.max(memory_mib, ran.rssBytes / 1024 ** 2);
          figures.push({ name: `a reading of all series, of ${sets.toLocaleString("en")} in ${ids.length} ${kind} units, ${bodies.toLocaleString("en")} entries`, ours: round(each_us), baseline: round((rawSeconds * 1e6) / sets), unit: "µs", ratio: round(ran.seconds / rawSeconds), goal: "", met: false });
        }
        const whole = (each_us * MANY * SETS) / 1e6;
        wholes.push({ name: `${MANY.toLocaleString("en")} units that are ${kind}, 30 days, at that cost`, ours: round(whole, 0), baseline: null, unit: "s", ratio: null, goal: `under ${GOAL_SECONDS}`, met: whole < GOAL_SECONDS });
        wholes.push({ name: "CPU time of that, the database's included, on both cores", ours: round(cpu, 0), baseline: null, unit: "s", ratio: null, goal: `under ${2 * GOAL_SECONDS}`, met: cpu < 2 * GOAL_SECONDS });
      }
      return [...figures, { name: "memory of the process that closes", ours: round(memory_mib, 0), baseline: null, unit: "MiB", ratio: null, goal: `under ${GOAL_MEMORY_MIB}`, met: memory_mib < GOAL_MEMORY_MIB }, ...wholes];
    } finally {
      await raw.end();
    }
  },
};

async function runIn({ site }: BenchDatabase): Promise<CloseRun> {
  return JSON.parse(await runOk([process.execPath, join(import.meta.dirname, "close-run.ts"), JSON.stringify({ site, now_ms: CLOSED_MS, origin: ORIGIN })], { timeout_ms: RUN_TIMEOUT_MS })) as CloseRun;
}

/** What the platform writes of a month's readings but for the first. */
function monthOf(kind: Kind): readonly ReadingSummary[] {
  const entries: ReadingSummary[] = [];
  let gathered: Gathered = {};
  for (let at_ms = BEGIN_MS; at_ms < END_MS; at_ms += MINUTE_MS) {
    const set: ReadingSet = { imvu: imvuIdOf(1), at: new Date(at_ms).toISOString(), readings: readingsAt(at_ms, kind) };
    const { write, known } = gather(gathered, set, at_ms + MINUTE_MS >= END_MS);
    if (at_ms > BEGIN_MS) entries.push(...write);
    gathered = known;
  }
  return entries;
}

async function append(ledger: Ledger, imvu: ImvuId, month: readonly ReadingSummary[]): Promise<void> {
  for (let from = 0; from < month.length; from += BATCH) {
    await ledger.append(month.slice(from, from + BATCH).map((summary): NewEntry => ({ stream: imvu, type: "meter.reading", actor: "platform", data: { ...summary, imvu } as unknown as Json })));
  }
}

/** Lives as engines have them: a group of their own for CPU, memory, storage, the device, answers, mail and the link. */
function readingsAt(at_ms: number, kind: Kind): readonly Reading[] {
  const minutes = kind === "idle" ? 7 : Math.floor((at_ms - BEGIN_MS) / MINUTE_MS);
  return RESOURCE_NAMES.map((resource, at) => {
    const life = resource.startsWith("compute.io") || resource.startsWith("network") || resource.startsWith("mail") ? resource.split(".")[0] : resource;
    const value = RESOURCES[resource].kind === "gauge" ? 268_435_456 + 4_096 * ((minutes * (at + 7)) % 1_000) : (1_000_003 + at) * minutes;
    return { resource, value: String(value), boot: "5b7f0f0c-8b7c-4a3e-9df1-3c5d0e9a1b2c", epoch: `4026532281-${life}` };
  });
}
