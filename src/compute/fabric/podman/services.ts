import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { type ComputeDesired, imvuUidBase, namespaceNameOf, namespacePathOf, type Service, type Site } from "../../../contract/index.ts";
import { Fault, type ImvuId, imvuNumberOf, run, runOk, type ServiceName, sleep } from "../../../kernel/index.ts";
import type { Groups } from "../../envelopes/groups.ts";
import type { Volumes } from "../../envelopes/volume.ts";
import { containerNameOf, type Layout, logFileOf } from "../../layout.ts";
import type { Contents } from "../../provisioning/content.ts";
import { containerSpec, imageVolumeFolders, LABEL_IMVU, LABEL_ORDER, type Order } from "./container-spec.ts";
import { type Containers, parseOrder } from "./containers.ts";
import { ensureImageVolumes } from "./image-volumes.ts";
import { type Images, requireRegistry } from "./images.ts";
import type { Keeper } from "./keeper.ts";
import { connects, holdsSocket, listenersIn } from "./listening.ts";
import { tailOfLog } from "./logs.ts";
import { settleContainer } from "./remains.ts";

export const SERVICE_READY_TIMEOUT_MS = 30_000;
const READY_POLL_MS = 10;
const LOG_LINES_IN_FAULT = 15;
const UNPRIVILEGED_PORT_MIN = 1_024;
const RETRY_MS = 1_000;
const EXIT_KNOWN_TIMEOUT_MS = 3_000;

export interface ServicesDeps {
  readonly site: Site;
  readonly layout: Layout;
  readonly groups: Groups;
  readonly volumes: Volumes;
  readonly contents: Contents;
  readonly images: Images;
  readonly containers: Containers;
  readonly keeper: Keeper;
}

/** Where an order belongs. */
export type Place = Pick<ComputeDesired, "imvu" | "number">;

/** One service from its order to its first accepted connection, and away again. */
export class Services {
  private readonly deps: ServicesDeps;

  constructor(deps: ServicesDeps) {
    this.deps = deps;
  }

  /** Replaces whatever runs under this name. Returns when the port accepts a connection inside the namespace. */
  async put({ imvu, number }: Place, order: Order): Promise<void> {
    const { service } = order;
    const name = containerNameOf(number, service.name);
    await this.deps.keeper.holding(name, async () => {
      await this.deps.containers.remove(name);
      await this.deps.containers.create(await this.specOf(imvu, number, name, order));
      await this.run(number, name);
      await this.ready(number, name, service);
    });
  }

  /** The same container once more. */
  async restart(imvu: ImvuId, service: ServiceName): Promise<void> {
    const number = imvuNumberOf(imvu);
    const name = containerNameOf(number, service);
    await this.deps.keeper.holding(name, async () => {
      const seen = await this.deps.containers.inspect(name);
      const order = parseOrder(seen?.labels[LABEL_ORDER] ?? "");
      if (!seen || !order) throw new Fault("NO_SUCH_SERVICE", `${imvu} has no service ${service}`, { hint: `nexus service list --imvu-id ${imvu}` });
      await this.deps.containers.stop(name);
      await settleContainer(seen.id);
      await this.run(number, name);
      await this.ready(number, name, order.service);
    });
  }

  /** Stops it, calls `work`, starts it again whatever happened; for putting data back under it. */
  async paused(imvu: ImvuId, service: ServiceName, work: () => Promise<void>): Promise<void> {
    const number = imvuNumberOf(imvu);
    const name = containerNameOf(number, service);
    await this.deps.keeper.holding(name, async () => {
      await this.deps.containers.stop(name);
      try {
        await work();
      } finally {
        await this.restart(imvu, service);
      }
    });
  }

  /** Stops them all, calls `work`, and makes them anew whatever happened: what lies under them may be other data then. */
  async whileStopped(place: Place, orders: readonly Order[], work: () => Promise<void>): Promise<void> {
    const [first, ...rest] = orders;
    if (!first) return await work();
    const name = containerNameOf(place.number, first.service.name);
    await this.deps.keeper.holding(name, async () => {
      await this.deps.containers.stop(name);
      try {
        await this.whileStopped(place, rest, work);
      } finally {
        await this.put(place, first);
      }
    });
  }

  async remove(number: number, service: ServiceName): Promise<void> {
    const name = containerNameOf(number, service);
    await this.deps.keeper.holding(name, () => this.deps.containers.remove(name));
    await rm(logFileOf(this.deps.layout, number, service), { force: true });
  }

  /** For the keeper: it ended by itself. */
  async startAgain(name: string): Promise<void> {
    const seen = await this.deps.containers.inspect(name);
    const imvu = seen?.labels[LABEL_IMVU];
    if (imvu === undefined || seen?.state === "running") return;
    await settleContainer(seen?.id ?? name);
    await this.run(imvuNumberOf(imvu as ImvuId), name);
  }

  private async run(number: number, name: string): Promise<void> {
    const pid = await this.deps.containers.init(name);
    await this.deps.groups.adopt(number, pid);
    await closeUserNamespaces(pid);
    await this.deps.containers.start(name);
  }

  private async specOf(imvu: ImvuId, number: number, name: string, order: Order) {
    const { site, layout, groups, volumes, contents, images } = this.deps;
    const { service } = order;
    const { source } = service;
    requireRegistry(source);
    const image = images.nameOf(source);
    const dataPath = await volumes.ensureData(number, service.name);
    const imageVolumes = source.kind === "runtime" ? {} : await ensureImageVolumes(dataPath, imvuUidBase(site, number), imageVolumeFolders(await images.volumesOf(image)));
    if (service.port < UNPRIVILEGED_PORT_MIN) await openLowPorts(this.namespacePath(number));
    const { openFiles, processes } = await ownLimits();
    return containerSpec(order, {
      imvu,
      number,
      name,
      image,
      command: source.kind === "runtime" ? await contents.commandFor(number, source.runtime, source.content) : null,
      uidBase: imvuUidBase(site, number),
      cgroupParent: groups.pathOf(number),
      namespacePath: this.namespacePath(number),
      logFile: logFileOf(layout, number, service.name),
      dataPath,
      contentPath: source.kind === "runtime" ? contents.path(number, source.content) : null,
      imageVolumes,
      openFilesMax: openFiles,
      processesMax: processes,
    });
  }

  private namespacePath(number: number): string {
    return namespacePathOf(namespaceNameOf(this.deps.site, number));
  }

  private async ready(number: number, name: string, service: Service): Promise<void> {
    const deadline = Date.now() + SERVICE_READY_TIMEOUT_MS;
    let why = "nothing listens on it";
    const first = await this.deps.containers.inspect(name);
    for (;;) {
      if (!first || !(await isAlive(first.pid))) {
        throw await this.notReady(number, name, service, `it ended with exit code ${await this.exitCodeOf(name)}`);
      }
      const listeners = await listenersIn(first.pid, service.port);
      if (listeners.length > 0) {
        const own = await holdsSocket(await this.processesOf(number, first.id), new Set(listeners.map((one) => one.inode)));
        if (!own) why = "another service of this IMVU listens on it";
        else if (listeners.every((one) => one.loopbackOnly)) why = "it listens on its own loopback address only; it must listen on 0.0.0.0 or ::";
        else if (await connects(this.namespacePath(number), service.port)) return;
        else why = "it listens and accepts no connection";
      }
      if (Date.now() > deadline) throw await this.notReady(number, name, service, why);
      await sleep(READY_POLL_MS);
    }
  }

  /** Its monitor tells the engine a moment after the process is gone. */
  private async exitCodeOf(name: string): Promise<number | "unknown"> {
    for (const deadline = Date.now() + EXIT_KNOWN_TIMEOUT_MS; Date.now() < deadline; await sleep(READY_POLL_MS)) {
      const seen = await this.deps.containers.inspect(name);
      if (!seen) break;
      if (seen.state !== "running") return seen.exitCode;
    }
    return "unknown";
  }

  private async notReady(number: number, name: string, service: Service, why: string): Promise<Fault> {
    this.deps.keeper.later(name, RETRY_MS);
    const said = await tailOfLog(logFileOf(this.deps.layout, number, service.name), LOG_LINES_IN_FAULT);
    return new Fault("SERVICE_NOT_READY", `the service ${service.name} does not answer on port ${service.port}: ${why}${said === "" ? "" : `\nits last lines:\n${said.trimEnd()}`}`, {
      hint: "it must listen on the port in its environment variable PORT; correct it and deploy again",
    });
  }

  private async processesOf(number: number, id: string): Promise<readonly number[]> {
    const { groups } = this.deps;
    const text = await readFile(join(groups.hierarchy.controllers.pids, groups.pathOf(number), `libpod-${id}`, "cgroup.procs"), "utf8").catch(() => "");
    return text.split("\n").filter(Boolean).map(Number);
  }
}

async function isAlive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const state = stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3);
  return state !== "" && state !== "Z" && state !== "X";
}

/**
 * In a user namespace of its own a service would have every capability over it, and with them parts of the kernel that no service needs.
 * The bound belongs to the container's user namespace, and nobody inside may raise it.
 */
async function closeUserNamespaces(pid: number): Promise<void> {
  await runOk(["/usr/bin/nsenter", `--user=/proc/${pid}/ns/user`, "--", "/usr/sbin/sysctl", "-q", "-w", "user.max_user_namespaces=0"]);
}

/** Low ports are guarded by a capability over the namespace, which nobody inside has; this namespace belongs to one IMVU alone. */
async function openLowPorts(namespacePath: string): Promise<void> {
  const ran = await run(["/usr/bin/nsenter", `--net=${namespacePath}`, "--", "/usr/sbin/sysctl", "-q", "-w", "net.ipv4.ip_unprivileged_port_start=0"]);
  if (ran.code !== 0) throw new Fault("LOW_PORT", `ports below ${UNPRIVILEGED_PORT_MIN} cannot be opened to the service: ${ran.stderr.trim()}`, { hint: "choose a port from 1024 up" });
}

/** Podman lowers its own bound to the kernel's old default number of process ids, and cannot give away more than it kept. */
const PROCESSES_MAX = 32_768;
const OPEN_FILES_MAX = 65_536;

/** Nobody can be given more than this process has; the IMVU's real bound on processes is its group's. */
async function ownLimits(): Promise<{ openFiles: number; processes: number }> {
  const text = await readFile("/proc/self/limits", "utf8");
  const hard = (name: string) => {
    const found = new RegExp(`^${name}\\s+\\S+\\s+(\\S+)`, "m").exec(text)?.[1];
    return found === undefined || found === "unlimited" ? Number.POSITIVE_INFINITY : Number(found);
  };
  return { openFiles: Math.min(OPEN_FILES_MAX, hard("Max open files")), processes: Math.min(PROCESSES_MAX, hard("Max processes")) };
}
