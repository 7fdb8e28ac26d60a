import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { rfc3339, sleep } from "./clock.ts";
import { parseSha256, sha256, sha256File, sha256Hex } from "./digest.ts";
import { Fault, messageOf } from "./fault.ts";
import { accept, refuse } from "./refusal.ts";

// FIPS 180-4's own example.
const ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

describe("digests", () => {
  test("SHA-256 is the standard's, in every form we ask for it", async () => {
    const folder = await mkdtemp(join(tmpdir(), "nexus-digest-"));
    try {
      await writeFile(join(folder, "abc"), "abc");
      assert.equal(sha256Hex("abc"), ABC);
      assert.equal(sha256(new TextEncoder().encode("abc")).toString("hex"), ABC);
      assert.equal(await sha256File(join(folder, "abc")), ABC);
      await assert.rejects(sha256File(join(folder, "none")), { code: "ENOENT" });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test("only 64 lower-case hexadecimal digits are a digest, because a digest is also a file name", () => {
    assert.equal(parseSha256(ABC), ABC);
    for (const text of ["", ABC.toUpperCase(), ABC.slice(1), `${ABC}0`, `${ABC}\n`, ` ${ABC.slice(1)}`, `../${ABC.slice(3)}`, `g${ABC.slice(1)}`]) assert.equal(parseSha256(text), undefined, JSON.stringify(text));
  });
});

describe("time", () => {
  test("an instant is written in UTC with exactly three decimals", () => {
    assert.equal(rfc3339(0), "1970-01-01T00:00:00.000Z");
    assert.equal(rfc3339(1_796_083_200_120), "2026-12-01T00:00:00.120Z");
    assert.throws(() => rfc3339(Number.NaN), RangeError);
  });

  test("a sleep ends when it is called off, at once when it was called off before", async () => {
    const stop = new AbortController();
    const long = sleep(60_000, stop.signal);
    stop.abort();
    await long;
    await sleep(60_000, stop.signal);
    await sleep(1);
  });
});

describe("refusals and faults", () => {
  test("a refusal is a value that carries its figures beside its words", () => {
    assert.deepEqual(refuse("gate", "CODE", "cpu: 9 asked", "ask for less", { gate: 7, asked: 9, allowed: 4 }), { ok: false, kind: "gate", code: "CODE", message: "cpu: 9 asked", hint: "ask for less", gate: 7, asked: 9, allowed: 4 });
    assert.deepEqual(accept(null), { ok: true, value: null });
  });

  test("a fault keeps its cause, says what to do next, and is not to be tried again unless it says so", () => {
    const cause = new Error("disk");
    const fault = new Fault("FULL", "cannot write", { cause });
    assert.ok(fault instanceof Error);
    assert.equal(fault.cause, cause);
    assert.match(fault.hint, /nexus doctor/);
    assert.equal(fault.retry, false);
    assert.equal(new Fault("BUSY", "busy", { retry: true, hint: "wait" }).retry, true);
    assert.ok(!("cause" in new Fault("X", "x")));
  });

  test("anything that can be thrown has a message", () => {
    assert.equal(messageOf(new Fault("X", "words")), "words");
    for (const [thrown, text] of [["text", "text"], [undefined, "undefined"], [null, "null"], [7, "7"]] as const) assert.equal(messageOf(thrown), text);
  });
});
