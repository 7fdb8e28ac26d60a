import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Caller, type Printed } from "../../src/cli/demo/driver.ts";
import { type Fabric, type Reading, RESOURCES, type Resource } from "../../src/contract/index.ts";
import { SUMMARY_MS_MAX } from "../../src/core/handshake/reading-form.ts";
import { newImvu } from "../../src/imvu/imvu-manager/imvu.fixture.ts";
import { imvuIdOf, type Json } from "../../src/kernel/index.ts";
import { Meters } from "../../src/platform/meters.ts";
import { BenchDatabase } from "./bench-database.ts";
import { engineCpuMs } from "./engine-cpu.ts";
import { type Figure, type Part, round } from "./report.ts";

const FEW = 8;
const UNITS = [FEW, 40] as const;
const SETTLE_S = 8;
const WATCH_S = 30;
const GOAL_PERCENT = 3;
const MANY = 1_000;
const MINUTE_S = 60;
const ROUNDS_RECORDED = 5;

/** What it costs to read idle units: a platform that reads them every second against the same one that reads them hourly. */
export const handshakeMetering: Part = {
  name: "handshake-metering",
  title: "Handshake: metering idle units",
  about: `A platform with ${UNITS.join(" and ")} idle units, each with its running service, zone, mailbox and link, that reads them every second, against the same one that reads them hourly: CPU time of all its engines, of its service and of every child of theirs, over ${WATCH_S} s each. A round costs something whatever it reads, and something for each unit: the two sizes tell them apart. A set in which nothing moved is recorded each ${SUMMARY_MS_MAX / 60_000} minutes; what that costs is measured of ${MANY.toLocaleString("en")} sets in rounds of the platform's own recorder, on a PostgreSQL of their own. The last row adds up a minute: one round, ${MANY.toLocaleString("en")} units, and the sets of them that are due.`,
  async measure() {
    const root = await mkdtemp(join(tmpdir(), "nb-"));
    await chmod(root, 0o711);
    try {
      const recorded_ms = await recordedMs();
      return await measure(root, recorded_ms);
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  },
};

async function measure(root: string, recorded_ms: number): Promise<readonly Figure[]> {
  const home = join(root, "p");
  const operator = new Caller(home);
  const figures: Figure[] = [];
  const interval = (seconds: number) => writeFile(join(home, "nexus.yaml"), `meterIntervalSeconds: ${seconds}\n`);
  const figure = (name: string, ours: number, unit: string, baseline: number | null = null) => figures.push({ name, ours: round(ours), baseline: baseline === null ? null : round(baseline), unit, ratio: baseline === null ? null : round(ours / baseline), goal: "", met: true });
  await mkdir(home, { mode: 0o700 });
  const rounds_ms: number[] = [];
  let made = 0;
  try {
    for (const units of UNITS) {
      await interval(3_600);
      const hourly = await watched(operator, home, async (api) => {
        const creator = new Caller(join(root, "c"), `http://${api}`);
        if (made === 0) await creator.ok("identity", "create", "creator-8891");
        for (; made < units; made += 1) await creator.ok("imvu", "create", "--name", `Unit${made}`, "--owner", "creator-8891", "--jurisdiction", "EU-GDPR", "--cpu", "0.1", "--memory", "0.125", "--storage", "0.125");
      });
      await interval(1);
      const everySecond = await watched(operator, home, async () => {});
      rounds_ms.push((everySecond.cpu_ms - hourly.cpu_ms) / WATCH_S);
      figure(`a second of the platform with ${units} units, read every second / hourly`, everySecond.cpu_ms / WATCH_S, "ms", hourly.cpu_ms / WATCH_S);
      figure(`sets that were recorded meanwhile, of ${units * WATCH_S}`, everySecond.entries, "");
    }
  } finally {
    await operator.call("down", "--purge");
  }
  const [few = 0, more = 0] = rounds_ms;
  const unit_ms = (more - few) / (UNITS[1] - FEW);
  const round_ms = few - unit_ms * FEW;
  figure("CPU time of a round, whatever it reads", round_ms, "ms");
  figure("CPU time for each unit in it", unit_ms, "ms");
  figure("CPU time of a set that is recorded", recorded_ms, "ms");
  const percent = (Math.max(round_ms, 0) + MANY * (unit_ms + (recorded_ms * MINUTE_S * 1_000) / SUMMARY_MS_MAX)) / (MINUTE_S * 10);
  return [...figures, { name: `${MANY.toLocaleString("en")} idle units, a reading a minute`, ours: round(percent, 1), baseline: null, unit: "% of a core", ratio: null, goal: `under ${GOAL_PERCENT}`, met: percent < GOAL_PERCENT }];
}

/** CPU time, and entries of the log, of a platform that is started, prepared, and left alone. */
async function watched(operator: Caller, home: string, prepare: (api: string) => Promise<void>): Promise<{ cpu_ms: number; entries: number }> {
  await operator.ok("up", "--detach");
  const status: Printed = await operator.ok("status");
  await prepare(status.listen.api);
  const { homeId } = JSON.parse(await readFile(join(home, "platform/home.json"), "utf8")) as { homeId: string };
  const size = async () => (await operator.ok("status")).ledger.size as number;
  await pause(SETTLE_S);
  const before = await size();
  const begun = await engineCpuMs(homeId, status.supervisor.pid);
  await pause(WATCH_S);
  const cpu_ms = (await engineCpuMs(homeId, status.supervisor.pid)) - begun;
  const entries = (await size()) - before;
  await operator.ok("down");
  return { cpu_ms, entries };
}

/** CPU time of one set that is written down, PostgreSQL's share included. */
async function recordedMs(): Promise<number> {
  await using database = await BenchDatabase.start();
  const ledger = await database.ledger();
  try {
    const clock = { at: Date.now(), now: () => clock.at };
    const fabric = { meter: async () => idle } as unknown as Fabric<unknown, Json>;
    const meters = new Meters([fabric], ledger, clock);
    const units = Array.from({ length: MANY / ROUNDS_RECORDED }, (_, at) => ({ ...newImvu(), id: imvuIdOf(at + 1), number: at + 1 }));
    for (const { id, number } of units) await database.store.transaction((tx) => tx.run("INSERT INTO imvu (id, number, owner, status, doc, updated_index) VALUES ($1, $2, 'bench', 'active', $3::jsonb, 0)", [id, number, JSON.stringify({ ...newImvu(), id, number })]));
    const cpuMs = () => engineCpuMs(database.site.homeId, process.pid);
    const wrong = (line: string) => {
      throw new TypeError(line);
    };
    await meters.round(units, wrong);
    const begun = await cpuMs();
    for (let rounds = 0; rounds < ROUNDS_RECORDED; rounds += 1) {
      clock.at += SUMMARY_MS_MAX;
      await meters.round(units, wrong);
    }
    return ((await cpuMs()) - begun) / MANY;
  } finally {
    await ledger.close();
  }
}

const idle = (Object.keys(RESOURCES) as Resource[]).map((resource): Reading => ({ resource, value: "268435456", boot: "5b7f0f0c-8b7c-4a3e-9df1-3c5d0e9a1b2c", epoch: "cgroup-4026532281" }));

async function pause(seconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
}
