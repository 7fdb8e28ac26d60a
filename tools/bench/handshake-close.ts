import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type Fabric, type NewEntry, type Reading, type ReadingSet, type ReadingSummary, RESOURCES, type Resource } from "../../src/contract/index.ts";
import { DEFAULT_PRICES_V1, type Gathered, gather, TARIFF_V1 } from "../../src/core/handshake/index.ts";
import { type Ledger, openLedger, openLogKey } from "../../src/core/ledger/index.ts";
import { newImvu } from "../../src/imvu/imvu-manager/imvu.fixture.ts";
import { type ImvuId, imvuIdOf, type Json } from "../../src/kernel/index.ts";
import { Closing } from "../../src/platform/closing.ts";
import { Meters } from "../../src/platform/meters.ts";
import { RatingPool } from "../../src/platform/rating-pool.ts";
import { BenchDatabase } from "./bench-database.ts";
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
const SAMPLE_MS = 50;
/** USER_HZ, which Linux shows every program as 100. */
const TICKS_PER_SECOND = 100;

/** Units of which every counter and every level is another one each minute, and such as stand still. */
const KINDS = ["never idle", "idle"] as const;
type Kind = (typeof KINDS)[number];

export const handshakeClose: Part = {
  name: "handshake-close",
  title: "Handshake: closing a month",
  about: `${TIMES.map((times) => times * UNITS).join(", ")} units with readings of all ${RESOURCE_NAMES.length} series each minute of 30 days, ${SETS.toLocaleString("en")} of each unit, as the platform records them: an entry each half hour. Of units that are never idle every counter and every level is another one each minute. Every statement is made from the unit's stream and written with its row and its journal, by the platform's own closer in its two threads, against reading the same bodies from the same PostgreSQL and parsing them as JSON in one. The time is that from the first unit to the last. The last rows are what the largest comes to for ${MANY.toLocaleString("en")} units. Memory is that of the whole process, main thread and its pool of connections included.`,
  async measure() {
    await using database = await BenchDatabase.start();
    const clock = { at: BEGIN_MS, now: () => clock.at };
    const logKey = await openLogKey(join(database.site.dir, "keys", "log.pem"));
    const ledger = await openLedger({ store: database.store, clock, randomBytes, logKey, origin: "bench.example/nexus" });
    const raw = await database.owner();
    try {
      await ledger.append([{ stream: "platform", type: "platform.tariff", actor: "platform", data: { v: TARIFF_V1, currency: "EUR", validFrom: "2026-11-01T00:00:00.000Z", prices: DEFAULT_PRICES_V1 } }]);
      let kind: Kind = "idle";
      const fabric = { meter: async () => readingsAt(clock.at, kind) } as unknown as Fabric<unknown, Json>;
      const meters = new Meters([fabric], ledger, clock);
      const figures: Figure[] = [];
      const wholes: Figure[] = [];
      let [made, memory_mib] = [0, 0];
      for (kind of KINDS) {
        const month = monthOf(kind);
        let [each_us, cpu] = [0, 0];
        for (const times of TIMES) {
          const ids = Array.from({ length: times * UNITS }, (_, at) => imvuIdOf(made + at + 1));
          for (const [at, id] of ids.entries()) {
            await database.store.transaction((tx) => tx.run("INSERT INTO imvu (id, number, owner, status, doc, updated_index) VALUES ($1, $2, 'bench', 'active', $3::jsonb, 0)", [id, made + at + 1, JSON.stringify({ ...newImvu(), id, number: made + at + 1 })]));
            clock.at = BEGIN_MS;
            await meters.record(id);
            await append(ledger, id, month);
          }
          made += ids.length;
          clock.at = CLOSED_MS;
          for (const id of ids) await meters.record(id);
          const rawBegan = performance.now();
          let bodies = 0;
          for (const id of ids) for (const { body } of (await raw.query<{ body: string }>("SELECT body FROM ledger_entry WHERE stream = $1 ORDER BY stream_seq", [id])).rows) bodies += JSON.parse(body).v;
          const rawSeconds = (performance.now() - rawBegan) / 1_000;
          collect();
          const sampler = setInterval(() => {
            memory_mib = Math.max(memory_mib, process.memoryUsage.rss() / 1024 ** 2);
          }, SAMPLE_MS);
          const [cpuBegan, began] = [cpuSeconds(database), performance.now()];
          const closed = await new Closing({ store: database.store, ledger, meters, clock, raters: () => new RatingPool({ site: database.site }), say: () => {} }).round();
          const seconds = (performance.now() - began) / 1_000;
          cpu = cpuSeconds(database) - cpuBegan;
          clearInterval(sampler);
          if (closed !== ids.length || bodies !== ids.length * (month.length + 2)) throw new TypeError(`${closed} of ${ids.length} months closed, ${bodies} bodies`);
          const sets = ids.length * SETS;
          each_us = (seconds * 1e6) / sets;
          figures.push({ name: `a reading of all series, of ${sets.toLocaleString("en")} in ${ids.length} ${kind} units, ${bodies.toLocaleString("en")} entries`, ours: round(each_us), baseline: round((rawSeconds * 1e6) / sets), unit: "µs", ratio: round(seconds / rawSeconds), goal: "", met: false });
        }
        const whole = (each_us * MANY * SETS) / 1e6;
        wholes.push({ name: `${MANY.toLocaleString("en")} units that are ${kind}, 30 days, at that cost`, ours: round(whole, 0), baseline: null, unit: "s", ratio: null, goal: `under ${GOAL_SECONDS}`, met: whole < GOAL_SECONDS });
        const worked = (cpu * MANY) / ((TIMES.at(-1) as number) * UNITS);
        wholes.push({ name: "CPU time of that, the database's included, of the two cores together", ours: round(worked, 0), baseline: null, unit: "s", ratio: null, goal: `under ${2 * GOAL_SECONDS}`, met: worked < 2 * GOAL_SECONDS });
      }
      return [...figures, { name: "memory of the process meanwhile", ours: round(memory_mib, 0), baseline: null, unit: "MiB", ratio: null, goal: `under ${GOAL_MEMORY_MIB}`, met: memory_mib < GOAL_MEMORY_MIB }, ...wholes];
    } finally {
      await raw.end();
      await ledger.close();
    }
  },
};

/** Of this process with its threads, and of the database: what works, and what has ended. */
function cpuSeconds({ site }: BenchDatabase): number {
  const { user, system } = process.cpuUsage();
  const postmaster = readFileSync(join(site.dir, "pg/data/postmaster.pid"), "utf8").split("\n")[0] as string;
  const children = readFileSync(`/proc/${postmaster}/task/${postmaster}/children`, "utf8").split(" ").filter((pid) => pid !== "");
  // utime and stime, and of the postmaster those of children that have ended.
  const ticks = [ticksOf(postmaster, 4), ...children.map((pid) => ticksOf(pid, 2))];
  return (user + system) / 1e6 + ticks.reduce((sum, one) => sum + one, 0) / TICKS_PER_SECOND;
}

function ticksOf(pid: string, fields: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ").slice(11, 11 + fields).reduce((sum, one) => sum + Number(one), 0);
}

/** What making the readings left behind is not what closing needs. */
function collect(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}

/** What the platform writes of a month's readings but for the first. */
export function monthOf(kind: Kind): readonly ReadingSummary[] {
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

export async function append(ledger: Ledger, imvu: ImvuId, month: readonly ReadingSummary[]): Promise<void> {
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
