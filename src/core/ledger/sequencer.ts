import { setImmediate as turn } from "node:timers/promises";
import type { NewEntry } from "../../contract/index.ts";
import { type Clock, Fault, messageOf, rfc3339 } from "../../kernel/index.ts";
import { isUniqueViolation, type Session, STORE_LOST, type Store, type Tx } from "../store/index.ts";
import { signCheckpoint } from "./checkpoint.ts";
import { EntryWriter } from "./entry-writer.ts";
import { type Appended, headOf, nextEntry, type StreamHead } from "./entry.ts";
import { insertCheckpoint, leavesOf, streamHeads } from "./log-rows.ts";
import { lockedSession, relockedSession } from "./locked-session.ts";
import { loadLogState, type LogState, type Published } from "./log-state.ts";
import { insertRuns } from "./log-tree.ts";
import type { NoteSigner } from "./note.ts";
import { randomPool } from "./random-pool.ts";
import { type Also, type Request, RequestQueue } from "./request-queue.ts";
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

const HEADS_CACHED_MAX = 4_096;
const CHECKPOINT_RETRY_MS = 500;

/** One at a time: gathers what waits, gives out indexes, stores, COMMITs, answers, signs. While one batch is stored the next one gathers. */
export class Sequencer {
  private readonly deps: SequencerDeps;
  private readonly queue = new RequestQueue();
  private readonly random: (size: number) => Uint8Array;
  private heads = new Map<string, StreamHead>();
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
    this.random = randomPool(deps.randomBytes);
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

  append(entries: readonly NewEntry[], also: Also | undefined): Promise<readonly Appended[]> {
    if (this.closing) return Promise.reject(closed());
    if (this.broken) return Promise.reject(this.broken);
    const appended = this.queue.push(entries, also);
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
    do {
      // Everything that was asked in the same turn goes into one batch.
      await turn();
      const batch = this.queue.take();
      if (batch.length > 0) await this.storeBatch(batch);
      await this.publish();
    } while (!this.queue.empty);
  }

  private async storeBatch(batch: readonly Request[]): Promise<void> {
    const settled = new Map<Request, { readonly error: unknown } | { readonly appended: readonly Appended[] }>();
    const rows: Appended[] = [];
    const began = performance.now();
    try {
      if (this.broken) throw this.broken;
      await this.ensureSession();
      await this.session.transaction(async (tx) => {
        await this.loadHeads(tx, batch);
        const heads = new Map(this.heads);
        const writer = new EntryWriter(tx);
        const now = rfc3339(this.deps.clock.now());
        for (const request of batch) {
          const also = request.also;
          if (also) await writer.pause();
          let appended: readonly Appended[];
          try {
            appended = this.place(request.entries, this.current.size + rows.length, heads, now);
            // A request that is alone takes the transaction with it when it fails: nobody else is in it.
            if (also) await (batch.length === 1 ? also(tx, appended) : tx.savepoint(() => also(tx, appended)));
          } catch (error) {
            // What failed is not this request but the transaction that all of them share.
            if (this.session.lost() || (error instanceof Fault && error.code === STORE_LOST)) throw error;
            settled.set(request, { error });
            if (batch.length === 1) throw error;
            continue;
          }
          for (const entry of appended) heads.set(entry.stream, headOf(entry));
          rows.push(...appended);
          settled.set(request, { appended });
          await writer.add(appended);
        }
        if (rows.length === 0) return;
        const written = writer.finish();
        // While PostgreSQL takes the last rows.
        const runs = this.current.tree.append(rows.map((row) => leafHash(row.leaf)));
        await written;
        await insertRuns(tx, runs);
      });
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

  /** Gives each entry its place; nothing of it is kept until the request has succeeded. */
  private place(entries: readonly NewEntry[], first: number, heads: ReadonlyMap<string, StreamHead>, now: string): readonly Appended[] {
    const own = new Map<string, StreamHead>();
    return entries.map((entry, offset) => {
      const head = own.get(entry.stream) ?? heads.get(entry.stream);
      const placed = nextEntry(entry, first + offset, head, now, this.random);
      own.set(entry.stream, headOf(placed));
      return placed;
    });
  }

  private async loadHeads(tx: Tx, batch: readonly Request[]): Promise<void> {
    const wanted = new Set(batch.flatMap((request) => request.entries.map((entry) => entry.stream)));
    if (this.heads.size + wanted.size > HEADS_CACHED_MAX) this.heads = new Map();
    const missing = [...wanted].filter((stream) => !this.heads.has(stream));
    if (missing.length === 0) return;
    for (const [stream, head] of await streamHeads(tx, missing)) this.heads.set(stream, head);
  }

  private keep(rows: readonly Appended[]): void {
    for (const row of rows) this.heads.set(row.stream, headOf(row));
    this.current = { ...this.current, size: this.current.size + rows.length };
  }

  /** After a failed batch nothing in memory is sure: read what is stored. A COMMIT whose answer was lost counts when its rows are there. */
  private async committedAfterAll(rows: readonly Appended[]): Promise<boolean> {
    const first = rows[0];
    if (!first || this.broken) return false;
    const before = this.current.size;
    try {
      await this.reload();
    } catch (error) {
      if (error instanceof Fault && !error.retry) this.broken = error;
      return false;
    }
    if (this.current.size < before + rows.length) return false;
    const [leaf] = await this.deps.store.snapshot((tx) => leavesOf(tx, first.index, first.index + 1)).catch(() => []);
    return leaf?.equals(first.leaf) ?? false;
  }

  private async ensureSession(): Promise<void> {
    if (this.session.lost() || this.stale) await this.reload();
  }

  private async reload(): Promise<void> {
    if (this.session.lost()) this.session = await relockedSession(this.deps.store);
    this.heads = new Map();
    this.current = await loadLogState(this.deps.store, this.deps.signer, this.current.published);
    this.stale = false;
  }

  /** Signs what is committed and stores the checkpoint before anyone sees it. */
  private async publish(): Promise<void> {
    const { size, tree, published } = this.current;
    if (this.broken || size === (published?.size ?? 0)) return;
    try {
      await this.ensureSession();
      const root = await tree.root(size);
      const next: Published = { size, root, note: signCheckpoint({ origin: this.deps.signer.name, size, root }, this.deps.signer) };
      await insertCheckpoint(this.session, { ...next, previous: published?.size ?? null });
      this.current = { ...this.current, published: next };
      this.announce();
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
    await this.reload().catch((error: unknown) => {
      if (error instanceof Fault && !error.retry) this.broken = error;
    });
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
