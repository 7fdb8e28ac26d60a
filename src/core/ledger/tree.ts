import { Buffer } from "node:buffer";
import { sha256 } from "../../kernel/index.ts";

/** The Merkle tree of RFC 6962 §2.1 over SHA-256: hashes, and which stored nodes a root or a proof is made of. No tree is held here. */

export const HASH_BYTES = 32;

/** Where a node's two children are put to be hashed: one at a time, and millions of times. */
const nodeInput = Buffer.alloc(1 + 2 * HASH_BYTES, 1);

/** MTH({}) = SHA-256(). */
export const EMPTY_ROOT: Buffer = sha256("");

export function leafHash(leaf: Uint8Array): Buffer {
  const input = Buffer.allocUnsafe(1 + leaf.length);
  input[0] = 0;
  input.set(leaf, 1);
  return sha256(input);
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  if (left.length !== HASH_BYTES || right.length !== HASH_BYTES) throw new RangeError(`${left.length} and ${right.length} bytes are no two hashes`);
  nodeInput.set(left, 1);
  nodeInput.set(right, 1 + HASH_BYTES);
  return sha256(nodeInput);
}

/** The root of the full subtree over leaves [index·2^level, (index+1)·2^level). */
export interface NodeAt {
  readonly level: number;
  readonly index: number;
}

/** A subtree that may be ragged on its right: full subtrees, left to right, folded into one hash by foldRange. */
export type Range = readonly NodeAt[];

/** Full subtrees of leaves [from, to); `from` must be where a subtree of that size can begin, as it is everywhere in RFC 6962. */
function rangeOf(from: number, to: number): Range {
  const nodes: NodeAt[] = [];
  let at = from;
  while (at < to) {
    let level = 0;
    while (at % 2 ** (level + 1) === 0 && at + 2 ** (level + 1) <= to) level += 1;
    nodes.push({ level, index: at / 2 ** level });
    at += 2 ** level;
  }
  return nodes;
}

/** MTH(D[from:to]) from its full subtrees: the smallest are on the right and fold first. */
export function foldRange(hashes: readonly Uint8Array[]): Buffer {
  if (hashes.length === 0) return EMPTY_ROOT;
  let folded: Buffer = Buffer.from(hashes[hashes.length - 1] as Uint8Array);
  for (let at = hashes.length - 2; at >= 0; at -= 1) folded = nodeHash(hashes[at] as Uint8Array, folded);
  return folded;
}

export function rootRange(size: number): Range {
  checkSize(size);
  return rangeOf(0, size);
}

/** RFC 6962 §2.1.1, PATH(index, D[size]): the ranges whose hashes are the proof, from the leaf's sibling up. */
export function inclusionRanges(index: number, size: number): readonly Range[] {
  checkSize(size);
  if (!Number.isSafeInteger(index) || index < 0 || index >= size) throw new RangeError(`no entry ${index} in a tree of ${size}`);
  const ranges: Range[] = [];
  let low = 0;
  let high = size;
  while (high - low > 1) {
    const split = low + largestPowerBelow(high - low);
    if (index < split) {
      ranges.push(rangeOf(split, high));
      high = split;
    } else {
      ranges.push(rangeOf(low, split));
      low = split;
    }
  }
  return ranges.reverse();
}

/** RFC 6962 §2.1.2, PROOF(from, D[to]). Empty when the sizes are equal or `from` is 0: there is nothing to prove. */
export function consistencyRanges(from: number, to: number): readonly Range[] {
  checkSize(from);
  checkSize(to);
  if (from > to) throw new RangeError(`a tree of ${from} is not older than one of ${to}`);
  if (from === 0 || from === to) return [];
  const ranges: Range[] = [];
  let low = 0;
  let high = to;
  // SUBPROOF(m, D, b): b stays true as long as the old tree begins where this subtree does.
  let whole = true;
  while (from !== high) {
    const split = low + largestPowerBelow(high - low);
    if (from <= split) {
      ranges.push(rangeOf(split, high));
      high = split;
    } else {
      ranges.push(rangeOf(low, split));
      low = split;
      whole = false;
    }
  }
  if (!whole) ranges.push(rangeOf(low, high));
  return ranges.reverse();
}

/** RFC 9162 §2.1.3.2, for the tree RFC 6962 defines. */
export function verifyInclusion(leaf: Uint8Array, index: number, size: number, proof: readonly Uint8Array[], root: Uint8Array): boolean {
  if (!isIndex(index) || !isIndex(size) || index >= size) return false;
  let node = index;
  let last = size - 1;
  let seen: Buffer = leafHash(leaf);
  for (const sibling of proof) {
    if (sibling.length !== HASH_BYTES || last === 0) return false;
    if (node % 2 === 1 || node === last) {
      seen = nodeHash(sibling, seen);
      while (node % 2 === 0 && node !== 0) {
        node = half(node);
        last = half(last);
      }
    } else {
      seen = nodeHash(seen, sibling);
    }
    node = half(node);
    last = half(last);
  }
  return last === 0 && seen.equals(root);
}

/** RFC 9162 §2.1.4.2. A tree of 0 is a beginning of every tree. */
export function verifyConsistency(from: number, fromRoot: Uint8Array, to: number, toRoot: Uint8Array, proof: readonly Uint8Array[]): boolean {
  if (!isIndex(from) || !isIndex(to) || from > to) return false;
  if (from === 0) return proof.length === 0 && EMPTY_ROOT.equals(fromRoot);
  if (from === to) return proof.length === 0 && Buffer.from(fromRoot).equals(toRoot);
  if (proof.length === 0 || proof.some((item) => item.length !== HASH_BYTES)) return false;
  const path = isPowerOfTwo(from) ? [fromRoot, ...proof] : proof;
  let node = from - 1;
  let last = to - 1;
  while (node % 2 === 1) {
    node = half(node);
    last = half(last);
  }
  let old: Buffer = Buffer.from(path[0] as Uint8Array);
  let now: Buffer = old;
  for (const sibling of path.slice(1)) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      old = nodeHash(sibling, old);
      now = nodeHash(sibling, now);
      while (node % 2 === 0 && node !== 0) {
        node = half(node);
        last = half(last);
      }
    } else {
      now = nodeHash(now, sibling);
    }
    node = half(node);
    last = half(last);
  }
  return last === 0 && old.equals(fromRoot) && now.equals(toRoot);
}

function half(value: number): number {
  return Math.floor(value / 2);
}

function isIndex(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function isPowerOfTwo(value: number): boolean {
  return 2 ** Math.round(Math.log2(value)) === value;
}

function checkSize(size: number): void {
  if (!isIndex(size)) throw new RangeError(`${size} is not a tree size`);
}

/** The largest power of two smaller than `size` (size ≥ 2): where RFC 6962 splits. */
function largestPowerBelow(size: number): number {
  let power = 1;
  while (power * 2 < size) power *= 2;
  return power;
}
