import { type FSWatcher, watch } from "node:fs";
import { messageOf } from "../../../kernel/index.ts";
import { LABEL_IMVU } from "./container-spec.ts";
import type { Containers } from "./containers.ts";

const BACKOFF_MS_MIN = 500;
const BACKOFF_MS_MAX = 60_000;
/** A service that ran this long begins its backoff anew. */
const STEADY_MS = 60_000;
/** The monitor writes the exit file a moment before the engine has cleaned up behind the container. */
const SETTLE_MS = 150;

/**
 * Starts services again that ended by themselves, ever more slowly when they keep ending: a service that cannot run must not keep the
 * machine busy. The engine's own restart policy knows no pause, and would not put the new process where its limits are.
 */
export class Keeper {
  private readonly exits: string;
  private readonly containers: Containers;
  private readonly startAgain: (name: string) => Promise<void>;
  private readonly say: (line: string) => void;
  private readonly held = new Map<string, number>();
  private readonly backoff_ms = new Map<string, number>();
  private readonly timers = new Map<string, NodeJS.Timeout>();
  private watcher: FSWatcher | undefined;

  constructor(exits: string, containers: Containers, startAgain: (name: string) => Promise<void>, say: (line: string) => void) {
    this.exits = exits;
    this.containers = containers;
    this.startAgain = startAgain;
    this.say = say;
  }

  /** The folder of exit files must exist. */
  open(): void {
    this.watcher ??= watch(this.exits, { persistent: false }, (_event, id) => {
      if (id && /^[0-9a-f]{64}$/.test(id)) this.later(id, SETTLE_MS);
    });
    this.watcher.on("error", (error) => this.say(`services are not watched any more: ${error.message}`));
  }

  close(): void {
    this.watcher?.close();
    this.watcher = undefined;
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
    this.backoff_ms.clear();
  }

  /** While `work` runs the container is somebody else's: nothing is started behind its back. */
  async holding<T>(name: string, work: () => Promise<T>): Promise<T> {
    this.held.set(name, (this.held.get(name) ?? 0) + 1);
    try {
      return await work();
    } finally {
      const left = (this.held.get(name) ?? 1) - 1;
      if (left > 0) this.held.set(name, left);
      else this.held.delete(name);
    }
  }

  /** Looks at everything once: after the engine was away. */
  async look(): Promise<void> {
    for (const { container, state } of await this.containers.list(undefined)) if (state !== "running") this.later(container, SETTLE_MS);
  }

  /** Looks at one container after a while and starts it again when it is found ended. */
  later(nameOrId: string, wait_ms: number): void {
    if (this.timers.has(nameOrId)) return;
    const timer = setTimeout(() => {
      this.timers.delete(nameOrId);
      this.check(nameOrId).catch((error) => this.say(`${nameOrId.slice(0, 40)}: ${messageOf(error)}`));
    }, wait_ms);
    timer.unref();
    this.timers.set(nameOrId, timer);
  }

  private async check(nameOrId: string): Promise<void> {
    const name = await this.nameOf(nameOrId);
    if (name === undefined || this.held.has(name)) return;
    const seen = await this.containers.inspect(name);
    if (!seen || seen.state === "running") return;
    const ran_ms = seen.finishedAt_ms - seen.startedAt_ms;
    const pause_ms = ran_ms > STEADY_MS ? BACKOFF_MS_MIN : (this.backoff_ms.get(name) ?? BACKOFF_MS_MIN);
    if (nameOrId !== name) {
      this.backoff_ms.set(name, Math.min(pause_ms * 2, BACKOFF_MS_MAX));
      this.say(`${name} ended with ${seen.exitCode}; it is started again in ${pause_ms} ms`);
      return this.later(name, pause_ms);
    }
    try {
      await this.holding(name, () => this.startAgain(name));
    } catch (error) {
      this.backoff_ms.set(name, Math.min(pause_ms * 2, BACKOFF_MS_MAX));
      this.say(`${name} cannot be started again: ${messageOf(error)}`);
      this.later(name, pause_ms);
    }
  }

  /** Exit files are named by the container's id; everything else by its name. */
  private async nameOf(nameOrId: string): Promise<string | undefined> {
    if (!/^[0-9a-f]{64}$/.test(nameOrId)) return nameOrId;
    const seen = await this.containers.inspect(nameOrId);
    return seen?.labels[LABEL_IMVU] === undefined ? undefined : seen.name;
  }
}
