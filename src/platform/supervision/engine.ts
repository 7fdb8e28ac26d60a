import { open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { EngineSpec } from "../../contract/index.ts";
import { type ChildProcess, ensureFolder, Fault, messageOf, plainEnvironment, rfc3339, sleep, start, writeFileAtomic } from "../../kernel/index.ts";
import { type EngineGroup, openEngineGroup } from "./engine-group.ts";
import { launchArgv } from "./launch-argv.ts";
import { isAlive, markOf, parseMark } from "./process-mark.ts";

export type EngineState = "stopped" | "starting" | "running" | "backoff" | "stopping";

export interface EngineView {
  readonly name: string;
  readonly purpose: string;
  readonly version: string;
  readonly state: EngineState;
  readonly pid: number | null;
  /** RFC 3339; when it became ready. */
  readonly since: string | null;
  readonly restarts: number;
}

const READY_POLL_MS = 25;
const BACKOFF_MS_MIN = 200;
const BACKOFF_MS_MAX = 30_000;
/** An engine that ran this long starts its backoff from the beginning. */
const STEADY_MS = 60_000;
const LOG_TAIL_BYTES = 2_000;

/** One engine: started, watched, restarted with backoff, stopped. */
export class Engine {
  readonly spec: EngineSpec;
  private readonly home: { readonly homeId: string; readonly dir: string };
  private readonly say: (line: string) => void;
  private child: ChildProcess | undefined;
  private exited: Promise<void> = Promise.resolve();
  private state: EngineState = "stopped";
  private since: number | undefined;
  private version = "";
  private restarts = 0;
  private backoff_ms = BACKOFF_MS_MIN;
  private readonly ending = new AbortController();

  constructor(spec: EngineSpec, home: { readonly homeId: string; readonly dir: string }, say: (line: string) => void) {
    this.spec = spec;
    this.home = home;
    this.say = say;
  }

  view(): EngineView {
    return {
      name: this.spec.name,
      purpose: this.spec.purpose,
      version: this.version,
      state: this.state,
      pid: this.child?.pid ?? null,
      since: this.since === undefined ? null : rfc3339(this.since),
      restarts: this.restarts,
    };
  }

  private get markFile(): string {
    return join(this.home.dir, "run", `engine-${this.spec.name}.json`);
  }

  get logFile(): string {
    return join(this.home.dir, "log", `${this.spec.name}.log`);
  }

  /** Ends what an earlier supervisor left of this engine, gently first. */
  async endLeftovers(): Promise<void> {
    const group = await openEngineGroup(this.home.homeId, this.spec.name);
    const mark = parseMark(await readFile(this.markFile, "utf8").catch(() => ""));
    if (mark && isAlive(mark)) {
      process.kill(mark.pid, this.spec.stopSignal);
      const deadline = Date.now() + this.spec.stop_timeout_ms;
      while (isAlive(mark) && Date.now() < deadline) await sleep(READY_POLL_MS);
      if (isAlive(mark)) process.kill(mark.pid, "SIGKILL");
    }
    if (!this.spec.childrenOutlive) await group.end();
    await rm(this.markFile, { force: true });
  }

  /** Resolves when the engine is ready; throws a Fault with the end of its log when it is not in time. */
  async start(): Promise<void> {
    this.state = "starting";
    await ensureFolder(join(this.home.dir, "log"), 0o755);
    await this.endLeftovers();
    await this.spec.prepare();
    this.version ||= await this.spec.version();
    await this.spawnOnce();
    this.state = "running";
    this.since = Date.now();
    void this.watch();
  }

  private async spawnOnce(): Promise<void> {
    const group: EngineGroup = await openEngineGroup(this.home.homeId, this.spec.name);
    const log = await open(this.logFile, "a", 0o640);
    const namespace = this.spec.networkNamespace?.();
    let failed: Error | undefined;
    let gone = false;
    try {
      const argv = launchArgv({
        procsFile: group.procsFile,
        argv: this.spec.argv(),
        ...(namespace === undefined ? {} : { networkNamespace: namespace }),
        ...(this.spec.user === undefined ? {} : { user: this.spec.user }),
      });
      // Its own session: a Ctrl-C on the terminal reaches the supervisor alone, which then stops engines in order.
      const child = start(argv, { stdio: ["ignore", log.fd, log.fd], detached: true, cwd: "/", env: plainEnvironment(this.spec.env) });
      this.child = child;
      this.exited = new Promise((resolve) => {
        child.once("error", (error) => {
          failed = error;
          gone = true;
          resolve();
        });
        child.once("exit", () => {
          gone = true;
          resolve();
        });
      });
    } finally {
      await log.close();
    }
    const pid = this.child.pid;
    const mark = pid === undefined ? undefined : markOf(pid);
    if (mark) await writeFileAtomic(this.markFile, `${JSON.stringify(mark)}\n`);
    const deadline = Date.now() + this.spec.ready_timeout_ms;
    for (;;) {
      if (gone) throw await this.notReady(failed ? messageOf(failed) : "it ended while starting");
      if (await this.spec.ready().catch(() => false)) return;
      if (Date.now() > deadline) {
        await this.endLeftovers();
        throw await this.notReady(`it was not ready within ${this.spec.ready_timeout_ms} ms`);
      }
      await sleep(READY_POLL_MS);
    }
  }

  private async notReady(why: string): Promise<Fault> {
    const tail = (await readFile(this.logFile, "utf8").catch(() => "")).slice(-LOG_TAIL_BYTES).trim();
    return new Fault("ENGINE_NOT_READY", `${this.spec.name} (${this.spec.purpose}): ${why}\n${tail}`, {
      hint: `read ${this.logFile}, then try 'nexus doctor'`,
      retry: true,
    });
  }

  private async watch(): Promise<void> {
    while (!this.ending.signal.aborted) {
      await this.exited;
      if (this.ending.signal.aborted) return;
      if (this.since !== undefined && Date.now() - this.since > STEADY_MS) this.backoff_ms = BACKOFF_MS_MIN;
      this.state = "backoff";
      this.since = undefined;
      this.restarts += 1;
      this.say(`${this.spec.name} ended; starting it again in ${this.backoff_ms} ms`);
      await sleep(this.backoff_ms, this.ending.signal);
      this.backoff_ms = Math.min(this.backoff_ms * 2, BACKOFF_MS_MAX);
      if (this.ending.signal.aborted) return;
      try {
        this.state = "starting";
        await this.endLeftovers();
        await this.spec.prepare();
        await this.spawnOnce();
        this.state = "running";
        this.since = Date.now();
        await this.spec.recovered?.();
        this.say(`${this.spec.name} is running again`);
      } catch (error) {
        this.say(`${this.spec.name}: ${messageOf(error)}`);
      }
    }
  }

  async stop(): Promise<void> {
    this.state = "stopping";
    this.ending.abort();
    await this.endLeftovers();
    const group = await openEngineGroup(this.home.homeId, this.spec.name);
    if (!this.spec.childrenOutlive) await group.end();
    this.child = undefined;
    this.state = "stopped";
    this.since = undefined;
  }
}
