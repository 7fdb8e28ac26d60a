import { parseHashes } from "./tlog-proof.ts";
import { leafHash, nodeHash } from "./tree.ts";

/** A node on the way up that was found to lead to the root: by the siblings of the last proof from `position` on. */
interface Proved {
  readonly node: number;
  readonly position: number;
  readonly hash: Buffer;
}

/**
 * Inclusion proofs (RFC 9162 §2.1.3.2) of many entries in one tree. Neighbours share most of their way up: where a way joins the last
 * one that was verified, with the same hash and the same siblings to come, the rest has been computed already. In the order of the log
 * that leaves about two hashes for each entry; in any other order it is only slower.
 */
export class InclusionRun {
  private readonly size: number;
  private readonly root: Uint8Array;
  /** By level. Every one of them holds for `siblings`, the last proof that was verified. */
  private proved: (Proved | undefined)[] = [];
  private siblings: readonly string[] = [];

  constructor(size: number, root: Uint8Array) {
    this.size = size;
    this.root = root;
  }

  /** `proof`: base64 hashes, from the leaf's sibling up. */
  verify(leaf: Uint8Array, index: number, proof: readonly string[]): boolean {
    if (!Number.isSafeInteger(index) || index < 0 || index >= this.size) return false;
    const way: (Proved | undefined)[] = [];
    let node = index;
    let last = this.size - 1;
    let level = 0;
    let seen: Buffer = leafHash(leaf);
    const up = () => {
      node = Math.floor(node / 2);
      last = Math.floor(last / 2);
      level += 1;
    };
    for (let position = 0; position < proof.length; position += 1) {
      if (this.joins(level, node, position, seen, proof)) {
        // A level that this way passed over is forgotten: what was known of it held for other siblings.
        for (let below = 0; below < level; below += 1) this.proved[below] = way[below];
        this.siblings = proof;
        return true;
      }
      way[level] = { node, position, hash: seen };
      const sibling = last === 0 ? undefined : parseHashes([proof[position] as string])?.[0];
      if (!sibling) return false;
      if (node % 2 === 1 || node === last) {
        seen = nodeHash(sibling, seen);
        while (node % 2 === 0 && node !== 0) up();
      } else seen = nodeHash(seen, sibling);
      up();
    }
    if (last !== 0 || !seen.equals(this.root)) return false;
    this.proved = way;
    this.siblings = proof;
    return true;
  }

  private joins(level: number, node: number, position: number, hash: Buffer, proof: readonly string[]): boolean {
    const known = this.proved[level];
    if (known === undefined || known.node !== node || known.position !== position || proof.length !== this.siblings.length) return false;
    if (!known.hash.equals(hash)) return false;
    for (let at = position; at < proof.length; at += 1) if (proof[at] !== this.siblings[at]) return false;
    return true;
  }
}
