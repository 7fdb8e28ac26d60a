import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Caller, type Printed } from "../../src/cli/demo/driver.ts";
import { engineProcesses } from "./engine-processes.ts";
import { type Figure, type Part, round } from "./report.ts";

const UNITS = [4, 12] as const;
const WATCH_S = 60;
/** Of USER_HZ, which Linux shows every program as 100. */
const TICK_MS = 10;
const GOAL_PERCENT = 3;
const MANY = 1_000;
const MINUTE_S = 60;

/** What it costs to read idle units: a platform that reads them every second against the same one that reads them hourly. */
export const handshakeMetering: Part = {
  name: "handshake-metering",
  title: "Handshake: metering idle units",
  about: `A platform with ${UNITS.join(" and ")} idle units that reads them every second, against the same one that reads them hourly: CPU time of all its engines, its service and its supervisor, children included, over ${WATCH_S} s each. The last row is what the larger comes to for ${MANY.toLocaleString("en")} units that are read once a minute, as by default.`,
  async measure() {
    const root = await mkdtemp(join(tmpdir(), "nb-"));
    await chmod(root, 0o711);
    try {
      return await measure(root);
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  },
};

async function measure(root: string): Promise<readonly Figure[]> {
  const home = join(root, "p");
  const operator = new Caller(home);
  const figures: Figure[] = [];
  const interval = (seconds: number) => writeFile(join(home, "nexus.yaml"), `meterIntervalSeconds: ${seconds}\n`);
  await mkdir(home, { mode: 0o700 });
  let [made, each_ms] = [0, 0];
  try {
    for (const units of UNITS) {
      await interval(3_600);
      const hourly = await cpuMs(operator, home, async (api) => {
        const creator = new Caller(join(root, "c"), `http://${api}`);
        if (made === 0) await creator.ok("identity", "create", "creator-8891");
        for (; made < units; made += 1) await creator.ok("imvu", "create", "--name", `Unit${made}`, "--owner", "creator-8891", "--jurisdiction", "EU-GDPR", "--cpu", "0.1", "--memory", "0.125", "--storage", "0.125");
      });
      await interval(1);
      const everySecond = await cpuMs(operator, home, async () => {});
      each_ms = (everySecond - hourly) / (WATCH_S * units);
      figures.push({ name: `CPU time of one reading of one of ${units} units`, ours: round(each_ms), baseline: null, unit: "ms", ratio: null, goal: "", met: true });
      figures.push({ name: `a second of the platform with ${units} units, read every second / hourly`, ours: round(everySecond / WATCH_S), baseline: round(hourly / WATCH_S), unit: "ms", ratio: round(everySecond / hourly), goal: "", met: true });
    }
  } finally {
    await operator.call("down", "--purge");
  }
  const percent = (each_ms * MANY) / (MINUTE_S * 10);
  return [...figures, { name: `${MANY.toLocaleString("en")} idle units, a reading a minute`, ours: round(percent, 1), baseline: null, unit: "% of a core", ratio: null, goal: `under ${GOAL_PERCENT}`, met: percent < GOAL_PERCENT }];
}

/** CPU time of a platform that is started, prepared, and left alone. */
async function cpuMs(operator: Caller, home: string, prepare: (api: string) => Promise<void>): Promise<number> {
  await operator.ok("up", "--detach");
  const status: Printed = await operator.ok("status");
  await prepare(status.listen.api);
  const { homeId } = JSON.parse(await readFile(join(home, "platform/home.json"), "utf8")) as { homeId: string };
  const ticks = async () => {
    let sum = 0;
    for (const pid of await engineProcesses(homeId, status.supervisor.pid)) {
      const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
      // utime, stime, and those of children that have ended.
      for (const field of stat.slice(stat.lastIndexOf(")") + 2).split(" ").slice(11, 15)) sum += Number(field);
    }
    return sum;
  };
  await pause(5);
  const before = await ticks();
  await pause(WATCH_S);
  const used = (await ticks()) - before;
  await operator.ok("down");
  return used * TICK_MS;
}

async function pause(seconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
}
