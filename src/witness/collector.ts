import { type Checkpoint, type Cosignature, openCheckpoint, openCosignatures, type NoteVerifier, parseNote, parseVerifierKey, verifyConsistency, withSignatureLines } from "../core/ledger/pure.ts";
import { type Clock, Fault, messageOf } from "../kernel/index.ts";
import type { WitnessPeer } from "./ask.ts";
import { Asker, type Target, type WitnessStanding } from "./asker.ts";
import { type Kept, readKept, writeKept } from "./kept.ts";

/** The log whose checkpoints are to be witnessed. */
export interface WitnessedLog {
  readonly verifierKey: string;
  /** The newest signed checkpoint. */
  checkpoint(): string | undefined;
  watch(fn: () => void): () => void;
  consistencyProof(from: number, to: number): Promise<readonly Buffer[]>;
}

export interface WitnessPolicy {
  /** How many must have cosigned a checkpoint before it counts as witnessed. */
  readonly required: number;
  readonly witnesses: readonly WitnessPeer[];
}

export interface CollectorTimes {
  /** How long a checkpoint is held back for its cosignatures. */
  readonly wait_ms: number;
  /** How long a witness may take; a late answer is still taken. */
  readonly request_ms: number;
  readonly retry_ms: { readonly first: number; readonly max: number };
  /** What is kept is written at most so often. */
  readonly write_ms: number;
}

const TIMES: CollectorTimes = { wait_ms: 2_000, request_ms: 5_000, retry_ms: { first: 1_000, max: 30_000 }, write_ms: 1_000 };

export interface CollectorDeps {
  readonly log: WitnessedLog;
  readonly policy: WitnessPolicy;
  readonly clock: Clock;
  readonly file: string;
  readonly say: (line: string) => void;
  readonly times?: Partial<CollectorTimes>;
}

export interface Witnessing {
  readonly required: number;
  /** How many have cosigned the checkpoint that is shown. */
  readonly present: number;
  readonly alarms: readonly string[];
  readonly list: readonly (WitnessStanding & { readonly behind: number })[];
}

/**
 * Collects cosignatures in rounds: one checkpoint, all witnesses at once. What is shown to the world is the checkpoint of the last round that
 * found enough of them, or – when a round does not – the newest one, without any: unwitnessed. Commands never wait for a round.
 */
export class Collector {
  private readonly deps: CollectorDeps;
  private readonly times: CollectorTimes;
  private readonly verifier: NoteVerifier;
  private readonly askers: readonly Asker[];
  /** By size of the tree; of one log there is one checkpoint of each size. */
  private readonly cosigned = new Map<number, Map<string, Cosignature>>();
  private shown: Target | undefined;
  private kept: Kept | undefined;
  private alarms: string[] = [];
  private ended = false;
  private changed = Promise.withResolvers<void>();
  private writing: Promise<void> = Promise.resolve();
  private writeTimer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private unwatch: () => void = () => {};

  private constructor(deps: CollectorDeps, kept: Kept | undefined) {
    const verifier = parseVerifierKey(deps.log.verifierKey);
    if (!verifier.ok) throw new Fault(verifier.code, verifier.message);
    this.deps = deps;
    this.times = { ...TIMES, ...deps.times };
    this.verifier = verifier.value;
    this.kept = kept;
    this.askers = deps.policy.witnesses.map(
      (peer) =>
        new Asker(
          {
            peer,
            clock: deps.clock,
            say: deps.say,
            request_ms: this.times.request_ms,
            retry_ms: this.times.retry_ms,
            newestSize: () => this.newest()?.size ?? 0,
            consistencyProof: (from, to) => deps.log.consistencyProof(from, to),
            onCosigned: (target, cosignature) => this.take(target, cosignature),
            onChange: () => this.change(),
          },
          kept?.standings.find(({ vkey }) => vkey === peer.key.vkey),
        ),
    );
  }

  static async open(deps: CollectorDeps): Promise<Collector> {
    const collector = new Collector(deps, deps.policy.witnesses.length === 0 ? undefined : await readKept(deps.file));
    if (deps.policy.witnesses.length === 0) return collector;
    await collector.resume();
    collector.unwatch = deps.log.watch(() => collector.change());
    collector.running = collector.run().catch((error: unknown) => deps.say(`witnesses: ${messageOf(error)}`));
    return collector;
  }

  /** The checkpoint to show: with its cosignatures when there are enough, else without any. */
  checkpoint(): string | undefined {
    if (!this.shown) return this.deps.log.checkpoint();
    const lines = this.cosignaturesOf(this.shown.size).map(({ line }) => line);
    return lines.length < this.deps.policy.required ? this.shown.note : withSignatureLines(this.shown.note, lines);
  }

  witnessing(): Witnessing {
    const { required } = this.deps.policy;
    const newest = this.newest()?.size ?? 0;
    const list = this.askers.map((asker) => asker.standing()).map((one) => ({ ...one, behind: Math.max(0, newest - one.size) }));
    const alarms = [...this.alarms, ...list.flatMap(({ name, alarm }) => (alarm === null ? [] : [`${name}: ${alarm}`]))];
    return { required, present: this.shown ? this.cosignaturesOf(this.shown.size).length : 0, alarms, list };
  }

  async close(): Promise<void> {
    this.ended = true;
    this.unwatch();
    this.change();
    await Promise.all([...this.askers.map((asker) => asker.close()), this.running]);
    clearTimeout(this.writeTimer);
    if (this.askers.length > 0) this.write();
    await this.writing;
  }

  /** Goes on where the last run was. A cosigned checkpoint that the log does not extend any more is evidence, and is kept. */
  private async resume(): Promise<void> {
    const note = this.kept?.note;
    const newest = this.newest();
    if (!note) return;
    const before = openCheckpoint(note, this.verifier);
    if (!before.ok) {
      this.alarms.push(`${this.deps.file}: the checkpoint kept there is not this log's: ${before.message}`);
      return;
    }
    const opened = newest && openCheckpoint(newest.note, this.verifier);
    const flaw = await this.flawOf(before.value, opened?.ok ? opened.value : undefined);
    if (flaw !== undefined) {
      this.alarms.push(`a checkpoint of ${before.value.size} entries was cosigned by witnesses, and ${flaw}: the log was rolled back or changed; the evidence is in ${this.deps.file}`);
      this.deps.say(`witnesses: ${this.alarms.at(-1)}`);
      return;
    }
    const parsed = parseNote(note);
    const cosignatures = parsed.ok ? openCosignatures(parsed.value, this.deps.policy.witnesses.map(({ key }) => key)) : [];
    if (cosignatures.length < this.deps.policy.required) return;
    this.cosigned.set(before.value.size, new Map(cosignatures.map((one) => [one.by.vkey, one])));
    this.shown = { size: before.value.size, note: note.slice(0, note.lastIndexOf("\n\n") + 2) + ownLines(note, this.verifier) };
  }

  private async flawOf(before: Checkpoint, now: Checkpoint | undefined): Promise<string | undefined> {
    const size = now?.size ?? 0;
    if (!now || size < before.size) return `only ${size} are here`;
    const proof = await this.deps.log.consistencyProof(before.size, size);
    return verifyConsistency(before.size, before.root, size, now.root, proof) ? undefined : `the ${size} that are here do not extend them`;
  }

  private async run(): Promise<void> {
    while (!this.ended) {
      const newest = this.newest();
      // Somebody may have seen it already: nothing smaller may follow.
      if (newest && !this.shown) this.show(newest);
      if (newest && this.cosignaturesOf(newest.size).length < this.deps.policy.required) await this.round(newest);
      else if (newest) for (const asker of this.askers) asker.aimAt(newest);
      if (!this.ended && this.newest()?.size === newest?.size) await this.changed.promise;
      this.changed = Promise.withResolvers<void>();
    }
  }

  private async round(target: Target): Promise<void> {
    const late = Date.now() + this.times.wait_ms;
    for (const asker of this.askers) asker.aimAt(target);
    while (!this.ended) {
      if (this.cosignaturesOf(target.size).length >= this.deps.policy.required) return this.show(target);
      const left = late - Date.now();
      if (left <= 0 || !this.askers.some((asker) => asker.busy)) return this.show(this.newest() ?? target);
      let timer: NodeJS.Timeout | undefined;
      await Promise.race([this.changed.promise, new Promise((resolve) => (timer = setTimeout(resolve, left)))]);
      clearTimeout(timer);
      this.changed = Promise.withResolvers<void>();
    }
  }

  /** The log only grows, and what a round begins with was the newest: never a smaller tree than before, or who watches us would have to ask why. */
  private show(target: Target): void {
    this.shown = target;
    for (const size of this.cosigned.keys()) if (size < target.size) this.cosigned.delete(size);
    this.writeSoon();
  }

  private take(target: Target, cosignature: Cosignature): void {
    if (this.shown && target.size < this.shown.size) return;
    const of = this.cosigned.get(target.size) ?? new Map<string, Cosignature>();
    of.set(cosignature.by.vkey, cosignature);
    this.cosigned.set(target.size, of);
    this.writeSoon();
  }

  private cosignaturesOf(size: number): readonly Cosignature[] {
    return [...(this.cosigned.get(size)?.values() ?? [])];
  }

  private newest(): Target | undefined {
    const note = this.deps.log.checkpoint();
    return note === undefined ? undefined : { size: Number(note.split("\n")[1]), note };
  }

  private change(): void {
    this.changed.resolve();
    this.writeSoon();
  }

  private writeSoon(): void {
    if (this.ended || this.writeTimer) return;
    this.writeTimer = setTimeout(() => {
      this.writeTimer = undefined;
      this.write();
    }, this.times.write_ms).unref();
  }

  private write(): void {
    const { required, present, alarms, list } = this.witnessing();
    // Evidence is not overwritten by the log it speaks against.
    const note = this.alarms.length === 0 && this.shown && present >= required ? (this.checkpoint() ?? null) : (this.kept?.note ?? null);
    this.kept = { note, required, present, size: this.shown?.size ?? 0, alarms, standings: list.map(({ behind: _, ...one }) => one) };
    const kept = this.kept;
    this.writing = this.writing.then(() => writeKept(this.deps.file, kept)).catch((error: unknown) => this.deps.say(`witnesses: ${messageOf(error)}`));
  }
}

/** The log's signature lines of a note, without anybody else's. */
function ownLines(note: string, { name }: NoteVerifier): string {
  return note
    .slice(note.lastIndexOf("\n\n") + 2)
    .split(/(?<=\n)/)
    .filter((line) => line.startsWith(`— ${name} `))
    .join("");
}
