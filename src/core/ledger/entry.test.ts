import assert from "node:assert/strict";
import test from "node:test";
import type { NewEntry } from "../../contract/index.ts";
import { canonicalJson, Fault, type Json, sha256 } from "../../kernel/index.ts";
import { type Appended, BODY_BYTES_MAX, headOf, nextEntry, parseEntryBody, verifyStreamChain } from "./entry.ts";

const salt = () => Buffer.alloc(16, 7);
const entry = (data: Json = { hello: "world" }): NewEntry => ({ stream: "IMVU-001", type: "command.accepted", actor: "creator-8891", data });

function chain(times: readonly string[]): Appended[] {
  const made: Appended[] = [];
  for (const [at, time] of times.entries()) {
    const last = made.at(-1);
    made.push(nextEntry(entry({ at }), at, last && headOf(last), time, salt));
  }
  return made;
}

test("a body is canonical, links to the one before, and its time does not go back with the clock", () => {
  const [first, second, third] = chain(["2026-01-01T00:00:01.000Z", "2026-01-01T00:00:00.000Z", "2026-01-01T00:00:02.000Z"]) as [
    Appended,
    Appended,
    Appended,
  ];
  assert.equal(
    first.body,
    `{"actor":"creator-8891","data":{"at":0},"prev":"${"0".repeat(64)}","salt":"BwcHBwcHBwcHBwcHBwcHBw","stream":"IMVU-001","streamSeq":0,"time":"2026-01-01T00:00:01.000Z","type":"command.accepted","v":1}`,
  );
  assert.ok(first.leaf.equals(sha256(first.body)));
  const body = parseEntryBody(second.body);
  assert.ok(body.ok);
  assert.equal(body.value.prev, first.leaf.toString("hex"));
  assert.equal(body.value.time, first.time, "the clock went back; the stream's time did not");
  assert.equal(third.time, "2026-01-01T00:00:02.000Z");
  assert.deepEqual(verifyStreamChain([first.body, second.body, third.body]), { ok: true, value: { entries: 3, head: headOf(third) } });
});

test("what can never be an entry is a fault that says why", () => {
  const make = (one: NewEntry) => nextEntry(one, 0, undefined, "2026-01-01T00:00:00.000Z", salt);
  const code = (expected: string) => (error: unknown) => error instanceof Fault && error.code === expected;
  for (const stream of ["", "a b", "../x", "x".repeat(65), "-a", "a\n", "é"])
    assert.throws(() => make({ ...entry(), stream }), code("LEDGER_BAD_STREAM"), JSON.stringify(stream));
  assert.throws(() => make({ ...entry(), actor: "" }), code("LEDGER_BAD_ACTOR"));
  assert.throws(() => make(entry({ a: 0.5 })), code("LEDGER_BAD_DATA"));
  assert.throws(() => make(entry({ a: "\ud800" })), code("LEDGER_BAD_DATA"));
  assert.throws(() => make(entry({ a: undefined } as unknown as Json)), code("LEDGER_BAD_DATA"));
  const room = BODY_BYTES_MAX - Buffer.byteLength(make(entry("")).body);
  assert.equal(Buffer.byteLength(make(entry("x".repeat(room))).body), BODY_BYTES_MAX);
  assert.throws(() => make(entry("x".repeat(room + 1))), code("LEDGER_BODY_TOO_LARGE"));
  assert.throws(() => make(entry("é".repeat(room / 2 + 1))), code("LEDGER_BODY_TOO_LARGE"), "bytes are counted, not characters");
});

test("a body in any other form is not an entry", () => {
  const good = chain(["2026-01-01T00:00:00.000Z"])[0]?.body as string;
  const value = JSON.parse(good) as { [key: string]: Json };
  assert.ok(parseEntryBody(good).ok);
  const { salt: _, ...without } = value;
  for (const bad of [
    "",
    "null",
    "[]",
    "1",
    `${good} `,
    good.replace(":", ": "),
    good.replace('"v":1', '"v":1,"v":1'),
    canonicalJson(without),
    canonicalJson({ ...value, more: 1 }),
    canonicalJson({ ...value, v: 2 }),
    canonicalJson({ ...value, time: "2026-01-01T00:00:00Z" }),
    canonicalJson({ ...value, time: "2026-13-01T00:00:00.000Z" }),
    canonicalJson({ ...value, prev: "00" }),
    canonicalJson({ ...value, streamSeq: -1 }),
    canonicalJson({ ...value, stream: "a b" }),
    canonicalJson({ ...value, salt: "short" }),
    canonicalJson({ ...value, actor: "" }),
    canonicalJson({ ...value, type: "Bad" }),
    canonicalJson({ ...value, data: "x".repeat(BODY_BYTES_MAX) }),
  ])
    assert.equal(parseEntryBody(bad).ok, false, bad.slice(0, 200));
});

test("a reader of one stream sees an omission, a change, a stranger and time going back", () => {
  const time = "2026-01-01T00:00:00.000Z";
  const bodies = chain([time, time, time, time]).map((one) => one.body);
  const refused = (list: (string | undefined)[]) => {
    const seen = verifyStreamChain(list as string[]);
    return seen.ok ? "" : seen.message;
  };
  assert.match(refused([bodies[0], bodies[2]]), /entry 1: it is number 2 .* where number 1 belongs/);
  assert.match(refused([bodies[1]]), /where number 0 belongs/);
  assert.match(refused([bodies[0], bodies[1]?.replace('"at":1', '"at":9'), bodies[2]]), /entry 2: its prev/);
  assert.match(
    refused([bodies[0], nextEntry({ ...entry(), stream: "IMVU-002" }, 1, undefined, time, salt).body]),
    /entry 1: it belongs to stream IMVU-002/,
  );
  const early = JSON.parse(bodies[1] as string) as { [key: string]: Json };
  assert.match(refused([bodies[0], canonicalJson({ ...early, time: "2025-01-01T00:00:00.000Z" })]), /its time .* is before/);
});
