/**
 * The command line: noun, then verb. Talks to the API as any client would; only the verbs of whoever runs the machine
 * (up, down, doctor) work on the home itself.
 */
import { CommanderError } from "commander";
import { DryRun } from "./dry-run.ts";
import { EXIT, failureOfThrown } from "./failure.ts";
import { print, printFailure } from "./output.ts";
import { programOf } from "./program.ts";

const argv = process.argv.slice(2);
const output = { json: argv.includes("--json"), quiet: argv.includes("--quiet") };
try {
  await programOf().parseAsync(argv, { from: "user" });
} catch (thrown) {
  if (thrown instanceof DryRun) {
    print(output, thrown.answer, () => thrown.lines());
    process.exitCode = thrown.allowed ? EXIT.done : EXIT.gate;
  } else if (thrown instanceof CommanderError && thrown.exitCode === 0) process.exitCode = EXIT.done;
  else {
    const failure = failureOfThrown(thrown);
    if (failure.document.code === "INTERNAL") process.stderr.write(`${thrown instanceof Error ? thrown.stack : String(thrown)}\n`);
    printFailure(output, failure);
    process.exitCode = failure.exitCode;
  }
}
