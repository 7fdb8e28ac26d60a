import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { DEFAULT_PRICES_V1, TARIFF_V1 } from "../../src/core/handshake/index.ts";
import { openLedger, openLogKey } from "../../src/core/ledger/index.ts";
import { type ImvuId, systemClock } from "../../src/kernel/index.ts";
import { revenueCheck } from "../../src/platform/revenue-check.ts";
import { BenchDatabase } from "./bench-database.ts";
import { append, closeAt, monthOf, newUnit, ORIGIN, readAt } from "./metered-month.ts";
import { type Figure, type Part, round } from "./report.ts";

const MONTHS = 12;
const UNITS = 16;
const KIND = "never idle";
const begins = (month: number) => Date.UTC(2026, 10 + month, 1, 0, 0, 1);
/** A second after its last reading, which is half a minute after it began. */
const closesAt = (month: number) => begins(month + 1) + 30_000;

export const handshakeAge: Part = {
  name: "handshake-age",
  title: "Handshake: closing a month of units that are a year old",
  about: `${UNITS} units that are never idle, read each minute, whose months close one after another as they do on a platform: what the first month took, what the twelfth took, and what it takes when what was kept of the eleventh is gone and the whole stream is read. Then all ${MONTHS} months of all units are made again from their readings by the offline verifier's own code, which walks each stream once for what statements it has and once for all its readings.`,
  async measure() {
    await using database = await BenchDatabase.start();
    const logKey = await openLogKey(join(database.site.dir, "keys", "log.pem"));
    const ledgerAt = (now_ms: number) => openLedger({ store: database.store, clock: { now: () => now_ms }, randomBytes, logKey, origin: ORIGIN });
    const first = await ledgerAt(begins(0));
    await first.append([{ stream: "platform", type: "platform.tariff", actor: "platform", data: { v: TARIFF_V1, currency: "EUR", validFrom: "2026-11-01T00:00:00.000Z", prices: DEFAULT_PRICES_V1 } }]);
    const ids: ImvuId[] = [];
    for (let number = 1; number <= UNITS; number += 1) ids.push(await newUnit(database, number));
    for (const id of ids) await readAt(first, id, KIND, begins(0));
    await first.close();
    const seconds: number[] = [];
    for (let month = 0; month <= MONTHS; month += 1) {
      const ledger = await ledgerAt(closesAt(month));
      const entries = monthOf(KIND, month === 0 ? begins(0) : begins(month) + 60_000, begins(month + 1) - 1_000);
      for (const id of ids) {
        await append(ledger, id, entries);
        await readAt(ledger, id, KIND, closesAt(month));
      }
      await ledger.close();
      // The month after the twelfth is read whole.
      if (month === MONTHS) await rm(join(database.site.dir, "openings"), { recursive: true });
      const run = await closeAt(database, closesAt(month));
      if (run.closed !== UNITS) throw new TypeError(`${run.closed} months closed`);
      seconds.push(run.seconds);
    }
    const [one, twelve, whole] = [seconds[0], seconds[MONTHS - 1], seconds[MONTHS]] as [number, number, number];
    const ledger = await openLedger({ store: database.store, clock: systemClock, randomBytes, logKey, origin: ORIGIN });
    const { ok, statements, readings, ms } = await revenueCheck(ledger, ids.map((id) => ({ id })));
    await ledger.close();
    if (!ok || statements !== UNITS * (MONTHS + 1)) throw new TypeError(`${statements} statements, ${ok}`);
    const figures: Figure[] = [
      { name: "the twelfth month against the first", ours: round(twelve), baseline: round(one), unit: "s", ratio: round(twelve / one), goal: "at most 1.5", met: twelve / one <= 1.5 },
      { name: "the thirteenth month, with nothing kept of the twelfth", ours: round(whole), baseline: round(one), unit: "s", ratio: round(whole / one), goal: "", met: false },
      { name: `${statements} statements made again from ${readings.toLocaleString("en")} reading entries`, ours: round(ms / 1_000), baseline: null, unit: "s", ratio: null, goal: "", met: false },
      { name: "of that, for each reading entry", ours: round((ms * 1_000) / readings), baseline: null, unit: "µs", ratio: null, goal: "", met: false },
    ];
    return figures;
  },
};
