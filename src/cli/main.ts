/**
 * The command line: noun, then verb. Talks to the API as any client would; only the verbs of whoever runs the machine
 * (up, down, doctor) work on the home itself.
 */
import { fileURLToPath } from "node:url";
import { Command, CommanderError } from "commander";
import { DryRun } from "./context.ts";
import { EXIT, failureOfThrown, usageFailure } from "./failure.ts";
import { print, printFailure } from "./output.ts";
import { demoVerb } from "./verbs/demo.ts";
import { deployVerb } from "./verbs/deploy.ts";
import { identityVerbs } from "./verbs/identity.ts";
import { imvuVerbs } from "./verbs/imvu.ts";
import { ledgerVerbs } from "./verbs/ledger.ts";
import { mailVerbs } from "./verbs/mail.ts";
import { platformVerbs } from "./verbs/platform.ts";
import { unitVerbs } from "./verbs/units.ts";

function programOf(): Command {
  const program = new Command("nexus")
    .description("a hoster whose customers never have to trust it")
    .version("0.1.0")
    .option("--json", "one JSON document on standard output")
    .option("--quiet", "no progress")
    .option("--no-input", "never ask")
    .option("--dry-run", "parse, judge, show the verdicts; change nothing")
    .option("--home <dir>", "where identities, receipts and a platform live")
    .option("--platform <url>", "the platform to talk to; default: the one in this home")
    .option("--as <identity>", "who signs; default: the only identity of this home")
    .showSuggestionAfterError()
    .configureOutput({ writeErr: () => {} });
  platformVerbs(program, fileURLToPath(import.meta.url));
  identityVerbs(program);
  imvuVerbs(program);
  deployVerb(program);
  unitVerbs(program);
  mailVerbs(program);
  ledgerVerbs(program);
  demoVerb(program);
  everywhere(program);
  return program;
}

/** Global flags may stand after the verb as well, and every refusal of commander's comes to us. */
function everywhere(program: Command, parent = program): void {
  parent.exitOverride().configureOutput({ writeErr: () => {} });
  for (const command of parent.commands) {
    for (const option of program.options) if (option.long !== "--version") command.addOption(hidden(option));
    everywhere(program, command);
  }
}

function hidden(option: Command["options"][number]): Command["options"][number] {
  const copy = Object.assign(Object.create(Object.getPrototypeOf(option)), option) as Command["options"][number];
  return copy.hideHelp();
}

const argv = process.argv.slice(2);
const output = { json: argv.includes("--json"), quiet: argv.includes("--quiet") };
try {
  await programOf().parseAsync(argv, { from: "user" });
} catch (thrown) {
  if (thrown instanceof DryRun) print(output, thrown.answer, () => [JSON.stringify(thrown.answer, null, 2)]);
  else if (thrown instanceof CommanderError && thrown.exitCode === 0) process.exitCode = EXIT.done;
  else {
    const failure = thrown instanceof CommanderError ? usageFailure(thrown.message.replace(/^error: /, ""), `nexus ${argv.filter((word) => /^[a-z-]+$/.test(word) && !word.startsWith("-")).slice(0, 2).join(" ")} --help`) : failureOfThrown(thrown);
    if (failure.document.code === "INTERNAL") process.stderr.write(`${thrown instanceof Error ? thrown.stack : String(thrown)}\n`);
    printFailure(output, failure);
    process.exitCode = failure.exitCode;
  }
}
