import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Site } from "../../src/contract/index.ts";
import { openLedger, openLogKey } from "../../src/core/ledger/index.ts";
import { openStore } from "../../src/core/store/index.ts";
import { Closing } from "../../src/platform/closing.ts";
import { Openings } from "../../src/platform/openings.ts";
import { RatingPool } from "../../src/platform/rating-pool.ts";

/** In a process of its own, so that its memory is its own: closes every month that is over, by the platform's own closer. */
export interface CloseRun {
  readonly closed: number;
  readonly seconds: number;
  /** Of this process with its threads, and of the database. */
  readonly cpuSeconds: number;
  readonly rssBytes: number;
}

/** USER_HZ, which Linux shows every program as 100. */
const TICKS_PER_SECOND = 100;
const { site, now_ms, origin } = JSON.parse(process.argv[2] as string) as { site: Site; now_ms: number; origin: string };
const clock = { now: () => now_ms };
const store = await openStore({ site });
const ledger = await openLedger({ store, clock, randomBytes, logKey: await openLogKey(join(site.dir, "keys", "log.pem")), origin });
const meters = { record: () => Promise.reject(new TypeError("every unit was read after the month's end")) };
const openings = new Openings(site.dir);
const said: string[] = [];
const [cpuBegan, began] = [cpuSeconds(), performance.now()];
const closed = await new Closing({ store, ledger, meters, openings, clock, raters: () => new RatingPool({ site }, openings), say: (line) => void said.push(line) }).round();
const run: CloseRun = { closed, seconds: (performance.now() - began) / 1_000, cpuSeconds: cpuSeconds() - cpuBegan, rssBytes: process.resourceUsage().maxRSS * 1024 };
const open = said.find((line) => line.includes("stays open"));
if (open) throw new TypeError(open);
await ledger.close();
await store.close();
process.stdout.write(JSON.stringify(run));

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  const postmaster = readFileSync(join(site.dir, "pg/data/postmaster.pid"), "utf8").split("\n")[0] as string;
  const children = readFileSync(`/proc/${postmaster}/task/${postmaster}/children`, "utf8").split(" ").filter((pid) => pid !== "");
  // utime and stime, and of the postmaster those of children that have ended.
  const ticks = [ticksOf(postmaster, 4), ...children.map((pid) => ticksOf(pid, 2))];
  return (user + system) / 1e6 + ticks.reduce((sum, one) => sum + one, 0) / TICKS_PER_SECOND;
}

function ticksOf(pid: string, fields: number): number {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    // It has ended since, and its time is its parent's.
    return 0;
  }
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ").slice(11, 11 + fields).reduce((sum, one) => sum + Number(one), 0);
}
