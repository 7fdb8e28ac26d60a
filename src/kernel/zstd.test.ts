import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash, randomBytes } from "node:crypto";
import { PassThrough, Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { describe, test } from "node:test";
import { setImmediate, setTimeout } from "node:timers/promises";
import { zstdDecompressSync } from "node:zlib";
import { zstdCompressed } from "./zstd.ts";

/** Gives the content in other pieces, at other times, on each call. */
function unevenly(content: Buffer): Readable {
  const source = new PassThrough();
  void (async () => {
    for (let from = 0; from < content.length; ) {
      const to = from + 1 + Math.floor(Math.random() * 90_000);
      source.write(content.subarray(from, to));
      from = to;
      const pause = Math.random();
      if (pause < 0.3) await setImmediate();
      else if (pause < 0.5) await setTimeout(1);
    }
    source.end();
  })();
  return source;
}

describe("zstdCompressed", () => {
  for (const [name, content] of [
    ["nothing", Buffer.alloc(0)],
    ["one byte", Buffer.of(7)],
    ["exactly one block", randomBytes(128 * 1024)],
    ["runs", Buffer.concat([Buffer.alloc(512, 7), Buffer.alloc(70_000, 1), Buffer.alloc(70_000, 2), Buffer.alloc(600, 3), Buffer.alloc(1_536)])],
    ["two blocks and a bit", Buffer.concat([randomBytes(200_000), Buffer.alloc(70_000, 9)])],
  ] as const) {
    test(`${name}: however it arrives, the bytes are the same, and it comes back`, async () => {
      const seen = new Set<string>();
      for (let round = 0; round < 40; round += 1) {
        const packed = await buffer(zstdCompressed(unevenly(content)));
        seen.add(createHash("sha256").update(packed).digest("hex"));
        if (round === 0) assert.ok(zstdDecompressSync(packed).equals(content));
      }
      assert.equal(seen.size, 1);
    });
  }

  test("an error of the source reaches the reader", async () => {
    const source = Readable.from(
      (async function* () {
        yield Buffer.alloc(300_000, 1);
        throw new Error("the disk is gone");
      })(),
    );
    await assert.rejects(buffer(zstdCompressed(source)), /the disk is gone/);
  });

  test("a reader that goes away ends the source", async () => {
    const source = Readable.from((function* () {
      for (;;) yield randomBytes(100_000);
    })());
    const packed = zstdCompressed(source);
    for await (const _ of packed) break;
    for (let waits = 0; !source.destroyed && waits < 200; waits += 1) await setTimeout(5);
    assert.ok(source.destroyed);
  });
});
