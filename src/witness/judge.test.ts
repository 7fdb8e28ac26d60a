import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { describe, test } from "node:test";
import { CraftedLog } from "../../tests/harness/crafted-log.ts";
import { noteSigner, parseVerifierKey, signNote } from "../core/ledger/pure.ts";
import { formatAddCheckpoint, LINE_BYTES_MAX, parseAddCheckpoint, PROOF_LINES_MAX } from "./add-checkpoint.ts";
import { judge, type No, NOTHING_SEEN, openSigned, originOf, type Seen, type Signed } from "./judge.ts";

const log = new CraftedLog(20);
const keys = [log.signer];
const HASH = Buffer.alloc(32, 1).toString("base64");
const signedOf = (body: string): Signed => {
  const about = originOf(body);
  assert.ok("request" in about, JSON.stringify(about));
  const signed = openSigned(about.request, keys);
  assert.ok("checkpoint" in signed, JSON.stringify(signed));
  return signed;
};
const statusOf = (answer: Seen | Signed | No | object) => ("status" in answer ? answer.status : 200);

describe("the request", () => {
  test("is read as it is written", () => {
    for (const [old, size] of [[0, 20], [7, 20], [8, 8], [0, 0]] as const) {
      const parsed = parseAddCheckpoint(log.request(old, size));
      assert.ok(parsed.ok);
      assert.deepEqual([parsed.value.old, parsed.value.note], [old, log.checkpoint(size)]);
      assert.equal(formatAddCheckpoint(parsed.value), log.request(old, size));
    }
  });

  test("is 400 when it is anything else", () => {
    const note = log.checkpoint();
    const lines = (count: number) => `${HASH}\n`.repeat(count);
    for (const body of [
      "",
      note,
      `old 5\n${note}`,
      `old 05\n\n${note}`,
      `old -1\n\n${note}`,
      `old 5 \n\n${note}`,
      `old  5\n\n${note}`,
      `old 9007199254740992\n\n${note}`,
      `new 5\n\n${note}`,
      `old 5\r\n\r\n${note}`,
      `old 5\n${HASH.slice(1)}\n\n${note}`,
      `old 5\n${HASH.replace("=", "")}\n\n${note}`,
      `old 5\n${lines(PROOF_LINES_MAX + 1)}\n${note}`,
      `old 5\n\n${note.trimEnd()}`,
      `old 5\n\n${note.replace("— ", "- ")}`,
      `old 5\n\n${note}${"x".repeat(LINE_BYTES_MAX + 1)}`,
      `old 5\n\n${signNote("origin\n12\n", [log.signer])}`,
      `old 5\n\n${signNote("no checkpoint\n", [log.signer])}`,
    ])
      assert.equal(statusOf(originOf(body)), 400, body.slice(0, 60));
    assert.ok("origin" in originOf(`old 5\n${lines(PROOF_LINES_MAX)}\n${note}`), "63 lines are no offence in themselves");
  });
});

describe("the signature", () => {
  const requestOf = (body: string) => {
    const about = originOf(body);
    assert.ok("request" in about);
    return about.request;
  };

  test("404 for a log nobody named, 403 without one of its keys, 400 for an old size above the checkpoint's", () => {
    const thief = noteSigner(log.signer.name, generateKeyPairSync("ed25519").privateKey);
    assert.equal(statusOf(openSigned(requestOf(log.request(0)), undefined)), 404);
    assert.equal(statusOf(openSigned(requestOf(log.request(0)), [])), 403);
    assert.equal(statusOf(openSigned(requestOf(log.request(0)), [thief])), 403, "another key under the log's name");
    const stranger = parseVerifierKey("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
    assert.ok(stranger.ok);
    assert.equal(statusOf(openSigned(requestOf(log.request(0)), [stranger.value])), 403);
    assert.equal(statusOf(openSigned(requestOf(log.request(0)), [stranger.value, ...keys])), 200, "one of several keys is enough");
    assert.equal(statusOf(openSigned(requestOf(log.request(0).replace("\n20\n", "\n21\n")), keys)), 403, "a size that was not signed");
    assert.equal(statusOf(openSigned(requestOf(log.request(20, 19)), keys)), 400);
  });
});

describe("the tree", () => {
  const seenAt = (size: number): Seen => ({ size, root: log.root(size) });

  test("every extension of what was seen is taken, also from nothing, also none at all", () => {
    for (let from = 0; from <= 20; from += 1) for (let to = from; to <= 20; to += 1) assert.deepEqual(judge(seenAt(from), signedOf(log.request(from, to))), seenAt(to), `${from} to ${to}`);
    assert.deepEqual(NOTHING_SEEN, seenAt(0));
  });

  test("409 with the size seen, whenever the request begins elsewhere", () => {
    for (const old of [0, 6, 8, 20]) {
      const no = judge(seenAt(7), signedOf(log.request(old, 20)));
      assert.ok("status" in no);
      assert.deepEqual([no.status, no.size], [409, 7], `old ${old}`);
    }
  });

  test("409 for another tree of the same size, 422 for one that is no extension", () => {
    const fork = new CraftedLog(0).grow(5).grow(15, "other");
    const same = judge(seenAt(7), signedOf(fork.request(7, 7)));
    assert.ok("status" in same);
    assert.deepEqual([same.status, same.size], [409, 7]);
    assert.equal(statusOf(judge(seenAt(7), signedOf(fork.request(7, 20)))), 422);
    assert.equal(statusOf(judge(seenAt(5), signedOf(fork.request(5, 20)))), 200, "up to there they are one");
    assert.equal(statusOf(judge(NOTHING_SEEN, signedOf(`old 0\n${HASH}\n\n${log.checkpoint()}`))), 422, "from nothing the proof is empty");
    assert.equal(statusOf(judge(seenAt(7), signedOf(`old 7\n${HASH}\n\n${log.checkpoint(7)}`))), 422, "to the same tree too");
    assert.equal(statusOf(judge(seenAt(7), signedOf(`old 7\n\n${log.checkpoint()}`))), 422);
    const proof = log.proof(7, 20).map((hash) => hash.toString("base64"));
    assert.equal(statusOf(judge(seenAt(7), signedOf(`${["old 7", ...proof.toReversed()].join("\n")}\n\n${log.checkpoint()}`))), 422);
  });
});
