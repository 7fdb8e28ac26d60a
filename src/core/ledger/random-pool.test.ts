import assert from "node:assert/strict";
import test from "node:test";
import { randomPool } from "./random-pool.ts";

test("every byte is drawn once and given out once, also across portions", () => {
  let drawn = 0;
  const numbered = (size: number) => {
    const bytes = Buffer.alloc(Math.ceil(size / 4) * 4);
    for (let at = 0; at < bytes.length; at += 4) bytes.writeUInt32BE(drawn++, at);
    return bytes.subarray(0, size);
  };
  const random = randomPool(numbered);
  const given = Array.from({ length: 3_000 }, (_, n) => random(n === 1_000 ? 8_192 : 16));
  assert.ok(given.every((bytes, n) => bytes.length === (n === 1_000 ? 8_192 : 16)));
  const words = given.flatMap((bytes) => Array.from({ length: bytes.length / 4 }, (_, at) => Buffer.from(bytes).readUInt32BE(at * 4)));
  assert.equal(new Set(words).size, words.length);
});
