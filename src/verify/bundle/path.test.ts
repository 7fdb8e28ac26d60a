import assert from "node:assert/strict";
import { test } from "node:test";
import { BUNDLE_PATH_CHARS_MAX, parseBundlePath, sectionOf } from "./path.ts";

test("paths that fabrics write", () => {
  for (const path of [
    "MANIFEST.json",
    "mail/mailboxes/hello+art@imvu042.world/Sent Items.mbox",
    "domains/dnssec/Kimvu042.world.+013+60123.private",
    "compute/configs/.env",
    "mail/mailboxes/a@b.c/Entw%C3%BCrfe.mbox",
  ]) assert.equal(parseBundlePath(path).ok, true, path);
});

test("paths that would leave the bundle, or mean two things, are refused and shown safely", () => {
  const hostile = [
    "", "/etc/passwd", "..", "../x", "a/../../x", "a/..", "a/./b", "./a", "a//b", "a/", "\\etc", "a\\..\\b", "C:/x", "c:x", "a\0b", "a\nb", "a\tb", "\u001b[31m",
    "a/\u202egnp.exe", "a\u2024\u2024/b", "\uff0e\uff0e/x", "e\u0301", "\u00e9", "a\u200bb", "\ud800", "a ", " a", "a/b.", "a/...", "a*", "a?", "a|b", "a<b", "a>b", 'a"b',
    "x".repeat(201), `${"abc/".repeat(12)}d`, `${"x".repeat(180)}/`.repeat(3), "y/".repeat(BUNDLE_PATH_CHARS_MAX), null, 7, undefined, {},
  ];
  for (const path of hostile) {
    const parsed = parseBundlePath(path);
    assert.ok(!parsed.ok, JSON.stringify(path));
    assert.match(parsed.message, /^[\x20-\x7e]{1,220}$/);
  }
});

test("a section is the first folder", () => {
  const section = (path: string) => {
    const parsed = parseBundlePath(path);
    assert.ok(parsed.ok);
    return sectionOf(parsed.value);
  };
  assert.deepEqual([section("REPORT.md"), section("ledger/proofs/events.jsonl")], ["bundle", "ledger"]);
});
