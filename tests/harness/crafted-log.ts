import { generateKeyPairSync } from "node:crypto";
import { consistencyRanges, foldRange, leafHash, nodeHash, noteSigner, rootRange, signCheckpoint } from "../../src/core/ledger/pure.ts";
import { sha256 } from "../../src/kernel/index.ts";

const KEY = generateKeyPairSync("ed25519").privateKey;

/** A log in memory that signs whatever it is told to; it grows, and shrinks, as no honest one could. */
export class CraftedLog {
  readonly signer;
  private leaves: Buffer[] = [];
  private readonly watchers = new Set<() => void>();

  constructor(size = 0, name = "log.example/crafted", flavour = "leaf", key = KEY) {
    this.signer = noteSigner(name, key);
    this.grow(size, flavour);
  }

  get verifierKey(): string {
    return this.signer.vkey;
  }

  get size(): number {
    return this.leaves.length;
  }

  grow(by: number, flavour = "leaf"): this {
    for (let n = 0; n < by; n += 1) this.leaves.push(leafHash(sha256(`${flavour} ${this.leaves.length}`)));
    for (const watcher of [...this.watchers]) watcher();
    return this;
  }

  /** As a database would that was brought back to an older state. */
  rollBack(size: number): this {
    this.leaves = this.leaves.slice(0, size);
    return this;
  }

  watch(fn: () => void): () => void {
    this.watchers.add(fn);
    return () => this.watchers.delete(fn);
  }

  root(size = this.size): Buffer {
    return foldRange(rootRange(size).map(({ level, index }) => this.node(level, index)));
  }

  checkpoint(size = this.size): string {
    return signCheckpoint({ origin: this.signer.name, size, root: this.root(size) }, this.signer);
  }

  async consistencyProof(from: number, to: number): Promise<Buffer[]> {
    return this.proof(from, to);
  }

  proof(from: number, to: number): Buffer[] {
    return consistencyRanges(from, to).map((range) => foldRange(range.map(({ level, index }) => this.node(level, index))));
  }

  /** The body of add-checkpoint. */
  request(old: number, size = this.size): string {
    return `${[`old ${old}`, ...this.proof(old, Math.max(old, size)).map((hash) => hash.toString("base64"))].join("\n")}\n\n${this.checkpoint(size)}`;
  }

  private node(level: number, index: number): Buffer {
    return level === 0 ? (this.leaves[index] as Buffer) : nodeHash(this.node(level - 1, index * 2), this.node(level - 1, index * 2 + 1));
  }
}
