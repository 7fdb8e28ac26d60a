import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Caller, type Printed } from "../../src/cli/demo/driver.ts";
import { engineProcesses } from "./engine-processes.ts";
import { rawCreate } from "./raw-create.ts";
import { type Figure, median, type Part, round } from "./report.ts";

const ROUNDS = 5;

/** A whole platform as it is run, against the raw engines. */
export const platform: Part = {
  name: "platform",
  title: "Platform",
  about: `Medians of ${ROUNDS} pairs taken in turn.`,
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

/** Sum of proportional set sizes of every process in a home's groups, and of its supervisor. */
async function pssBytes(homeId: string, supervisor: number): Promise<number> {
  let total = 0;
  for (const pid of await engineProcesses(homeId, supervisor)) {
    const text = await readFile(`/proc/${pid}/smaps_rollup`, "utf8").catch(() => "");
    total += Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0) * 1024;
  }
  return total;
}

/** From the intent's entry to the outcome's, by the log's own times. */
async function recordedMs(who: Caller, imvu: string): Promise<number> {
  const { entries } = await who.ok("ledger", "entries", "--imvu-id", imvu);
  const at = (type: string) => Date.parse(entries.find((entry: { type: string }) => entry.type === type).time);
  return at("effect.applied") - at("command.accepted");
}

async function measure(root: string): Promise<readonly Figure[]> {
  const results: Figure[] = [];
  const operator = new Caller(join(root, "p"));
  const creator = new Caller(join(root, "c"));
  await operator.ok("up", "--detach");
  try {
    const status: Printed = await operator.ok("status");
    const { homeId } = JSON.parse(await readFile(join(root, "p/platform/home.json"), "utf8")) as { homeId: string };
    const there = new Caller(creator.home, `http://${status.listen.api}`);
    await there.ok("identity", "create", "creator-8891");
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    const idle = await pssBytes(homeId, status.supervisor.pid);
    results.push({ name: "idle platform without IMVUs, sum of PSS", ours: round(idle / 1024 ** 2, 1), baseline: null, unit: "MiB", ratio: null, goal: "under 350", met: idle < 350 * 1024 ** 2 });
    const create = (name: string) => there.ok("imvu", "create", "--name", name, "--owner", "creator-8891", "--jurisdiction", "EU-GDPR", "--cpu", "0.5", "--memory", "0.25", "--storage", "0.25");
    await create("Warm");
    const ours: number[] = [];
    const raw: number[] = [];
    const typed: number[] = [];
    for (let round_ = 0; round_ < ROUNDS; round_ += 1) {
      const began = performance.now();
      const made: Printed = await create(`Unit${round_}`);
      typed.push(performance.now() - began);
      ours.push(await recordedMs(there, made.imvu.id));
      raw.push(await rawCreate({ home: join(root, "p/platform"), homeId, round: round_ }));
    }
    const ratio = median(ours.map((value, at) => value / (raw[at] ?? 1)));
    results.push({ name: "create with a warm image, from the signed intent to the recorded outcome / the raw engine calls by a script", ours: round(median(ours), 0), baseline: round(median(raw), 0), unit: "ms", ratio: round(ratio), goal: "at most 2 (aim 1.5)", met: ratio <= 2 });
    results.push({ name: "the same as typed, from the command line's start to the checked receipt", ours: round(median(typed), 0), baseline: round(median(raw), 0), unit: "ms", ratio: round(median(typed.map((value, at) => value / (raw[at] ?? 1)))), goal: "", met: true });
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    const with6 = await pssBytes(homeId, status.supervisor.pid);
    const each = (with6 - idle) / (ROUNDS + 1);
    results.push({ name: "each idle IMVU beside its own service, sum of PSS", ours: round(each / 1024 ** 2, 1), baseline: null, unit: "MiB", ratio: null, goal: "under 15", met: each < 15 * 1024 ** 2 });
  } finally {
    await operator.ok("down", "--purge");
  }
  return results;
}
