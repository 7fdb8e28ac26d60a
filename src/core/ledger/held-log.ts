import { type Clock, Fault, rfc3339 } from "../../kernel/index.ts";
import { type Bound, type Session, STORE_LOST, type Store } from "../store/index.ts";
import { signCheckpoint } from "./checkpoint.ts";
import type { Appended } from "./entry.ts";
import { insertCheckpoint, leavesOf } from "./log-rows.ts";
import { lockedSession, relockedSession } from "./locked-session.ts";
import { loadLogState, type LogState, type Published } from "./log-state.ts";
import type { NoteSigner } from "./note.ts";
import { randomPool } from "./random-pool.ts";
import { type Places, StreamHeads } from "./stream-heads.ts";

export interface HeldLogDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly randomBytes: (size: number) => Uint8Array;
  readonly signer: NoteSigner;
  /** What this key is known to have signed; the stored log must contain it. */
  readonly known?: Published | undefined;
}

/** The log as the one process holds it that may write: the session with the lock, where log and streams end, what was published. */
export class HeldLog {
  private readonly deps: HeldLogDeps;
  private readonly heads: StreamHeads;
  private held: Session;
  private current: LogState;
  private broken: Fault | undefined;
  /** Memory may be ahead of what is stored: read it again before the next batch. */
  private stale = false;
  private readonly watchers = new Set<() => void>();

  private constructor(deps: HeldLogDeps, session: Session, state: LogState) {
    this.deps = deps;
    this.heads = new StreamHeads(randomPool(deps.randomBytes));
    this.held = session;
    this.current = state;
  }

  static async open(deps: HeldLogDeps): Promise<HeldLog> {
    const session = await lockedSession(deps.store);
    try {
      return new HeldLog(deps, session, await loadLogState(deps.store, deps.signer, deps.known));
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  get state(): LogState {
    return this.current;
  }

  get session(): Session {
    return this.held;
  }

  /** Why nothing is written any more. */
  get failure(): Fault | undefined {
    return this.broken;
  }

  assertWhole(): void {
    if (this.broken) throw this.broken;
  }

  breakOff(why: Fault): void {
    this.broken = why;
  }

  watch(fn: () => void): () => void {
    this.watchers.add(fn);
    return () => this.watchers.delete(fn);
  }

  announce(): void {
    for (const watcher of [...this.watchers]) watcher();
  }

  /** Places for entries of these streams, from the log's end on. */
  async places(streams: ReadonlySet<string>, reading: Store["snapshot"] = this.deps.store.snapshot): Promise<Places> {
    await this.heads.load(reading, streams);
    return this.heads.places(this.current.size, rfc3339(this.deps.clock.now()));
  }

  keep(rows: readonly Appended[]): void {
    this.heads.keep(rows);
    this.current = { ...this.current, size: this.current.size + rows.length };
  }

  doubt(): void {
    this.stale = true;
  }

  isLost(error: unknown): boolean {
    return this.held.lost() || (error instanceof Fault && error.code === STORE_LOST);
  }

  async ensureSession(): Promise<void> {
    if (this.held.lost() || this.stale) await this.reload();
  }

  /** What cannot be mended by trying again ends all writing: whoever reads what is stored finds a log that was changed from outside. */
  async reload(): Promise<void> {
    try {
      if (this.held.lost()) this.held = await relockedSession(this.deps.store);
      this.heads.forget();
      this.current = await loadLogState(this.deps.store, this.deps.signer, this.current.published);
      this.stale = false;
    } catch (error) {
      if (error instanceof Fault && !error.retry) this.broken = error;
      throw error;
    }
  }

  /** After a failed batch nothing in memory is sure: read what is stored. A COMMIT whose answer was lost counts when its rows are there. */
  async committedAfterAll(rows: readonly Appended[]): Promise<boolean> {
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

  hasNews(): boolean {
    return this.current.size !== (this.current.published?.size ?? 0);
  }

  /** Signs what is committed, when something is that no checkpoint covers; to be stored before anyone sees it. */
  async nextCheckpoint(): Promise<{ readonly next: Published; readonly row: Bound } | undefined> {
    if (!this.hasNews()) return undefined;
    const { size, tree, published } = this.current;
    const root = await tree.root(size);
    const next: Published = { size, root, note: signCheckpoint({ origin: this.deps.signer.name, size, root }, this.deps.signer) };
    return { next, row: insertCheckpoint({ ...next, previous: published?.size ?? null }) };
  }

  show(stored: Published): void {
    this.current = { ...this.current, published: stored };
    this.announce();
  }
}
