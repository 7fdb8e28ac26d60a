import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import test from "node:test";
import type { Receipt } from "../../contract/index.ts";
import { signCheckpoint } from "./checkpoint.ts";
import { type Appended, headOf, nextEntry } from "./entry.ts";
import { noteSigner } from "./note.ts";
import { verifyReceipt } from "./receipt.ts";
import { Tile } from "./tile.ts";
import { formatTlogProof } from "./tlog-proof.ts";
import { consistencyRanges, foldRange, inclusionRanges, leafHash, type Range, rootRange } from "./tree.ts";

const signer = noteSigner("log.example/nexus", generateKeyPairSync("ed25519").privateKey);

/** A log of `size` entries that differ from another log's from `fork` on. */
function log(size: number, fork = size) {
  const entries: Appended[] = [];
  const tile = new Tile();
  for (let index = 0; index < size; index += 1) {
    const last = entries.at(-1);
    const data = { index, history: index >= fork ? 2 : 1 };
    entries.push(
      nextEntry({ stream: "platform", type: "platform.law", actor: "platform", data }, index, last && headOf(last), "2026-01-01T00:00:00.000Z", () =>
        Buffer.alloc(16),
      ),
    );
    tile.push(leafHash((entries[index] as Appended).leaf));
  }
  const fold = (range: Range) => foldRange(range.map((node) => tile.node(node.level, node.index) as Buffer));
  const checkpoint = (at: number) => signCheckpoint({ origin: signer.name, size: at, root: fold(rootRange(at)) }, signer);
  return {
    checkpoint,
    consistency: (from: number, to: number) => consistencyRanges(from, to).map((range) => fold(range).toString("base64")),
    receipt: (index: number, at: number): Receipt => ({
      index,
      body: (entries[index] as Appended).body,
      proof: formatTlogProof({ index, hashes: inclusionRanges(index, at).map(fold), checkpoint: checkpoint(at) }),
    }),
  };
}

const honest = log(20);
const code = (outcome: ReturnType<typeof verifyReceipt>) => (outcome.ok ? "ok" : outcome.code);

test("every receipt against every checkpoint verifies, also as a continuation of what was known", () => {
  for (let size = 1; size <= 20; size += 1)
    for (let index = 0; index < size; index += 1) {
      const seen = verifyReceipt(honest.receipt(index, size), signer.vkey);
      assert.ok(seen.ok);
      assert.deepEqual(
        [seen.value.index, seen.value.entry.streamSeq, seen.value.checkpoint.size, seen.value.note],
        [index, index, size, honest.checkpoint(size)],
      );
    }
  const receipt = honest.receipt(3, 15);
  for (const known of [1, 8, 14, 15])
    assert.equal(code(verifyReceipt(receipt, signer, { checkpoint: honest.checkpoint(known), consistency: honest.consistency(known, 15) })), "ok");
  assert.equal(
    code(verifyReceipt(receipt, signer, { checkpoint: honest.checkpoint(18), consistency: honest.consistency(15, 18) })),
    "ok",
    "an older receipt of the same log",
  );
});

test("a receipt proves one body at one place under one key", () => {
  const receipt = honest.receipt(3, 15);
  assert.equal(code(verifyReceipt({ ...receipt, index: 4 }, signer)), "BAD_RECEIPT");
  assert.equal(code(verifyReceipt({ ...receipt, body: honest.receipt(4, 15).body }, signer)), "BAD_RECEIPT");
  assert.equal(code(verifyReceipt({ ...receipt, body: receipt.body.replace('"index":3', '"index":9') }, signer)), "BAD_RECEIPT");
  assert.equal(code(verifyReceipt({ ...receipt, body: `${receipt.body} ` }, signer)), "BAD_ENTRY");
  assert.equal(code(verifyReceipt({ ...receipt, proof: receipt.proof.replace("index 3", "index 2") }, signer)), "BAD_RECEIPT");
  assert.equal(code(verifyReceipt({ ...receipt, proof: receipt.proof.replace("\n15\n", "\n16\n") }, signer)), "BAD_NOTE_SIGNATURE");
  assert.equal(code(verifyReceipt(receipt, noteSigner(signer.name, generateKeyPairSync("ed25519").privateKey))), "BAD_NOTE_SIGNATURE");
  assert.equal(code(verifyReceipt(receipt, "nonsense")), "BAD_VERIFIER_KEY");
});

test("two histories are told from one", () => {
  const forked = log(20, 5);
  assert.equal(code(verifyReceipt(forked.receipt(7, 15), signer)), "ok", "alone it looks right");
  for (const [consistency, why] of [
    [forked.consistency(10, 15), "its own proof"],
    [honest.consistency(10, 15), "the honest log's proof"],
    [[], "no proof"],
    [["?"], "nonsense"],
  ] as const)
    assert.equal(code(verifyReceipt(forked.receipt(7, 15), signer, { checkpoint: honest.checkpoint(10), consistency })), "LOG_FORKED", why);
  assert.equal(
    code(verifyReceipt(forked.receipt(7, 10), signer, { checkpoint: honest.checkpoint(10), consistency: [] })),
    "LOG_FORKED",
    "two trees of one size",
  );
  assert.equal(
    code(verifyReceipt(forked.receipt(3, 8), signer, { checkpoint: honest.checkpoint(10), consistency: forked.consistency(8, 10) })),
    "LOG_FORKED",
    "a log that was rolled back and went on differently",
  );
});
