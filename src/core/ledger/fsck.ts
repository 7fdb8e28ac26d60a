import { accept, Fault, sha256 } from "../../kernel/index.ts";
import type { ReadTx, Store } from "../store/index.ts";
import { type Checkpoint, openCheckpoint } from "./checkpoint.ts";
import { chainFlaw, parseEntryBody, type StreamHead, TIME_UNKNOWN } from "./entry.ts";
import { Erasures } from "./erasure.ts";
import { Frontier } from "./frontier.ts";
import { type Committed, committedHashes, Cursor, PAGE_ROWS, paged } from "./log-cursor.ts";
import { type CheckpointRow, checkpointRows, type EntryRow, entryRows } from "./log-rows.ts";
import { type NoteVerifier, parseVerifierKey } from "./note.ts";
import { TILE_HEIGHT } from "./tile.ts";
import { leafHash } from "./tree.ts";

/** Recomputes the whole log, from bodies to checkpoints, in one snapshot and bounded memory. It trusts nothing stored and names what is wrong. */

export const FSCK_FAILURES_MAX = 100;

export interface FsckFailure {
  /** The entry that is wrong, missing or out of order; the first one it can be, when several are meant. */
  readonly index: number;
  readonly what: string;
}

export interface Fsck {
  readonly ok: boolean;
  /** Entries that were found. */
  readonly entries: number;
  /** The newest checkpoint, as a signed note, whose tree was found to be the stored one. */
  readonly checkpoint: string | undefined;
  /** In the order of the log. */
  readonly failures: readonly FsckFailure[];
}

export interface FsckDeps {
  readonly store: Store;
  readonly verifier: string | NoteVerifier;
  /** Signed notes kept elsewhere: by the running platform, a client, a witness. They must be of this log too. */
  readonly known?: readonly string[];
}

export async function fsckLedger({ store, verifier, known = [] }: FsckDeps): Promise<Fsck> {
  const parsed = typeof verifier === "string" ? parseVerifierKey(verifier) : accept(verifier);
  if (!parsed.ok) throw new Fault(parsed.code, parsed.message);
  return await store.snapshot((tx) => new Check(tx, parsed.value, known).run());
}

class Check {
  private readonly tx: ReadTx;
  private readonly verifier: NoteVerifier;
  private readonly failures: FsckFailure[] = [];
  private readonly heads = new Map<string, StreamHead>();
  private readonly erasures = new Erasures();
  private readonly tree = new Frontier();
  private readonly upper = new Map<number, Cursor<Committed>>();
  private readonly known: Checkpoint[] = [];
  /** The tree stops at the first entry of which nothing is left. */
  private treeEnds = false;
  private good = { size: 0, note: undefined as string | undefined };
  private lastStored: number | null = null;

  constructor(tx: ReadTx, verifier: NoteVerifier, known: readonly string[]) {
    this.tx = tx;
    this.verifier = verifier;
    for (const note of known) {
      const opened = openCheckpoint(note, verifier);
      if (!opened.ok) throw new Fault(opened.code, `a checkpoint that was kept: ${opened.message}`);
      this.known.push(opened.value);
    }
    this.known.sort((a, b) => a.size - b.size);
  }

  async run(): Promise<Fsck> {
    const { tx } = this;
    const entries = new Cursor<EntryRow>(
      paged((after) => entryRows(tx, (after?.index ?? -1) + 1, Number.MAX_SAFE_INTEGER, PAGE_ROWS)),
      (row) => row.index,
    );
    const leaves = new Cursor(committedHashes(tx, 0), (row) => row.index);
    const checkpoints = new Cursor<CheckpointRow>(
      paged((after) => checkpointRows(tx, after?.size ?? 0, PAGE_ROWS)),
      (row) => row.size,
    );
    let found = 0;
    let index = 0;
    for (; (await entries.peek()) !== undefined && this.failures.length < FSCK_FAILURES_MAX; index += 1) {
      const row = await entries.at(index);
      const committed = (await leaves.at(index))?.hash;
      if (row) found += 1;
      this.checkEntry(index, row, committed);
      await this.grow(index, committed ?? (row && leafHash(row.body === null ? row.leaf : sha256(row.body))));
      for (let next = await checkpoints.peek(); next !== undefined && next.size <= index + 1; next = await checkpoints.peek()) {
        checkpoints.take();
        this.checkCheckpoint(next);
      }
      for (; this.known[0] && this.known[0].size <= index + 1; this.known.shift()) this.checkKnown(this.known[0]);
    }
    if (this.failures.length < FSCK_FAILURES_MAX) await this.checkEnd(index, leaves, checkpoints);
    for (const gone of this.erasures.unordered().slice(0, FSCK_FAILURES_MAX)) this.fail(gone, "the body is gone, and no entry ordered it erased");
    this.failures.sort((a, b) => a.index - b.index);
    return { ok: this.failures.length === 0, entries: found, checkpoint: this.good.note, failures: this.failures };
  }

  private fail(index: number, what: string): void {
    this.failures.push({ index, what });
  }

  private checkEntry(index: number, row: EntryRow | undefined, committed: Buffer | undefined): void {
    if (!row) {
      this.fail(index, "the entry is missing");
      return;
    }
    if (!committed) this.fail(index, "the tree has no leaf for this entry");
    if (row.body === null) {
      this.checkErased(row, committed);
      return;
    }
    const digest = sha256(row.body);
    if (!digest.equals(row.leaf)) this.fail(index, "the body does not hash to its leaf: one of both was changed");
    else if (committed && !leafHash(digest).equals(committed)) this.fail(index, "this is not the entry that was committed at this place");
    const body = parseEntryBody(row.body);
    if (!body.ok) {
      this.fail(index, body.message);
      return;
    }
    const { stream, streamSeq, time } = body.value;
    if (stream !== row.stream || streamSeq !== row.stream_seq)
      this.fail(index, `the body says stream ${stream} number ${streamSeq}, the row says ${row.stream} number ${row.stream_seq}`);
    const flaw = chainFlaw(body.value, this.heads.get(stream));
    if (flaw) this.fail(index, flaw);
    this.heads.set(stream, { streamSeq, time, leaf: digest });
    for (const standing of this.erasures.ordered(body.value)) this.fail(standing, `entry ${index} ordered its body erased, and it stands, or another stood there`);
  }

  /** Nothing is left of it but its leaf: the order comes later, and so does the entry that links to it. */
  private checkErased({ index, stream, stream_seq, leaf }: EntryRow, committed: Buffer | undefined): void {
    if (committed && !leafHash(leaf).equals(committed)) this.fail(index, "this is not the entry that was committed at this place");
    const head = this.heads.get(stream);
    const expected = head ? head.streamSeq + 1 : 0;
    if (stream_seq !== expected) this.fail(index, `the row says number ${stream_seq} of stream ${stream}, where number ${expected} belongs`);
    this.heads.set(stream, { streamSeq: stream_seq, time: head?.time ?? TIME_UNKNOWN, leaf });
    this.erasures.gone({ index, stream, leaf });
  }

  /** Adds the committed leaf, or what the body gives where the tree has none, and compares the stored roots of full tiles. */
  private async grow(index: number, leaf: Buffer | undefined): Promise<void> {
    if (!leaf) this.treeEnds = true;
    if (!leaf || this.treeEnds) return;
    const completed: { readonly level: number; readonly index: number; readonly hash: Buffer }[] = [];
    this.tree.push(leaf, (node, hash) => {
      if (node.level % TILE_HEIGHT === 0) completed.push({ level: node.level / TILE_HEIGHT, index: node.index, hash });
    });
    for (const node of completed) {
      let cursor = this.upper.get(node.level);
      if (!cursor) {
        cursor = new Cursor(committedHashes(this.tx, node.level), (row) => row.index);
        this.upper.set(node.level, cursor);
      }
      const stored = await cursor.at(node.index);
      if (!stored?.hash.equals(node.hash))
        this.fail(index, `the stored root of tile ${node.index} at level ${node.level - 1}, which ends here, is ${stored ? "wrong" : "missing"}`);
    }
  }

  private checkCheckpoint(row: CheckpointRow): void {
    const at = row.size - 1;
    if (row.previous !== this.lastStored)
      this.fail(at, `the checkpoint of ${row.size} entries extends one of ${row.previous ?? 0}, and the one before it is of ${this.lastStored ?? 0}`);
    this.lastStored = row.size;
    const opened = openCheckpoint(row.note, this.verifier);
    if (!opened.ok) {
      this.fail(at, `the checkpoint of ${row.size} entries: ${opened.message}`);
      return;
    }
    if (opened.value.size !== row.size || !opened.value.root.equals(row.root)) {
      this.fail(at, `the row of the checkpoint of ${row.size} entries is not what its note signs`);
      return;
    }
    if (this.signs(opened.value, "the checkpoint")) this.good = { size: row.size, note: row.note };
  }

  private checkKnown(checkpoint: Checkpoint): void {
    this.signs(checkpoint, "a checkpoint that was published");
  }

  /** Says it once: after the first tree that is not the signed one, no later tree can be. */
  private signs(checkpoint: Checkpoint, who: string): boolean {
    if (this.treeEnds || this.tree.size !== checkpoint.size) return false;
    if (this.tree.root().equals(checkpoint.root)) return true;
    const first = this.good.size;
    const where = first === checkpoint.size - 1 ? `entry ${first} is` : `one of the entries ${first} to ${checkpoint.size - 1} is`;
    this.fail(first, `${who} of ${checkpoint.size} entries signs another tree: ${where} not what was committed`);
    this.treeEnds = true;
    return false;
  }

  /** The log ends here. Does anything say that it went on? */
  private async checkEnd(size: number, leaves: Cursor<Committed>, checkpoints: Cursor<CheckpointRow>): Promise<void> {
    let signed = 0;
    for (let next = await checkpoints.peek(); next !== undefined; next = await checkpoints.peek()) {
      checkpoints.take();
      if (openCheckpoint(next.note, this.verifier).ok) signed = next.size;
      else this.fail(size, `there is a checkpoint of ${next.size} entries that this log did not sign`);
    }
    const known = this.known.at(-1)?.size ?? 0;
    let stored = size;
    for (let next = await leaves.peek(); next !== undefined && stored - size <= PAGE_ROWS; next = await leaves.peek()) {
      leaves.take();
      stored = next.index + 1;
    }
    if (signed > size) this.fail(size, `the entry and all after it are missing: a checkpoint of ${signed} entries is signed`);
    else if (known > size) this.fail(size, `the entry and all after it are missing: a checkpoint of ${known} entries was published`);
    else if (stored > size) this.fail(size, "the entry and all after it are missing: the tree goes on");
  }
}
