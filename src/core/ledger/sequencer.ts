import { setImmediate as turn } from "node:timers/promises";
import type { NewEntry } from "../../contract/index.ts";
import { type Clock, Fault, messageOf, rfc3339 } from "../../kernel/index.ts";
import { type Bound, isUniqueViolation, type Session, STORE_LOST, type Store } from "../store/index.ts";
import { fitsOneTrip, putRows, type Settled, streamsOf } from "./batch.ts";
import { signCheckpoint } from "./checkpoint.ts";
import { EntryWriter } from "./entry-writer.ts";
import type { Appended } from "./entry.ts";
import { insertCheckpoint, insertEntries, leavesOf } from "./log-rows.ts";
import { lockedSession, relockedSession } from "./locked-session.ts";
import { loadLogState, type LogState, type Published } from "./log-state.ts";
import { insertRuns } from "./log-tree.ts";
import type { NoteSigner } from "./note.ts";
import { randomPool } from "./random-pool.ts";
import { type Also, type Beside, type Request, RequestQueue } from "./request-queue.ts";
import { StreamHeads } from "./stream-heads.ts";
import { leafHash } from "./tree.ts";

export interface SequencerDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly randomBytes: (size: number) => Uint8Array;
  readonly signer: NoteSigner;
  /** A batch was committed: how many entries, and how long that took, in milliseconds. */
  onCommit?(entries: number, taken_ms: number): void;
  /** What this key is known to have signed; the stored log must contain it. */
  readonly known?: Published | undefined;
}

const CHECKPOINT_RETRY_MS = 500;

/** One at a time: gathers what waits, gives out indexes, stores, COMMITs, answers, signs. While one batch is stored the next one gathers. */
export class Sequencer {
  private readonly deps: SequencerDeps;
  private readonly queue = new RequestQueue();
  private readonly heads: StreamHeads;
  private session: Session;
  private current: LogState;
  private broken: Fault | undefined;
  /** Memory may be ahead of what is stored: read it again before the next batch. */
  private stale = false;
  private closing = false;
  private working: Promise<void> | undefined;
  private retry: NodeJS.Timeout | undefined;
  private readonly watchers = new Set<() => void>();

  private constructor(deps: SequencerDeps, session: Session, state: LogState) {
    this.deps = deps;
    this.heads = new StreamHeads(randomPool(deps.randomBytes));
    this.session = session;
    this.current = state;
  }

  static async open(deps: SequencerDeps): Promise<Sequencer> {
    const session = await lockedSession(deps.store);
    try {
      const sequencer = new Sequencer(deps, session, await loadLogState(deps.store, deps.signer, deps.known));
      sequencer.wake();
      return sequencer;
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  state(): LogState {
    return this.current;
  }

  /** Calls `fn` whenever a checkpoint was published or nothing more will be; returns how to stop. */
  watch(fn: () => void): () => void {
    this.watchers.add(fn);
    return () => this.watchers.delete(fn);
  }

  /** Entries that wait for their place. */
  queued(): number {
    return this.queue.size;
  }

  failure(): Fault | undefined {
    return this.broken ?? (this.closing && !this.working ? closed() : undefined);
  }

  append(entries: readonly NewEntry[], also: Also | undefined, beside: Beside | undefined): Promise<readonly Appended[]> {
    if (this.closing) return Promise.reject(closed());
    if (this.broken) return Promise.reject(this.broken);
    const appended = this.queue.push(entries, also, beside);
    this.wake();
    return appended;
  }

  async close(): Promise<void> {
    this.closing = true;
    clearTimeout(this.retry);
    this.wake();
    while (this.working) await this.working;
    await this.session.close().catch(() => {});
    this.announce();
  }

  private wake(): void {
    if (this.working) return;
    this.working = this.work().finally(() => {
      this.working = undefined;
      // Somebody may have asked between the loop's last look and here.
      if (!this.queue.empty) this.wake();
      this.announce();
    });
  }

  private async work(): Promise<void> {
    for (;;) {
      // Everything that was asked in the same turn goes into one batch.
      await turn();
      // Those who were just answered may ask again: then the checkpoint goes with that.
      if (this.queue.empty && this.hasNews()) await turn();
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
      if (this.broken) throw this.broken;
      await this.ensureSession();
      if (!fitsOneTrip(batch) || !(await this.storeAtOnce(batch, settled, rows))) {
        await this.publish();
        if (this.broken) throw this.broken;
        await this.storeInTurn(batch, settled, rows);
      }
      this.keep(rows);
      if (rows.length > 0) this.deps.onCommit?.(rows.length, performance.now() - began);
    } catch (cause) {
      this.stale = true;
      if (!(await this.committedAfterAll(rows))) {
        const fault = this.broken ?? new Fault("LEDGER_WRITE", `the ledger could not take the entry: ${messageOf(cause)}`, { cause, retry: true });
        for (const request of batch) if (!failed(settled.get(request))) settled.set(request, { error: fault });
      }
    }
    for (const request of batch) {
      const end = settled.get(request);
      if (end && "appended" in end) request.resolve(end.appended);
      else request.reject(end?.error);
    }
  }

  /**
   * In one round trip, and with it the checkpoint of what was committed before. False: PostgreSQL has something against it, nothing of it is
   * stored, and whose it is will be found in turn.
   */
  private async storeAtOnce(batch: readonly Request[], settled: Settled, rows: Appended[]): Promise<boolean> {
    await this.heads.load(this.deps.store.snapshot, streamsOf(batch));
    const places = this.heads.places(this.current.size, rfc3339(this.deps.clock.now()));
    const beside: Bound[] = [];
    for (const request of batch) {
      try {
        const appended = places.give(request.entries);
        beside.push(...(request.beside?.(appended) ?? []));
        places.take(appended);
        rows.push(...appended);
        settled.set(request, { appended });
      } catch (error) {
        settled.set(request, { error });
      }
    }
    if (rows.length === 0) return true;
    const news = await this.nextCheckpoint();
    const runs = this.current.tree.append(rows.map((row) => leafHash(row.leaf)));
    try {
      await this.session.atOnce([...(news ? [news.row] : []), insertEntries(rows), insertRuns(runs), ...beside]);
      if (news) this.show(news.next);
      return true;
    } catch (error) {
      if (this.isLost(error)) throw error;
      settled.clear();
      rows.length = 0;
      await this.reload();
      return false;
    }
  }

  /** Each request apart, where one fails for itself only. */
  private async storeInTurn(batch: readonly Request[], settled: Settled, rows: Appended[]): Promise<void> {
    await this.session.transaction(async (tx) => {
      await this.heads.load((read) => read(tx), streamsOf(batch));
      const places = this.heads.places(this.current.size, rfc3339(this.deps.clock.now()));
      const writer = new EntryWriter(tx);
      for (const request of batch) {
        const withRows = request.also || request.beside;
        if (withRows) await writer.pause();
        let appended: readonly Appended[];
        try {
          appended = places.give(request.entries);
          // A request that is alone takes the transaction with it when it fails: nobody else is in it.
          if (withRows) await (batch.length === 1 ? putRows(tx, request, appended) : tx.savepoint(() => putRows(tx, request, appended)));
        } catch (error) {
          // What failed is not this request but the transaction that all of them share.
          if (this.isLost(error)) throw error;
          settled.set(request, { error });
          if (batch.length === 1) throw error;
          continue;
        }
        places.take(appended);
        rows.push(...appended);
        settled.set(request, { appended });
        await writer.add(appended);
      }
      if (rows.length === 0) return;
      const written = writer.finish();
      // While PostgreSQL takes the last rows.
      const { statement, params } = insertRuns(this.current.tree.append(rows.map((row) => leafHash(row.leaf))));
      await written;
      await tx.named(statement, params);
    });
  }

  private isLost(error: unknown): boolean {
    return this.session.lost() || (error instanceof Fault && error.code === STORE_LOST);
  }

  private keep(rows: readonly Appended[]): void {
    this.heads.keep(rows);
    this.current = { ...this.current, size: this.current.size + rows.length };
  }

  /** After a failed batch nothing in memory is sure: read what is stored. A COMMIT whose answer was lost counts when its rows are there. */
  private async committedAfterAll(rows: readonly Appended[]): Promise<boolean> {
    const first = rows[0];
    if (!first || this.broken) return false;
    const before = this.current.size;
    try {
      await this.reload();
    } catch {
      return false;
    }
    if (this.current.size < before + rows.length) return false;
    const [leaf] = await this.deps.store.snapshot((tx) => leavesOf(tx, first.index, first.index + 1)).catch(() => []);
    return leaf?.equals(first.leaf) ?? false;
  }

  private async ensureSession(): Promise<void> {
    if (this.session.lost() || this.stale) await this.reload();
  }

  /** What cannot be mended by trying again ends all writing: whoever reads what is stored finds a log that was changed from outside. */
  private async reload(): Promise<void> {
    try {
      if (this.session.lost()) this.session = await relockedSession(this.deps.store);
      this.heads.forget();
      this.current = await loadLogState(this.deps.store, this.deps.signer, this.current.published);
      this.stale = false;
    } catch (error) {
      if (error instanceof Fault && !error.retry) this.broken = error;
      throw error;
    }
  }

  private hasNews(): boolean {
    return this.current.size !== (this.current.published?.size ?? 0);
  }

  /** Signs what is committed, when something is that no checkpoint covers; to be stored before anyone sees it. */
  private async nextCheckpoint(): Promise<{ readonly next: Published; readonly row: Bound } | undefined> {
    if (!this.hasNews()) return undefined;
    const { size, tree, published } = this.current;
    const root = await tree.root(size);
    const next: Published = { size, root, note: signCheckpoint({ origin: this.deps.signer.name, size, root }, this.deps.signer) };
    return { next, row: insertCheckpoint({ ...next, previous: published?.size ?? null }) };
  }

  private show(stored: Published): void {
    this.current = { ...this.current, published: stored };
    this.announce();
  }

  /** Stores what is to be signed, alone: nobody waits whose entries it could go with. */
  private async publish(): Promise<void> {
    if (this.broken || !this.hasNews()) return;
    try {
      await this.ensureSession();
      const news = await this.nextCheckpoint();
      if (!news) return;
      await this.session.atOnce([news.row]);
      this.show(news.next);
    } catch (error) {
      if (isUniqueViolation(error) && !this.session.lost())
        this.broken = new Fault(
          "LEDGER_FORK_REFUSED",
          "another checkpoint extends the one this process published last; it will not sign a second history",
          { cause: error, hint: "nexus ledger fsck" },
        );
      else if (error instanceof Fault && !error.retry) this.broken = error;
      else await this.retryLater();
      this.announce();
    }
  }

  private async retryLater(): Promise<void> {
    // The lost answer may have been a COMMIT: what is stored decides.
    await this.reload().catch(() => {});
    if (!this.closing) this.retry = setTimeout(() => this.wake(), CHECKPOINT_RETRY_MS).unref();
  }

  private announce(): void {
    for (const watcher of [...this.watchers]) watcher();
  }
}

function failed(end: object | undefined): boolean {
  return end !== undefined && "error" in end;
}

function closed(): Fault {
  return new Fault("LEDGER_CLOSED", "the ledger is closed", { retry: true });
}
