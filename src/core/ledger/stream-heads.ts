import type { NewEntry } from "../../contract/index.ts";
import type { Store } from "../store/index.ts";
import { type Appended, headOf, nextEntry, type StreamHead } from "./entry.ts";
import { streamHeads } from "./log-rows.ts";

const HEADS_CACHED_MAX = 4_096;

/** Where the streams end, as far as it is committed: of those that were written to lately. */
export class StreamHeads {
  private readonly random: (size: number) => Uint8Array;
  private heads = new Map<string, StreamHead>();

  constructor(random: (size: number) => Uint8Array) {
    this.random = random;
  }

  async load(reading: Store["snapshot"], wanted: ReadonlySet<string>): Promise<void> {
    if (this.heads.size + wanted.size > HEADS_CACHED_MAX) this.heads = new Map();
    const missing = [...wanted].filter((stream) => !this.heads.has(stream));
    if (missing.length === 0) return;
    for (const [stream, head] of await reading((tx) => streamHeads(tx, missing))) this.heads.set(stream, head);
  }

  /** Places for one batch, from index `first` on; nothing of them is kept here. */
  places(first: number, now: string): Places {
    return new Places(this.heads, first, now, this.random);
  }

  keep(rows: readonly Appended[]): void {
    for (const row of rows) this.heads.set(row.stream, headOf(row));
  }

  forget(): void {
    this.heads = new Map();
  }
}

/** Gives the entries of a batch their places, one request after the other; one that fails has taken none. */
export class Places {
  private readonly heads: ReadonlyMap<string, StreamHead>;
  private readonly taken = new Map<string, StreamHead>();
  private readonly now: string;
  private readonly random: (size: number) => Uint8Array;
  private next: number;

  constructor(heads: ReadonlyMap<string, StreamHead>, first: number, now: string, random: (size: number) => Uint8Array) {
    this.heads = heads;
    this.next = first;
    this.now = now;
    this.random = random;
  }

  /** Throws Fault for what can never be an entry. */
  give(entries: readonly NewEntry[]): readonly Appended[] {
    const own = new Map<string, StreamHead>();
    return entries.map((entry, offset) => {
      const head = own.get(entry.stream) ?? this.taken.get(entry.stream) ?? this.heads.get(entry.stream);
      const placed = nextEntry(entry, this.next + offset, head, this.now, this.random);
      own.set(entry.stream, headOf(placed));
      return placed;
    });
  }

  /** The request has succeeded so far: the next one follows it. */
  take(given: readonly Appended[]): void {
    for (const entry of given) this.taken.set(entry.stream, headOf(entry));
    this.next += given.length;
  }
}
