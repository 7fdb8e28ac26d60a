import { readFile } from "node:fs/promises";
import { Fault, writeFileAtomic } from "../../kernel/index.ts";
import { openCheckpoint } from "./checkpoint.ts";
import type { Published } from "./log-state.ts";
import type { NoteVerifier } from "./note.ts";

/** The note in such a file; undefined when there is none. Throws as `open` does. */
export async function signedNote(path: string, verifier: NoteVerifier): Promise<string | undefined> {
  return (await SignedMemory.open(path, verifier)).known?.note;
}

const KEEP_EVERY_MS = 1_000;

/**
 * The newest checkpoint that a log's key signed, as a note in a file beside the key and outside the database: whoever brings back an older
 * database does not bring back an older memory with it, and the key will not sign a second history. Written after the checkpoint is stored,
 * at most once a second: it is never ahead of a database that lost nothing, and behind by a second at most.
 */
export class SignedMemory {
  readonly known: Published | undefined;
  private readonly path: string;
  private kept: string | undefined;
  private wanted: string | undefined;
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> = Promise.resolve();
  private failure: unknown;

  private constructor(path: string, known: Published | undefined) {
    this.path = path;
    this.known = known;
    this.kept = known?.note;
  }

  /** Throws Fault LOG_MEMORY_BAD when the file holds anything but a checkpoint of this log: a memory that cannot be read is not none. */
  static async open(path: string, verifier: NoteVerifier): Promise<SignedMemory> {
    const note = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    if (note === undefined) return new SignedMemory(path, undefined);
    const opened = openCheckpoint(note, verifier);
    if (!opened.ok) throw new Fault("LOG_MEMORY_BAD", `${path}: ${opened.message}`, { hint: `put the newest checkpoint anybody has of this log there; see docs/infra-core/backup.md` });
    return new SignedMemory(path, { size: opened.value.size, root: opened.value.root, note });
  }

  /** Throws Fault LEDGER_ROLLED_BACK when the database's newest checkpoint is smaller than one this key signed. */
  refuseOlder(stored: number): void {
    if (this.known && this.known.size > stored)
      throw new Fault("LEDGER_ROLLED_BACK", `this log's key signed a checkpoint of ${this.known.size} entries and the newest in the database is of ${stored}: an older state was brought back, and a second history will not be signed`, {
        hint: "bring back the newest backup with the archive of its write-ahead log; see docs/infra-core/backup.md",
      });
  }

  keep(note: string | undefined): void {
    if (note === undefined || note === (this.wanted ?? this.kept)) return;
    this.wanted = note;
    if (this.timer) return;
    this.write();
    this.timer = setTimeout(() => {
      this.timer = undefined;
      if (this.wanted !== undefined) this.write();
    }, KEEP_EVERY_MS).unref();
  }

  /** Writes what waits. Throws what the last write failed with. */
  async close(): Promise<void> {
    clearTimeout(this.timer);
    await this.writing;
    if (this.wanted !== undefined) this.write();
    await this.writing;
    if (this.failure) throw this.failure;
  }

  private write(): void {
    this.writing = this.writing.then(async () => {
      const note = this.wanted;
      if (note === undefined) return;
      try {
        await writeFileAtomic(this.path, note);
        this.kept = note;
        if (this.wanted === note) this.wanted = undefined;
        this.failure = undefined;
      } catch (error) {
        // The log goes on: what stands in the file is older, not wrong. The next checkpoint tries again.
        this.failure = error;
      }
    });
  }
}
