import { existsSync, readFileSync, statSync } from "node:fs";
import { mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Envelope, Site } from "../../contract/index.ts";
import { Fault, messageOf, sleep } from "../../kernel/index.ts";
import type { EnvelopeReading } from "../state.ts";
import type { CgroupDriver, ControlFile, ControlTexts, ControlWrite, Counters } from "./driver.ts";
import { groupOf, type Hierarchy } from "./hierarchy.ts";
import { CPU_PERIOD_US, differences, type Limits, limitsOf } from "./limits.ts";
import { v1 } from "./v1.ts";
import { v2 } from "./v2.ts";

const REMOVE_TIMEOUT_MS = 5_000;
const REMOVE_POLL_MS = 10;

/** The parent groups of one home's IMVUs: made, set, read back, counted, removed. */
export class Groups {
  readonly hierarchy: Hierarchy;
  readonly driver: CgroupDriver;
  private readonly site: Pick<Site, "homeId">;

  constructor(site: Pick<Site, "homeId">, hierarchy: Hierarchy) {
    this.site = site;
    this.hierarchy = hierarchy;
    this.driver = hierarchy.mode === "v1" ? v1 : v2;
  }

  /** What the container engine is told as the parent. */
  pathOf(number: number): string {
    return groupOf(this.site, number);
  }

  private path(number: number, { controller, file }: ControlFile): string {
    return join(this.hierarchy.controllers[controller], groupOf(this.site, number), file);
  }

  exists(number: number): boolean {
    return existsSync(join(this.hierarchy.controllers.memory, groupOf(this.site, number)));
  }

  /** Sets every limit, reads all back and compares; whatever goes wrong, the limits from before are put back and a Fault is thrown. */
  async apply(number: number, envelope: Envelope, device: string | null): Promise<void> {
    const isNew = !this.exists(number);
    await this.ensure(number);
    const before = await this.read(number, device);
    const want = limitsOf(envelope);
    try {
      await this.write(number, want, before, device);
      const wrong = differences(envelope, await this.read(number, device));
      if (wrong.length > 0) throw new Fault("LIMITS_DIFFER", `the kernel does not hold the envelope: ${wrong.join("; ")}`);
    } catch (error) {
      if (isNew) await this.remove(number).catch(() => {});
      else await this.putBack(number, before, device);
      throw error instanceof Fault ? error : new Fault("LIMITS_REFUSED", `the kernel refused a limit: ${messageOf(error)}`, { cause: error });
    }
  }

  /** Limits as they were read at an earlier time; the group is made when it is gone. */
  async restore(number: number, read: EnvelopeReading, device: string | null): Promise<void> {
    await this.ensure(number);
    await this.putBack(number, read, device);
  }

  /** The governor's one word: raises or lowers the CPU quota alone. */
  async setCpu(number: number, cpuMillis: number, envelope: Envelope): Promise<void> {
    const limits = { ...limitsOf(envelope), quotaUs: (limitsOf(envelope).quotaUs * cpuMillis) / envelope.cpuMillis };
    const writes = this.driver.render(limits, await this.read(number, null), null).filter((write) => write.controller === "cpu");
    for (const write of writes) await this.writeOne(number, write);
  }

  private async write(number: number, limits: Limits, now: EnvelopeReading, device: string | null): Promise<void> {
    for (const write of this.driver.render(limits, now, device)) await this.writeOne(number, write);
  }

  private async writeOne(number: number, write: ControlWrite): Promise<void> {
    const path = this.path(number, write);
    if (write.optional && !existsSync(path)) return;
    try {
      await writeFile(path, write.value);
    } catch (cause) {
      const busy = (cause as NodeJS.ErrnoException).code === "EBUSY";
      throw new Fault(busy ? "LIMIT_IN_USE" : "LIMIT_REFUSED", `${write.file} = ${write.value}: ${busy ? "more than that is in use" : messageOf(cause)}`, { cause });
    }
  }

  /** As much of it as the kernel takes: this is the way back, and there is none behind it. */
  private async putBack(number: number, before: EnvelopeReading, device: string | null): Promise<void> {
    const { cpuMillis, memoryBytes, processes, readIops } = before;
    const limits: Limits = {
      quotaUs: ((cpuMillis ?? 0) * CPU_PERIOD_US) / 1_000,
      periodUs: CPU_PERIOD_US,
      burstUs: before.burstUs ?? 0,
      memoryBytes: memoryBytes ?? 0,
      processes: processes ?? 0,
      iops: readIops ?? 0,
    };
    const had: Record<string, boolean> = { cpu: cpuMillis !== null, memory: memoryBytes !== null, pids: processes !== null, blkio: readIops !== null };
    const writes = this.driver.render(limits, await this.read(number, device), device).filter((write) => had[write.controller]);
    for (const write of writes) await this.writeOne(number, write).catch(() => {});
  }

  private async ensure(number: number): Promise<void> {
    const { mode, controllers } = this.hierarchy;
    const group = groupOf(this.site, number);
    if (mode === "v2") {
      const root = controllers.cpu;
      const home = join(root, group, "..");
      await mkdir(join(root, group), { recursive: true });
      // A controller exists in a group only when every group above it hands it down.
      for (const above of [root, home]) await writeFile(join(above, "cgroup.subtree_control"), "+cpu +memory +pids +io");
      return;
    }
    for (const tree of new Set(Object.values(controllers))) await mkdir(join(tree, group), { recursive: true });
  }

  async read(number: number, device: string | null): Promise<EnvelopeReading> {
    return this.driver.readLimits(await this.texts(number, this.driver.limitFiles), device);
  }

  async counters(number: number, device: string | null): Promise<Counters> {
    return this.driver.readCounters(await this.texts(number, this.driver.counterFiles), device);
  }

  /** As `counters`, at once: for who meters every unit there is, a promise for each of these small files costs ten times what reading it does. */
  countersNow(number: number, device: string | null): Counters {
    const texts = this.driver.counterFiles.map((file) => [file.file, readFileSync(this.path(number, file), "utf8")] as const);
    return this.driver.readCounters(Object.fromEntries(texts), device);
  }

  /**
   * Changes when, and only when, the counters begin anew. A group's inode is never given twice in one boot; its times are not used,
   * because the kernel makes them up again when it forgets and rereads the inode.
   */
  epoch(number: number, controller: "cpuacct" | "memory" | "blkio"): string {
    const { ino } = statSync(join(this.hierarchy.controllers[controller], groupOf(this.site, number)), { bigint: true });
    return `cgroup-${ino}`;
  }

  private async texts(number: number, files: readonly ControlFile[]): Promise<ControlTexts> {
    const texts: Record<string, string> = {};
    for (const file of files) {
      try {
        texts[file.file] = await readFile(this.path(number, file), "utf8");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      }
    }
    return texts;
  }

  /** Where limits on devices do not reach children, a service's first process is put into the parent before it runs; its own follow it. */
  async adopt(number: number, pid: number): Promise<void> {
    if (!this.driver.ioReachesChildren) await writeFile(this.path(number, { controller: "blkio", file: "cgroup.procs" }), String(pid));
  }

  /** Everything running in the group or below it, in any tree. */
  async members(number: number): Promise<ReadonlySet<number>> {
    const pids = new Set<number>();
    for (const tree of this.hierarchy.trees) for (const path of await groupsBelow(join(tree, groupOf(this.site, number)))) {
      const text = await readFile(join(path, "cgroup.procs"), "utf8").catch(() => "");
      for (const pid of text.split("\n").filter(Boolean)) pids.add(Number(pid));
    }
    return pids;
  }

  /** Numbers of the IMVUs that have a group in any tree. */
  async numbers(): Promise<readonly number[]> {
    const found = new Set<number>();
    for (const tree of this.hierarchy.trees)
      for (const name of await readdir(join(tree, `nx${this.site.homeId}`)).catch(() => [] as string[])) {
        const number = /^imvu-(\d+)$/.exec(name)?.[1];
        if (number !== undefined) found.add(Number(number));
      }
    return [...found].sort((a, b) => a - b);
  }

  /** The groups must be empty of processes. Removes them from every tree, and the home's own group where nothing else is in it. */
  async remove(number: number): Promise<void> {
    for (const tree of this.hierarchy.trees) {
      for (const path of (await groupsBelow(join(tree, groupOf(this.site, number)))).toReversed()) await removeGroup(path);
      await rmdir(join(tree, `nx${this.site.homeId}`)).catch((error: NodeJS.ErrnoException) => {
        // Other IMVUs' groups, and the supervisor's, live there too.
        if (!["ENOENT", "EBUSY", "ENOTEMPTY"].includes(error.code ?? "")) throw error;
      });
    }
  }
}

/** The group and all below it, parents first. */
async function groupsBelow(path: string): Promise<string[]> {
  const found: string[] = existsSync(path) ? [path] : [];
  for (const entry of await readdir(path, { withFileTypes: true }).catch(() => [])) if (entry.isDirectory()) found.push(...(await groupsBelow(join(path, entry.name))));
  return found;
}

async function removeGroup(path: string): Promise<void> {
  for (const deadline = Date.now() + REMOVE_TIMEOUT_MS; existsSync(path); await sleep(REMOVE_POLL_MS)) {
    try {
      await rmdir(path);
    } catch (cause) {
      // The kernel lets go of an ended process a moment after it left the group.
      if (Date.now() > deadline) throw new Fault("GROUP_BUSY", `cannot remove the group ${path}: ${messageOf(cause)}`, { cause, retry: true });
    }
  }
}
