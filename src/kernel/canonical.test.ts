import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { CANONICAL_DEPTH_MAX, canonicalBytes, canonicalJson, type Json, parseCanonicalJson } from "./canonical.ts";

const leaf = fc.oneof(fc.string({ unit: "grapheme" }), fc.maxSafeInteger(), fc.boolean(), fc.constant(null));
const json = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    leaf,
    fc.array(tie("value")),
    fc.dictionary(fc.string({ unit: "grapheme" }), tie("value"), { noNullPrototype: true }),
  ),
})).value;

function reversed(value: Json): Json {
  if (Array.isArray(value)) return value.map(reversed);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).toReversed().map(([key, member]) => [key, reversed(member)]));
}

describe("canonical JSON", () => {
  test("says the same value, whatever the order of its keys", () => {
    fc.assert(
      fc.property(json, (value) => {
        const text = canonicalJson(value);
        assert.equal(canonicalJson(reversed(value)), text);
        assert.equal(canonicalJson(JSON.parse(text) as Json), text);
        assert.deepEqual(canonicalBytes(value).toString("utf8"), text);
      }),
      { numRuns: 200 },
    );
  });

  test("sorts keys by UTF-16 code unit, as the example of RFC 8785 does", () => {
    const value = { "€": 1, "\r": 2, "\ufb33": 3, "1": 4, "😀": 5, "\u0080": 6, "ö": 7 };
    assert.equal(canonicalJson(value), '{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"😀":5,"\ufb33":3}');
  });

  test("escapes exactly what JSON.stringify escapes", () => {
    for (let code = 0; code < 0x100; code += 1) {
      const text = `a${String.fromCharCode(code)}z`;
      assert.equal(canonicalJson(text), JSON.stringify(text), `code ${code}`);
      assert.equal(canonicalJson({ [text]: null }), `{${JSON.stringify(text)}:null}`);
    }
    assert.equal(canonicalJson("line\n"), '"line\\n"');
  });

  test("writes minus zero as zero", () => assert.equal(canonicalJson([-0]), "[0]"));

  test("refuses what two programs could write differently", () => {
    for (const value of [0.5, 1e300, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) assert.throws(() => canonicalJson([value]), /safe integer/, String(value));
    for (const text of ["\ud800", "a\udc00", "\udc00\ud800"]) {
      assert.throws(() => canonicalJson(text), /lone surrogate/);
      assert.throws(() => canonicalJson({ [text]: 1 }), /lone surrogate/);
    }
    assert.throws(() => canonicalJson({ a: undefined } as unknown as Json), /"a" is undefined/);
    for (const value of [undefined, 1n, () => 1, Symbol("s")]) assert.throws(() => canonicalJson([value] as unknown as Json), TypeError);
  });

  test("is told from every other spelling of the same value", () => {
    fc.assert(
      fc.property(json, (value) => {
        const text = canonicalJson(value);
        assert.equal(canonicalJson(parseCanonicalJson(text)), text);
        const other = JSON.stringify(reversed(value));
        if (other !== text) assert.throws(() => parseCanonicalJson(other), TypeError);
      }),
      { numRuns: 200 },
    );
    assert.deepEqual(parseCanonicalJson('{"10":1,"9":2}'), { 9: 2, 10: 1 });
    for (const text of ['{"b":1,"a":2}', '{"9":2,"10":1}', '{"a":1,"a":1}', " 1", "1.5", "[0.5]", "-0", "1e3", "9007199254740993", '"\\ud800"', '{"\\udc00":1}', '"\\u0041"', "", "{", `${"[".repeat(66)}${"]".repeat(66)}`])
      assert.throws(() => parseCanonicalJson(text), text);
  });

  test("nests to its bound and not one deeper, also when a value holds itself", () => {
    const nested = (depth: number): Json => (depth === 0 ? 1 : [nested(depth - 1)]);
    assert.ok(canonicalJson(nested(CANONICAL_DEPTH_MAX)));
    assert.throws(() => canonicalJson(nested(CANONICAL_DEPTH_MAX + 1)), /nested too deep/);
    for (const leaf of ["text", 1, null, {}, []]) {
      assert.ok(canonicalJson(leaf, CANONICAL_DEPTH_MAX));
      assert.throws(() => canonicalJson(leaf, CANONICAL_DEPTH_MAX + 1), /nested too deep/);
    }
    const ring: Json[] = [];
    ring.push(ring);
    assert.throws(() => canonicalJson(ring), /nested too deep/);
  });
});
