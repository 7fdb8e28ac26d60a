import assert from "node:assert/strict";
import test from "node:test";
import { hashMailPassword, MAIL_PASSWORD_ROUNDS, parseMailPasswordHash } from "./mail-password.ts";

test("a made hash has the engine's form, a fresh salt, and is taken as it stands", async () => {
  const one = await hashMailPassword("correct horse");
  const two = await hashMailPassword("correct horse");
  assert.match(one, new RegExp(`^\\{PBKDF2\\}\\$1\\$[0-9a-f]{24}\\$${MAIL_PASSWORD_ROUNDS}\\$[0-9a-f]{40}$`));
  assert.notEqual(one, two);
  const parsed = parseMailPasswordHash(one);
  assert.ok(parsed.ok && parsed.value === one);
});

test("passwords with line breaks, empty or huge ones are not hashed", async () => {
  for (const password of ["", "a\nb", "a\0b", "x".repeat(1_025)]) await assert.rejects(hashMailPassword(password), TypeError);
});

test("crypt(3) forms are taken, with and without their scheme's name", () => {
  const sha512 = `$6$saltsalt$${"a".repeat(86)}`;
  assert.ok(parseMailPasswordHash(sha512).ok);
  assert.ok(parseMailPasswordHash(`{SHA512-CRYPT}${sha512}`).ok);
  assert.ok(parseMailPasswordHash(`$y$j9T$abcd./efgh$${"b".repeat(43)}`).ok);
});

test("hostile hashes are refused", () => {
  const good = `{PBKDF2}$1$abcdefgh$5000$${"0".repeat(40)}`;
  assert.ok(parseMailPasswordHash(good).ok);
  const hostile = [
    "",
    `${good}\n`,
    `${good}\tuid=0`,
    `${good}\nuser=x`,
    ` ${good}`,
    "{PLAIN}secret",
    "{CLEARTEXT}x",
    "secret",
    "*",
    "{PBKDF2}$1$abcdefgh$5000$zz",
    `{PBKDF2}$1$abcdefgh$4000000000$${"0".repeat(40)}`,
    `{PBKDF2}$1$abcdefgh$1$${"0".repeat(40)}`,
    `{PBKDF2}$1$ab\0defgh$5000$${"0".repeat(40)}`,
    `$6$rounds=999999999$salt$${"a".repeat(86)}`,
    `$y$jFT$abcd$${"b".repeat(43)}`,
    "x".repeat(10_000),
  ];
  for (const text of hostile) assert.equal(parseMailPasswordHash(text).ok, false, JSON.stringify(text.slice(0, 60)));
});
