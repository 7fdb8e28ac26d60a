import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Fault, refuse, type Refusal } from "../kernel/index.ts";
import { EXIT, failureOfAnswer, failureOfRefusal, failureOfThrown, usageFailure } from "./failure.ts";

describe("exit codes", () => {
  test("each kind of refusal has its own meaning for scripts", () => {
    const codes = (["usage", "conflict", "unauthenticated", "gate", "not-found", "engine", "busy"] as Refusal["kind"][]).map((kind) => [kind, failureOfRefusal(refuse(kind, "C", "m", "h")).exitCode]);
    assert.deepEqual(Object.fromEntries(codes), { usage: 2, conflict: 2, unauthenticated: 3, gate: 3, "not-found": 4, engine: 6, busy: 5 });
  });

  test("a refusal means the same whether it was made here or answered by the platform", () => {
    for (const kind of ["usage", "conflict", "unauthenticated", "gate", "not-found", "engine"] as Refusal["kind"][]) {
      const { ok: _, ...error } = refuse(kind, "C", "m", "h", { gate: 7, asked: 9, allowed: 4, ledgerIndex: 3 });
      const answered = failureOfAnswer(400, { error });
      assert.deepEqual([answered.exitCode, answered.document], [failureOfRefusal(refuse(kind, "C", "m", "h")).exitCode, error]);
    }
  });

  test("an answer without an error document is the platform's mistake and says its status", () => {
    for (const body of [undefined, null, {}, "text", 7, []]) {
      const failure = failureOfAnswer(502, body);
      assert.deepEqual([failure.exitCode, failure.document.code], [EXIT.engine, "BAD_ANSWER"]);
      assert.match(failure.message, /502/);
    }
    assert.equal(failureOfAnswer(500, { error: { code: "NEW", message: "m", hint: "h", kind: "something-new" } }).exitCode, EXIT.engine);
  });

  test("a platform that is not there differs from one whose engine failed, and from what the caller did wrong", () => {
    const codeOf = (code: string) => failureOfThrown(new Fault(code, "m")).exitCode;
    assert.deepEqual(["NOT_RUNNING", "UNREACHABLE", "HOME_IN_USE", "BAD_CONFIGURATION", "NOT_ROOT", "PROCESS_FAILED"].map(codeOf), [5, 5, 2, 2, 2, 6]);
  });

  test("a failure stays itself, and anything else that is thrown is our mistake and says so", () => {
    const failure = usageFailure("m", "h");
    assert.equal(failureOfThrown(failure), failure);
    for (const thrown of [new TypeError("x is undefined"), "text", undefined]) assert.deepEqual([failureOfThrown(thrown).document.code, failureOfThrown(thrown).exitCode], ["INTERNAL", EXIT.engine]);
  });
});
