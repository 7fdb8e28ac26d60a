import type { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { NewEntry, Receipt } from "../../src/contract/index.ts";
import {
  type Appended, foldRange, formatTlogProof, headOf, inclusionRanges, leafHash, nodeHash, type NoteSigner, nextEntry, rootRange, signCheckpoint, type StreamHead,
} from "../../src/core/ledger/pure.ts";
import type { LedgerSource } from "../../src/imvu/export/index.ts";

/** A whole log in memory, through the ledger's own pure code: real entries, real tree, real signatures; only time and salt are given. */
export class SyntheticLog implements LedgerSource {
  readonly signer: NoteSigner;
  readonly all: Appended[] = [];
  /** Indexes of entries whose bodies are gone. */
  readonly erased = new Set<number>();
  now_ms: number;
  private readonly heads = new Map<string, StreamHead>();

  constructor(signer: NoteSigner, now_ms: number) {
    this.signer = signer;
    this.now_ms = now_ms;
  }

  get verifierKey(): string {
    return this.signer.vkey;
  }

  append(entry: NewEntry): Appended {
    const index = this.all.length;
    const salt = (size: number) => createHash("sha256").update(`salt ${index}`).digest().subarray(0, size);
    const appended = nextEntry(entry, index, this.heads.get(entry.stream), new Date(this.now_ms).toISOString(), salt);
    this.all.push(appended);
    this.heads.set(entry.stream, headOf(appended));
    return appended;
  }

  head(stream: string): StreamHead | undefined {
    return this.heads.get(stream);
  }

  checkpoint(): string {
    const size = this.all.length;
    return signCheckpoint({ origin: this.signer.name, size, root: foldRange(rootRange(size).map((node) => this.node(node))) }, this.signer);
  }

  async *entries({ stream, from = 0, to = this.all.length }: { stream?: string; from?: number; to?: number }): AsyncGenerator<Omit<Appended, "body"> & { readonly body: string | null }> {
    for (const entry of this.all.slice(from, to)) if (stream === undefined || entry.stream === stream) yield this.erased.has(entry.index) ? { ...entry, body: null } : entry;
  }

  async inclusionProof(index: number, size: number): Promise<readonly Buffer[]> {
    return inclusionRanges(index, size).map((range) => foldRange(range.map((node) => this.node(node))));
  }

  async receipt(index: number): Promise<Receipt> {
    const hashes = await this.inclusionProof(index, this.all.length);
    return { index, body: (this.all[index] as Appended).body, proof: formatTlogProof({ index, hashes, checkpoint: this.checkpoint() }) };
  }

  private node({ level, index }: { level: number; index: number }): Buffer {
    if (level === 0) return leafHash((this.all[index] as Appended).leaf);
    return nodeHash(this.node({ level: level - 1, index: 2 * index }), this.node({ level: level - 1, index: 2 * index + 1 }));
  }
}
