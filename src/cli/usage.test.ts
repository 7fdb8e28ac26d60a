import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { EXIT } from "./failure.ts";
import { failureOfUsage } from "./usage.ts";

describe("what was typed wrongly", () => {
  const usage = (code: string, message: string) => failureOfUsage({ code, message }, "nexus imvu");

  test("is answered with the flag, the rule, and what to type", () => {
    const failure = usage("commander.invalidArgument", "error: option '--imvu-id <id>' argument 'x' is invalid. imvu \"x\": is not an IMVU id – use something like IMVU-001");
    assert.deepEqual([failure.exitCode, failure.message, failure.document.hint], [EXIT.usage, '--imvu-id: imvu "x": is not an IMVU id', "use something like IMVU-001"]);
    assert.equal(usage("commander.unknownOption", "error: unknown option '--colour'").document.hint, "nexus imvu --help");
    assert.match(usage("commander.help", "(outputHelp)").message, /nexus imvu wants a verb/);
  });

  test("is cut short and kept on one line, however long and wild it was", () => {
    for (const typed of ["x".repeat(10_000), `${"a\n".repeat(100)}\u001b[2J${"b".repeat(100)}`]) {
      const { message } = usage("commander.unknownOption", `error: unknown option '${typed}'`);
      assert.ok(message.length <= 400 && !message.includes("\n"), message);
    }
  });
});
