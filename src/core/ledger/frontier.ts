import { foldRange, type NodeAt, nodeHash } from "./tree.ts";

/** A tree that only grows, kept as its full subtrees: log2(size) hashes, whatever its size. For whoever reads a log from its first entry. */
export class Frontier {
  private readonly roots: { readonly level: number; readonly hash: Buffer }[] = [];
  private leaves = 0;

  get size(): number {
    return this.leaves;
  }

  /** Appends a leaf hash; `completed` is told every node above it that became final. */
  push(leaf: Buffer, completed?: (node: NodeAt, hash: Buffer) => void): void {
    let node = { level: 0, hash: leaf };
    this.leaves += 1;
    for (let below = this.roots.at(-1); below?.level === node.level; below = this.roots.at(-1)) {
      this.roots.pop();
      node = { level: node.level + 1, hash: nodeHash(below.hash, node.hash) };
      completed?.({ level: node.level, index: this.leaves / 2 ** node.level - 1 }, node.hash);
    }
    this.roots.push(node);
  }

  root(): Buffer {
    return foldRange(this.roots.map((one) => one.hash));
  }
}
