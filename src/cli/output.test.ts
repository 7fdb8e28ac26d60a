import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { DryRun } from "./dry-run.ts";
import { EXIT, Failure, usageFailure } from "./failure.ts";
import { bytesText, many, paint, print, printFailure, say, stepPrinter, table } from "./output.ts";

/** What is written while `work` runs, by stream. */
function written(context: TestContext, work: () => void): { out: string; err: string } {
  const text = { out: "", err: "" };
  const out = context.mock.method(process.stdout, "write", (chunk: string) => {
    text.out += chunk;
    return true;
  });
  const err = context.mock.method(process.stderr, "write", (chunk: string) => {
    text.err += chunk;
    return true;
  });
  try {
    work();
  } finally {
    out.mock.restore();
    err.mock.restore();
  }
  return text;
}

const people = { json: false, quiet: false };
const script = { json: true, quiet: true };

describe("output", () => {
  test("the answer goes to standard output, everything said meanwhile to standard error", (context) => {
    const { out, err } = written(context, () => {
      say(people, "working");
      print(people, { a: 1 }, () => ["one", "two"]);
    });
    assert.deepEqual([out, err], ["one\ntwo\n", "working\n"]);
  });

  test("a script gets one JSON document and nothing else, for a failure too", (context) => {
    const { out, err } = written(context, () => {
      say(script, "working");
      stepPrinter(script)({ sentence: "s", state: "done", ms: 1 });
      print(script, { a: "ü" }, () => assert.fail("no lines for a script"));
    });
    assert.deepEqual([JSON.parse(out), err], [{ a: "ü" }, ""]);
    const failed = written(context, () => printFailure(script, usageFailure("m", "h")));
    assert.deepEqual([JSON.parse(failed.out), failed.err], [{ error: { code: "USAGE", message: "m", hint: "h", kind: "usage" } }, ""]);
  });

  test("a failure says what, its code, where it is recorded, and what to type next", (context) => {
    const { out, err } = written(context, () => printFailure(people, new Failure({ code: "GATE_07", message: "too much", hint: "nexus imvu scale", ledgerIndex: 12 }, EXIT.gate)));
    assert.equal(out, "");
    for (const part of [/error.*too much.*\[GATE_07\]/, /ledger entry 12/, /next: nexus imvu scale/]) assert.match(err, part);
  });

  test("steps are shown when they end, with what went wrong below", (context) => {
    const step = stepPrinter(people);
    const { err } = written(context, () => {
      step({ sentence: "sign the zone", state: "start", ms: 0 });
      step({ sentence: "sign the zone", state: "failed", ms: 1.6, detail: "line one\nline two" });
    });
    assert.equal(err.split("\n").length, 4);
    assert.match(err, /sign the zone.* 2 ms/);
    assert.match(err, /\n {4}line one\n {4}line two/);
  });

  test("text from elsewhere cannot move the cursor, retitle the window, hide, or turn a line around", (context) => {
    const hostile = ["\u001b[2J", "\u001b]0;owned\u0007", "\u001b[8m", "\u001b[31;5m", "\u001bc", "\u009b2J", "\r", "\b", "\u007f", "\u202e", "\u2066", "\u200f", "\u061c", "\0"];
    for (const text of hostile) {
      const { out, err } = written(context, () => {
        print(people, null, () => [text]);
        say(people, text);
        stepPrinter(people)({ sentence: text, state: "done", ms: 0, detail: text });
        printFailure(people, new Failure({ code: "C", message: text, hint: text }, 1));
      });
      for (const shown of [out, err]) {
        assert.ok(!shown.includes(text), JSON.stringify(text));
        assert.ok(shown.includes("\\u"), JSON.stringify(text));
      }
    }
  });

  test("colours appear only where a terminal reads, and then really do", (context) => {
    const stream = (isTTY: boolean) => ({ isTTY }) as NodeJS.WriteStream;
    const { NO_COLOR } = process.env;
    delete process.env.NO_COLOR;
    assert.equal(paint("red", "x", stream(false)), "x");
    const red = paint("red", "x", stream(true));
    assert.equal(red, "\u001b[31mx\u001b[0m");
    assert.equal(written(context, () => print(people, null, () => [red])).out, `${red}\n`);
    process.env.NO_COLOR = "1";
    assert.equal(paint("red", "x", stream(true)), "x");
    if (NO_COLOR === undefined) delete process.env.NO_COLOR;
    else process.env.NO_COLOR = NO_COLOR;
  });

  test("columns are as wide as their widest cell and lines end without blanks", () => {
    assert.deepEqual(table([["a", "bbb", "c"], ["aaa", "b", ""], ["a"]]), ["a    bbb  c", "aaa  b", "a"]);
    assert.deepEqual(table([]), []);
  });

  test("figures stand with their decimal points below each other, whatever signs and decimals they have; heads end where they end", () => {
    const rows = [["", "debit", "what"], ["a", "1020.06", "x"], ["bb", "-9.990", ""], ["c", "300", "y"], ["d", "", ""], ["e", "0.000001", "z"]];
    assert.deepEqual(table(rows, [1]), ["          debit  what", "a   1020.06      x", "bb    -9.990", "c    300         y", "d", "e      0.000001  z"]);
    assert.deepEqual(table([["a", "× 0.5"], ["b", "× 10.25"]], [1]), ["a   × 0.5", "b  × 10.25"]);
    assert.deepEqual(["0", "1", "2"].map((count) => many(Number(count), "unit")), ["0 units", "1 unit", "2 units"]);
  });

  test("sizes are told in the largest unit that fits", () => assert.deepEqual([0, 1_023, 1_024, 1_536, 1024 ** 2, 5 * 1024 ** 3, 1024 ** 4].map(bytesText), ["0 B", "1023 B", "1 KiB", "1.5 KiB", "1 MiB", "5 GiB", "1 TiB"]));
});

test("a dry run says in four lines what the seventeen would say", () => {
  const verdicts = [{ gate: 1, verdict: "pass" }, { gate: 2, verdict: "not-applicable" }, { gate: 15, verdict: "deny", code: "GATE_15_OWNER_APPROVAL_MISSING" }] as const;
  const refused = new DryRun({ dryRun: true, allowed: false, refusal: { code: "GATE_15_OWNER_APPROVAL_MISSING", message: "gate 15 refuses" }, verdicts: JSON.parse(JSON.stringify(verdicts)) });
  assert.deepEqual(refused.lines(), ["would be refused  gate 15 refuses [GATE_15_OWNER_APPROVAL_MISSING]", "  pass            1", "  deny            15", "  not applicable  2"]);
  const allowed = new DryRun({ dryRun: true, allowed: true, verdicts: JSON.parse(JSON.stringify(verdicts.slice(0, 2))) });
  assert.deepEqual([allowed.allowed, allowed.lines()[0]], [true, "would be done  nothing was changed"]);
});
