import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { Imvu } from "../contract/index.ts";
import type { StoreAddress } from "../core/store/index.ts";
import { Fault, type Outcome } from "../kernel/index.ts";
import type { Openings } from "./openings.ts";
import type { ClosingMonth } from "./statements.ts";

/** Whoever makes months' last statements from the log. */
export interface Raters extends AsyncDisposable {
  rate(imvu: Imvu, month: string): Promise<Outcome<ClosingMonth>>;
}

export interface RaterData {
  readonly address: StoreAddress;
  /** Where openings lie. */
  readonly home: string;
}

export interface ToRate {
  readonly imvu: Imvu;
  readonly month: string;
}

export type Rated = { readonly made: Outcome<ClosingMonth> } | { readonly fault: string };

/** Threads at once, however many cores there are: each holds a database connection or two and two pages of the log. */
const WORKERS_MAX = 2;
/** A unit is followed with its readings in little, and with two hundred bytes for each sale that it ever recorded. */
const WORKER_OLD_MIB_MAX = 256;
const WORKER_YOUNG_MIB_MAX = 8;
const UNIT_MS_MAX = 600_000;
const WORKER = new URL("./rating-worker.ts", import.meta.url);

interface Job extends ToRate {
  resolve(made: Outcome<ClosingMonth>): void;
  reject(error: Error): void;
}

/**
 * Rates units side by side in threads, each of which reads the database by itself. A thread that fails, takes too long or needs too much memory takes its
 * unit's month with it and nothing else: the next one gets another thread. Threads begin with the first unit and end with the pool.
 */
export class RatingPool implements Raters {
  private readonly data: RaterData;
  private readonly file: URL;
  private readonly waiting: Job[] = [];
  private readonly idle: Worker[] = [];
  private readonly all = new Set<Worker>();

  /** @param file what runs in a thread; another one only to see it fail */
  constructor(address: StoreAddress, { home }: Pick<Openings, "home">, file: URL = WORKER) {
    this.data = { address, home };
    this.file = file;
  }

  async rate(imvu: Imvu, month: string): Promise<Outcome<ClosingMonth>> {
    return await new Promise((resolve, reject) => {
      this.waiting.push({ imvu, month, resolve, reject });
      this.next();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { reject } of this.waiting.splice(0)) reject(new Fault("RATING_ENDED", "the platform stops"));
    await Promise.all([...this.all].map((worker) => worker.terminate()));
  }

  private next(): void {
    if (this.waiting.length === 0) return;
    const worker = this.idle.pop() ?? (this.all.size < Math.min(WORKERS_MAX, availableParallelism()) ? this.begin() : undefined);
    const job = worker && this.waiting.shift();
    if (worker && job) this.give(worker, job);
  }

  private begin(): Worker {
    const worker = new Worker(this.file, { workerData: this.data, resourceLimits: { maxOldGenerationSizeMb: WORKER_OLD_MIB_MAX, maxYoungGenerationSizeMb: WORKER_YOUNG_MIB_MAX } });
    this.all.add(worker);
    worker.once("exit", () => {
      this.all.delete(worker);
      const at = this.idle.indexOf(worker);
      if (at >= 0) this.idle.splice(at, 1);
      this.next();
    });
    // What it said before it ended is told to whoever waits for it; unhandled it would end the process.
    worker.on("error", () => {});
    return worker;
  }

  private give(worker: Worker, { imvu, month, resolve, reject }: Job): void {
    let last = "it ended";
    const late = setTimeout(() => {
      last = `it took longer than ${UNIT_MS_MAX} ms`;
      worker.terminate();
    }, UNIT_MS_MAX);
    const settle = (answer: () => void) => {
      clearTimeout(late);
      for (const [name, listener] of [["message", onMessage], ["error", onError], ["exit", onExit]] as const) worker.off(name, listener);
      answer();
      this.next();
    };
    const onMessage = (rated: Rated) => {
      // A thread that has nothing to do keeps no process from ending.
      worker.unref();
      this.idle.push(worker);
      settle(() => ("made" in rated ? resolve(rated.made) : reject(new Fault("RATING_FAILED", rated.fault))));
    };
    const onError = (error: Error) => {
      last = error.message;
    };
    const onExit = () => settle(() => reject(new Fault("RATING_FAILED", `the thread that rated ${imvu.id} is gone: ${last}`, { retry: true })));
    worker.ref();
    worker.on("message", onMessage).on("error", onError).on("exit", onExit);
    worker.postMessage({ imvu, month } satisfies ToRate);
  }
}
