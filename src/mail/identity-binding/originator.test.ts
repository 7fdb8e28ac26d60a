import assert from "node:assert/strict";
import test from "node:test";
import { originatorAddress } from "./originator.ts";

test("plain and named addresses are read, in lower case", () => {
  for (const value of [" hello@imvu001.world", "Hello <Hello@IMVU001.world>", '"Jane, \\"J\\" Doe" <hello@imvu001.world>', "=?utf-8?q?J=C3=BCrgen?= <hello@imvu001.world>", " Jane\r\n Doe\r\n <hello@imvu001.world>", "Jürgen <hello@imvu001.world>", "<hello@imvu001.world>"]) {
    assert.equal(originatorAddress(value), "hello@imvu001.world", value);
  }
});

test("everything two readers could read differently has no address", () => {
  const odd = [
    "", "hello", "hello@imvu001.world, x@y.example", "hello@imvu001.world x@y.example", "<hello@imvu001.world> <x@y.example>", "hello@imvu001.world <x@y.example",
    "x@y.example <hello@imvu001.world>", "hello@imvu001.world (x@y.example)", "Jane (x <x@y.example>) <hello@imvu001.world>", "group: hello@imvu001.world;", "<@y.example:hello@imvu001.world>",
    "hello@imvu001.world\0", "hello@imvu001.world\r\nFrom: x@y.example", '"hello"@imvu001.world', "hello@[127.0.0.1]", "hel..lo@imvu001.world", "hello@imvu001..world", "hello@imvu001.world.",
    "a <hello@imvu001.world> b", '"unclosed <hello@imvu001.world>', `${"x".repeat(1_000)} <hello@imvu001.world>`,
  ];
  for (const value of odd) assert.equal(originatorAddress(value), undefined, JSON.stringify(value));
});

test("a hostile value costs no more than its length", () => {
  const started = performance.now();
  for (const piece of ['"', '\\"', "<", "a ", "@a"]) originatorAddress(piece.repeat(400));
  assert.ok(performance.now() - started < 200);
});
