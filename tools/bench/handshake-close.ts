import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { DEFAULT_PRICES_V1, TARIFF_V1 } from "../../src/core/handshake/index.ts";
import { openLedger, openLogKey } from "../../src/core/ledger/index.ts";
import type { ImvuId } from "../../src/kernel/index.ts";
import { BenchDatabase } from "./bench-database.ts";
import { append, closeAt, KINDS, MINUTE_MS, monthOf, newUnit, ORIGIN, readAt, SERIES } from "./metered-month.ts";
import { type Figure, type Part, round } from "./report.ts";

const TIMES = [1, 4, 16] as const;
const UNITS = 16;
const BEGIN_MS = Date.UTC(2026, 10, 1, 0, 0, 1);
const END_MS = Date.UTC(2026, 11, 1);
const CLOSED_MS = END_MS + 30_000;
const SETS = (END_MS - BEGIN_MS + 1_000) / MINUTE_MS;
const MANY = 1_000;
const GOAL_SECONDS = 60;
const GOAL_MEMORY_MIB = 400;

export const handshakeClose: Part = {
  name: "handshake-close",
  title: "Handshake: closing a month",
  about: `${TIMES.map((times) => times * UNITS).join(", ")} units with readings of all ${SERIES} series each minute of 30 days, ${SETS.toLocaleString("en")} of each unit, as the platform records them: an entry each half hour. Of units that are never idle every counter and every level is another one each minute. Every statement is made from the unit's stream and written with its row and its journal, by the platform's own closer in its two threads, against reading the same bodies from the same PostgreSQL and parsing them as JSON in one. The closer is a process of its own; the time is that from the first unit to the last, with what it takes to start the threads and to warm them up. That is the same however many units there are: the least and the largest tell it from what each reading costs, and the one between is held against both. The last rows are what they come to for ${MANY.toLocaleString("en")} units.`,
  async measure() {
    await using database = await BenchDatabase.start();
    const logKey = await openLogKey(join(database.site.dir, "keys", "log.pem"));
    const ledgerAt = (now_ms: number) => openLedger({ store: database.store, clock: { now: () => now_ms }, randomBytes, logKey, origin: ORIGIN });
    const raw = await database.owner();
    /** As one connection has them from the database, and one thread parses them. */
    const readRaw = async (ids: readonly ImvuId[]): Promise<{ readonly bodies: number; readonly seconds: number }> => {
      const began = performance.now();
      let bodies = 0;
      for (const id of ids) for (const { body } of (await raw.query<{ body: string }>("SELECT body FROM ledger_entry WHERE stream = $1 ORDER BY stream_seq", [id])).rows) bodies += JSON.parse(body).v;
      return { bodies, seconds: (performance.now() - began) / 1_000 };
    };
    try {
      const first = await ledgerAt(BEGIN_MS);
      await first.append([{ stream: "platform", type: "platform.tariff", actor: "platform", data: { v: TARIFF_V1, currency: "EUR", validFrom: "2026-11-01T00:00:00.000Z", prices: DEFAULT_PRICES_V1 } }]);
      await first.close();
      const figures: Figure[] = [];
      const wholes: Figure[] = [];
      let [made, memory_mib] = [0, 0];
      for (const kind of KINDS) {
        const month = monthOf(kind, BEGIN_MS, END_MS);
        const runs: { readonly units: number; readonly seconds: number; readonly cpuSeconds: number }[] = [];
        for (const times of TIMES) {
          const ledger = await ledgerAt(CLOSED_MS);
          const ids: ImvuId[] = [];
          while (ids.length < times * UNITS) {
            made += 1;
            const id = await newUnit(database, made);
            await readAt(ledger, id, kind, BEGIN_MS);
            await append(ledger, id, month);
            await readAt(ledger, id, kind, CLOSED_MS);
            ids.push(id);
          }
          await ledger.close();
          const { bodies, seconds: rawSeconds } = await readRaw(ids);
          const { closed, seconds, cpuSeconds, rssBytes } = await closeAt(database, CLOSED_MS);
          if (closed !== ids.length || bodies !== ids.length * (month.length + 2)) throw new TypeError(`${closed} of ${ids.length} months closed, ${bodies} bodies`);
          runs.push({ units: ids.length, seconds, cpuSeconds });
          memory_mib = Math.max(memory_mib, rssBytes / 1024 ** 2);
          const sets = ids.length * SETS;
          figures.push({ name: `${ids.length} ${kind} units, ${sets.toLocaleString("en")} readings of all series in ${bodies.toLocaleString("en")} entries`, ours: round(seconds), baseline: round(rawSeconds), unit: "s", ratio: round(seconds / rawSeconds), goal: "", met: false });
        }
        const [least, between, most] = runs as [(typeof runs)[0], (typeof runs)[0], (typeof runs)[0]];
        const each = (most.seconds - least.seconds) / (most.units - least.units);
        const start = least.seconds - least.units * each;
        figures.push({ name: `of that for each reading of all series of ${kind} units, ${round(start)} s for the start`, ours: round((each * 1e6) / SETS), baseline: null, unit: "µs", ratio: null, goal: "", met: false });
        const linear = between.seconds / (start + between.units * each);
        figures.push({ name: `${between.units} ${kind} units against what that makes of them`, ours: round(between.seconds), baseline: round(start + between.units * each), unit: "s", ratio: round(linear), goal: "0.8 to 1.25: linear", met: linear > 0.8 && linear < 1.25 });
        const whole = start + MANY * each;
        wholes.push({ name: `${MANY.toLocaleString("en")} units that are ${kind}, 30 days`, ours: round(whole, 0), baseline: null, unit: "s", ratio: null, goal: `under ${GOAL_SECONDS}`, met: whole < GOAL_SECONDS });
        const cpu = ((most.cpuSeconds - least.cpuSeconds) / (most.units - least.units)) * MANY;
        wholes.push({ name: "CPU time of that, the database's included, on both cores", ours: round(cpu, 0), baseline: null, unit: "s", ratio: null, goal: `under ${2 * GOAL_SECONDS}`, met: cpu < 2 * GOAL_SECONDS });
      }
      return [...figures, { name: "memory of the process that closes", ours: round(memory_mib, 0), baseline: null, unit: "MiB", ratio: null, goal: `under ${GOAL_MEMORY_MIB}`, met: memory_mib < GOAL_MEMORY_MIB }, ...wholes];
    } finally {
      await raw.end();
    }
  },
};
