import { setImmediate as turn } from "node:timers/promises";
import type { NewEntry } from "../../contract/index.ts";
import { Fault, messageOf } from "../../kernel/index.ts";
import { isUniqueViolation } from "../store/index.ts";
import { fitsOneTrip, type Settled } from "./batch.ts";
import type { Appended } from "./entry.ts";
import { HeldLog, type HeldLogDeps } from "./held-log.ts";
import type { LogState } from "./log-state.ts";
import { type Also, type Beside, type Request, RequestQueue } from "./request-queue.ts";
import { storeAtOnce, storeInTurn } from "./store-batch.ts";

export interface SequencerDeps extends HeldLogDeps {
  /** A batch was committed: how many entries, and how long that took, in milliseconds. */
  onCommit?(entries: number, taken_ms: number): void;
}

const CHECKPOINT_RETRY_MS = 500;

/** One at a time: gathers what waits, gives out indexes, stores, COMMITs, answers, signs. While one batch is stored the next one gathers. */
export class Sequencer {
  private readonly deps: SequencerDeps;
  private readonly log: HeldLog;
  private readonly queue = new RequestQueue();
  private closing = false;
  private working: Promise<void> | undefined;
  private retry: NodeJS.Timeout | undefined;

  private constructor(deps: SequencerDeps, log: HeldLog) {
    this.deps = deps;
    this.log = log;
  }

  static async open(deps: SequencerDeps): Promise<Sequencer> {
    const sequencer = new Sequencer(deps, await HeldLog.open(deps));
    sequencer.wake();
    return sequencer;
  }

  state(): LogState {
    return this.log.state;
  }

  /** Calls `fn` whenever a checkpoint was published or nothing more will be; returns how to stop. */
  watch(fn: () => void): () => void {
    return this.log.watch(fn);
  }

  /** Entries that wait for their place. */
  queued(): number {
    return this.queue.size;
  }

  failure(): Fault | undefined {
    return this.log.failure ?? (this.closing && !this.working ? closed() : undefined);
  }

  append(entries: readonly NewEntry[], also: Also | undefined, beside: Beside | undefined): Promise<readonly Appended[]> {
    if (this.closing) return Promise.reject(closed());
    if (this.log.failure) return Promise.reject(this.log.failure);
    const appended = this.queue.push(entries, also, beside);
    this.wake();
    return appended;
  }

  async close(): Promise<void> {
    this.closing = true;
    clearTimeout(this.retry);
    this.wake();
    while (this.working) await this.working;
    await this.log.session.close().catch(() => {});
    this.log.announce();
  }

  private wake(): void {
    if (this.working) return;
    this.working = this.work().finally(() => {
      this.working = undefined;
      // Somebody may have asked between the loop's last look and here.
      if (!this.queue.empty) this.wake();
      this.log.announce();
    });
  }

  private async work(): Promise<void> {
    for (;;) {
      // Everything that was asked in the same turn goes into one batch.
      await turn();
      // Those who were just answered may ask again: then the checkpoint goes with that.
      if (this.queue.empty && this.log.hasNews()) await turn();
      const batch = this.queue.take();
      if (batch.length > 0) await this.storeBatch(batch);
      else {
        await this.publish();
        if (this.queue.empty) return;
      }
    }
  }

  private async storeBatch(batch: readonly Request[]): Promise<void> {
    const settled: Settled = new Map();
    const rows: Appended[] = [];
    const began = performance.now();
    try {
      this.log.assertWhole();
      await this.log.ensureSession();
      if (!fitsOneTrip(batch) || !(await storeAtOnce(this.log, batch, settled, rows))) {
        await this.publish();
        this.log.assertWhole();
        await storeInTurn(this.log, batch, settled, rows);
      }
      this.log.keep(rows);
      if (rows.length > 0) this.deps.onCommit?.(rows.length, performance.now() - began);
    } catch (cause) {
      this.log.doubt();
      if (!(await this.log.committedAfterAll(rows))) {
        const fault = this.log.failure ?? new Fault("LEDGER_WRITE", `the ledger could not take the entry: ${messageOf(cause)}`, { cause, retry: true });
        for (const request of batch) if (!failed(settled.get(request))) settled.set(request, { error: fault });
      }
    }
    for (const request of batch) {
      const end = settled.get(request);
      if (end && "appended" in end) request.resolve(end.appended);
      else request.reject(end?.error);
    }
  }

  /** Stores what is to be signed, alone: nobody waits whose entries it could go with. */
  private async publish(): Promise<void> {
    if (this.log.failure || !this.log.hasNews()) return;
    try {
      await this.log.ensureSession();
      const news = await this.log.nextCheckpoint();
      if (!news) return;
      await this.log.session.atOnce([news.row]);
      this.log.show(news.next);
    } catch (error) {
      if (isUniqueViolation(error) && !this.log.session.lost())
        this.log.breakOff(
          new Fault("LEDGER_FORK_REFUSED", "another checkpoint extends the one this process published last; it will not sign a second history", {
            cause: error,
            hint: "nexus ledger fsck",
          }),
        );
      else if (error instanceof Fault && !error.retry) this.log.breakOff(error);
      else await this.retryLater();
      this.log.announce();
    }
  }

  private async retryLater(): Promise<void> {
    // The lost answer may have been a COMMIT: what is stored decides.
    await this.log.reload().catch(() => {});
    if (!this.closing) this.retry = setTimeout(() => this.wake(), CHECKPOINT_RETRY_MS).unref();
  }
}

function failed(end: object | undefined): boolean {
  return end !== undefined && "error" in end;
}

function closed(): Fault {
  return new Fault("LEDGER_CLOSED", "the ledger is closed", { retry: true });
}
