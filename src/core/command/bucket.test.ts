import assert from "node:assert/strict";
import test from "node:test";
import { Bucket } from "./bucket.ts";

const NOW = 1_790_000_000_000;
const many = (bucket: Bucket, tries: number, now_ms: number) => Array.from({ length: tries }, () => bucket.take(now_ms)).filter(Boolean).length;

test("a burst passes at once, then so many a second, and rest never earns more than a burst", () => {
  const bucket = new Bucket(10, 2);
  assert.equal(many(bucket, 50, NOW), 10);
  assert.equal(many(bucket, 50, NOW + 400), 0);
  assert.equal(many(bucket, 50, NOW + 1_000), 2);
  assert.equal(many(bucket, 50, NOW + 3_600_000), 10);
});

test("a clock that steps back earns nothing, and what was earned stays", () => {
  const bucket = new Bucket(10, 1);
  assert.equal(many(bucket, 10, NOW), 10);
  assert.equal(many(bucket, 5, NOW - 60_000), 0);
  assert.equal(many(bucket, 5, NOW - 58_000), 2);
});
