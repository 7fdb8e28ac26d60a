import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { COMMAND_BYTES_MAX, zCommandPayload, zSignedCommand } from "./command.ts";

describe("the signed payload", () => {
  const payload = { op: "service.restart", imvu: "IMVU-001", params: { name: "web" }, nonce: "A".repeat(22), iat: 1, exp: 2 };

  test("is taken whole, also without an IMVU", () => {
    assert.deepEqual(zCommandPayload.parse(payload), payload);
    assert.equal(zCommandPayload.parse({ ...payload, imvu: null }).imvu, null);
  });

  test("names the field that is wrong", () => {
    const wrong: Readonly<Record<string, readonly unknown[]>> = {
      op: ["", "imvu.destroy", "__proto__", "toString", 7],
      imvu: ["", "IMVU-000", "imvu-001", "IMVU-001\n", undefined, 1],
      params: [null, "text", [1], { a: undefined, b: () => 1 }],
      nonce: ["", "A".repeat(21), "A".repeat(23), `${"A".repeat(21)}=`, `${"A".repeat(21)}\n`],
      iat: [-1, 0.5, "1", null],
      exp: [-1, 0.5, "1", null],
    };
    for (const [field, values] of Object.entries(wrong))
      for (const value of values) {
        const parsed = zCommandPayload.safeParse({ ...payload, [field]: value });
        assert.ok(!parsed.success, `${field}: ${String(value)}`);
        assert.ok(parsed.error.issues.every((issue) => issue.path[0] === field));
      }
    assert.ok(!zCommandPayload.safeParse({ ...payload, more: 1 }).success);
  });

  test("an envelope of signatures is bounded before anything in it is read", () => {
    const signature = { protected: "e30", signature: "AA" };
    assert.ok(zSignedCommand.safeParse({ payload: "a".repeat(COMMAND_BYTES_MAX), signatures: Array(8).fill(signature) }).success);
    for (const signed of [
      { payload: "a".repeat(COMMAND_BYTES_MAX + 1), signatures: [signature] },
      { payload: "a", signatures: [] },
      { payload: "a", signatures: Array(9).fill(signature) },
      { payload: "a", signatures: [{ ...signature, header: {} }] },
      { payload: "a", signatures: [{ ...signature, protected: "a".repeat(513) }] },
      { payload: "a", signatures: [{ ...signature, signature: "a".repeat(129) }] },
      { payload: "a", signatures: [signature], header: {} },
      null,
    ])
      assert.ok(!zSignedCommand.safeParse(signed).success);
  });
});
