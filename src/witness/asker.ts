import type { Cosignature } from "../core/ledger/pure.ts";
import { type Clock, messageOf, rfc3339 } from "../kernel/index.ts";
import { askWitness, type Said, type WitnessPeer } from "./ask.ts";

/** A checkpoint of the log that is to be cosigned. */
export interface Target {
  readonly size: number;
  readonly note: string;
}

/** How far one witness is, for people. */
export interface WitnessStanding {
  readonly name: string;
  readonly vkey: string;
  readonly url: string;
  /** Entries of the newest tree it cosigned for us, or said it had. */
  readonly size: number;
  /** When it last answered, and what; null: never. */
  readonly answered: string | null;
  readonly lastAnswer: string | null;
  /** Since it last cosigned; null: none. */
  readonly lastError: string | null;
  /** Evidence that the log or the witness is false; stays until it cosigns again. */
  readonly alarm: string | null;
}

export interface AskerDeps {
  readonly peer: WitnessPeer;
  readonly clock: Clock;
  readonly request_ms: number;
  readonly retry_ms: { readonly first: number; readonly max: number };
  readonly say: (line: string) => void;
  /** Entries of the log's newest checkpoint. */
  newestSize(): number;
  consistencyProof(from: number, to: number): Promise<readonly Buffer[]>;
  onCosigned(target: Target, cosignature: Cosignature): void;
  /** It answered, failed, or begins anew: whoever waits for it may look again. */
  onChange(): void;
}

/** Wrong guesses of the witness's size before this try is given up; two are needed only when somebody else asks it at the same time. */
const GUESSES_MAX = 3;

/** Asks one witness for one checkpoint after the other, always the newest aim; after a failure it waits, longer each time. */
export class Asker {
  readonly peer: WitnessPeer;
  private readonly deps: AskerDeps;
  private readonly ending = new AbortController();
  private aim: Target | undefined;
  private running: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private failures = 0;
  private cosigned = 0;
  private seen: Omit<WitnessStanding, "name" | "vkey" | "url">;

  constructor(deps: AskerDeps, before: WitnessStanding | undefined) {
    this.deps = deps;
    this.peer = deps.peer;
    this.seen = { size: before?.size ?? 0, answered: before?.answered ?? null, lastAnswer: before?.lastAnswer ?? null, lastError: before?.lastError ?? null, alarm: before?.alarm ?? null };
  }

  get busy(): boolean {
    return this.running !== undefined;
  }

  standing(): WitnessStanding {
    const { key, url } = this.peer;
    return { name: key.name, vkey: key.vkey, url, ...this.seen };
  }

  /** The checkpoint to ask for next. Whatever is under way goes on; what waits after a failure goes on waiting. */
  aimAt(target: Target): void {
    this.aim = target;
    this.begin();
  }

  async close(): Promise<void> {
    this.ending.abort();
    clearTimeout(this.timer);
    await this.running;
  }

  private begin(): void {
    if (this.running || this.timer || this.ending.signal.aborted || !this.aim || this.aim.size <= this.cosigned) return;
    this.running = this.work().finally(() => {
      this.running = undefined;
      this.begin();
      this.deps.onChange();
    });
  }

  private async work(): Promise<void> {
    const target = this.aim as Target;
    const good = await this.ask(target).catch((error: unknown) => this.wrong(messageOf(error)));
    if (good) {
      this.failures = 0;
      return;
    }
    const { first, max } = this.deps.retry_ms;
    this.timer = setTimeout(
      () => {
        this.timer = undefined;
        this.begin();
        this.deps.onChange();
      },
      Math.min(max, first * 2 ** Math.min(this.failures, 20)),
    ).unref();
    this.failures += 1;
  }

  /** false: to be tried again later. */
  private async ask(target: Target): Promise<boolean> {
    let old = this.seen.size;
    for (let guess = 0; guess < GUESSES_MAX; guess += 1) {
      if (old > target.size) {
        const newest = this.deps.newestSize();
        if (old <= newest) {
          // Somebody else showed it a later checkpoint of ours; this one it will not cosign any more.
          this.cosigned = target.size;
          return true;
        }
        // It may have said so long ago: ask it again with what we have.
        if (guess > 0) return this.alarm(`it has vouched for a tree of ${old} entries of this log, and only ${newest} are here: the log was rolled back, or the witness is false`);
        old = target.size;
      }
      const proof = await this.deps.consistencyProof(old, target.size);
      const said = await askWitness(this.peer, { old, proof, note: target.note }, AbortSignal.any([this.ending.signal, AbortSignal.timeout(this.deps.request_ms)]));
      if (this.ending.signal.aborted) return true;
      if (said.kind !== "size") return this.heard(said, target, old);
      this.answered(`409: ${said.size}`);
      if (said.size === old) return this.alarm(`it has vouched for another tree of ${old} entries: the log was forked, or the witness is false`);
      old = said.size;
      this.seen = { ...this.seen, size: old };
    }
    return this.wrong("its size is another one each time");
  }

  private heard(said: Exclude<Said, { kind: "size" }>, target: Target, old: number): boolean {
    if (said.kind === "silent") return this.wrong(said.why);
    if (said.kind === "cosigned") {
      this.answered(`200: ${target.size} entries at ${rfc3339(said.cosignature.time_s * 1_000)}`);
      this.cosigned = target.size;
      this.seen = { ...this.seen, size: target.size, lastError: null, alarm: null };
      this.deps.onCosigned(target, said.cosignature);
      return true;
    }
    if (said.kind === "false") {
      this.answered("200, but false");
      return this.alarm(said.why);
    }
    this.answered(said.why);
    if (said.kind === "inconsistent") return this.alarm(`the tree of ${target.size} entries does not extend the one of ${old} it vouched for: the log was changed, or the witness is false`);
    return this.wrong(said.why);
  }

  private answered(lastAnswer: string): void {
    this.seen = { ...this.seen, answered: rfc3339(this.deps.clock.now()), lastAnswer };
  }

  private wrong(lastError: string): false {
    this.seen = { ...this.seen, lastError };
    return false;
  }

  private alarm(alarm: string): false {
    if (this.seen.alarm !== alarm) this.deps.say(`witness ${this.peer.key.name}: ${alarm}`);
    this.seen = { ...this.seen, lastError: alarm, alarm };
    return false;
  }
}
