import { parentPort, workerData } from "node:worker_threads";
import { bodyAsWritten, storedEntries } from "../core/ledger/index.ts";
import { openReader } from "../core/store/index.ts";
import { messageOf } from "../kernel/index.ts";
import type { Rated, RaterData, ToRate } from "./rating-pool.ts";
import { Openings } from "./openings.ts";
import { closingFor } from "./statements.ts";
import { publishedTariffs } from "./tariffs.ts";

/** A thread that rates one unit's month after another, for the pool that started it. It reads and answers; what is recorded is recorded elsewhere. */

/** One page is read while the next one is fetched. */
const CONNECTIONS = 2;

const { address, home } = workerData as RaterData;
const reader = openReader(address, CONNECTIONS);
const ledger = { entries: (filter = {}) => storedEntries(reader, filter, bodyAsWritten) };
const openings = new Openings(home);
// It lives for a round. What is published meanwhile holds in 30 days at the earliest, and no month that is over asks for it.
const tariffs = publishedTariffs(ledger);
tariffs.catch(() => {});

parentPort?.on("message", async ({ imvu, month }: ToRate) => {
  const answer: Rated = await closingFor({ ledger, openings }, imvu, month, await tariffs.catch(() => undefined)).then(
    (made) => ({ made }),
    (error: unknown) => ({ fault: messageOf(error) }),
  );
  parentPort?.postMessage(answer);
});
