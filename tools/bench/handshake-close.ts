import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { type Fabric, type NewEntry, type Reading, RESOURCES, type Resource } from "../../src/contract/index.ts";
import { DEFAULT_PRICES_V1, TARIFF_V1 } from "../../src/core/handshake/index.ts";
import { type Ledger, openLedger, openLogKey } from "../../src/core/ledger/index.ts";
import { newImvu } from "../../src/imvu/imvu-manager/imvu.fixture.ts";
import { type ImvuId, imvuIdOf, type Json } from "../../src/kernel/index.ts";
import { Closing } from "../../src/platform/closing.ts";
import { Meters } from "../../src/platform/meters.ts";
import { BenchDatabase } from "./bench-database.ts";
import { type Figure, type Part, round } from "./report.ts";

const UNITS = [4, 16, 64] as const;
const SETS = 2_000;
const BATCH = 500;
const MONTH_MS = 30 * 24 * 3_600_000;
const BEGIN_MS = Date.UTC(2026, 10, 1, 0, 0, 1);
const RESOURCE_NAMES = Object.keys(RESOURCES) as Resource[];
/** A thousand units, thirty days: a set each half hour of units that are idle, each minute of units that never are. */
const IDLE_READINGS = 1_000 * 30 * 48 * RESOURCE_NAMES.length;
const BUSY_READINGS = 1_000 * 30 * 24 * 60 * RESOURCE_NAMES.length;
const GOAL_SECONDS = 60;
const GOAL_MEMORY_MIB = 400;

export const handshakeClose: Part = {
  name: "handshake-close",
  title: "Handshake: closing a month",
  about: `${UNITS.join(", ")} units with ${SETS} sets of ${RESOURCE_NAMES.length} readings each over a month: every statement is made from the unit's stream and written with its row and its journal, by the platform's own closer, against reading the same bodies from the same PostgreSQL and parsing them as JSON. The last rows are what the largest comes to for 1,000 units and 30 days: idle ones, with a set each half hour, ${IDLE_READINGS.toLocaleString("en")} readings, and such as are never idle, with one each minute, ${BUSY_READINGS.toLocaleString("en")}. One process.`,
  async measure() {
    await using database = await BenchDatabase.start();
    const clock = { at: BEGIN_MS, now: () => clock.at };
    const logKey = await openLogKey(join(database.site.dir, "keys", "log.pem"));
    const ledger = await openLedger({ store: database.store, clock, randomBytes, logKey, origin: "bench.example/nexus" });
    const raw = await database.owner();
    try {
      await ledger.append([{ stream: "platform", type: "platform.tariff", actor: "platform", data: { v: TARIFF_V1, currency: "EUR", validFrom: "2026-11-01T00:00:00.000Z", prices: DEFAULT_PRICES_V1 } }]);
      const fabric = { meter: async () => readingsAt(clock.at) } as unknown as Fabric<unknown, Json>;
      const meters = new Meters([fabric], ledger, clock);
      const figures: Figure[] = [];
      let [made, each_us, memory_mib] = [0, 0, 0];
      for (const units of UNITS) {
        clock.at = BEGIN_MS;
        const ids = Array.from({ length: units }, (_, at) => imvuIdOf(made + at + 1));
        for (const [at, id] of ids.entries()) {
          await database.store.transaction((tx) => tx.run("INSERT INTO imvu (id, number, owner, status, doc, updated_index) VALUES ($1, $2, 'bench', 'active', $3::jsonb, 0)", [id, made + at + 1, JSON.stringify({ ...newImvu(), id, number: made + at + 1 })]));
          clock.at = BEGIN_MS;
          await meters.record(id);
          await readMonth(ledger, id);
        }
        made += units;
        clock.at = Date.UTC(2026, 11, 1, 0, 0, 30);
        for (const id of ids) await meters.record(id);
        const rawBegan = performance.now();
        let bodies = 0;
        for (const id of ids) for (const { body } of (await raw.query<{ body: string }>("SELECT body FROM ledger_entry WHERE stream = $1 ORDER BY stream_seq", [id])).rows) bodies += JSON.parse(body).v;
        const rawSeconds = (performance.now() - rawBegan) / 1_000;
        const began = performance.now();
        const closed = await new Closing({ store: database.store, ledger, meters, clock, say: () => {} }).round();
        const seconds = (performance.now() - began) / 1_000;
        if (closed !== units || bodies < units * SETS) throw new TypeError(`${closed} of ${units} months closed, ${bodies} bodies`);
        const readings = units * (SETS + 2) * RESOURCE_NAMES.length;
        each_us = (seconds * 1e6) / readings;
        memory_mib = Math.max(memory_mib, process.memoryUsage().rss / 1024 ** 2);
        figures.push({ name: `a reading, of ${readings.toLocaleString("en")} in ${units} units`, ours: round(each_us), baseline: round((rawSeconds * 1e6) / readings), unit: "µs", ratio: round(seconds / rawSeconds), goal: "", met: false });
      }
      const of = (name: string, readings: number): Figure => {
        const whole = (each_us * readings) / 1e6;
        return { name, ours: round(whole, 0), baseline: null, unit: "s", ratio: null, goal: `under ${GOAL_SECONDS}`, met: whole < GOAL_SECONDS };
      };
      return [
        ...figures,
        { name: "memory of the process meanwhile", ours: round(memory_mib, 0), baseline: null, unit: "MiB", ratio: null, goal: `under ${GOAL_MEMORY_MIB}`, met: memory_mib < GOAL_MEMORY_MIB },
of("1,000 idle units, 30 days, at that cost", IDLE_READINGS),
        of("1,000 units that are never idle, the same", BUSY_READINGS),
      ];
    } finally {
      await raw.end();
      await ledger.close();
    }
  },
};

async function readMonth(ledger: Ledger, imvu: ImvuId): Promise<void> {
  for (let from = 0; from < SETS; from += BATCH) {
    await ledger.append(
      Array.from({ length: Math.min(BATCH, SETS - from) }, (_, at): NewEntry => {
        const at_ms = BEGIN_MS + Math.floor(((from + at + 1) * (MONTH_MS - 60_000)) / (SETS + 1));
        return { stream: imvu, type: "meter.reading", actor: "platform", data: { imvu, at: new Date(at_ms).toISOString(), readings: readingsAt(at_ms) as unknown as Json } };
      }),
    );
  }
}

function readingsAt(at_ms: number): readonly Reading[] {
  const counted = String(1_000_003 * (at_ms - BEGIN_MS));
  return RESOURCE_NAMES.map((resource) => ({ resource, value: RESOURCES[resource].kind === "gauge" ? "268435456" : counted, boot: "5b7f0f0c-8b7c-4a3e-9df1-3c5d0e9a1b2c", epoch: "4026532281" }));
}
