import { fileURLToPath } from "node:url";
import { Command, type CommanderError } from "commander";
import { failureOfUsage } from "./usage.ts";
import { auditVerbs } from "./verbs/audit.ts";
import { billingVerbs } from "./verbs/billing.ts";
import { consentVerbs } from "./verbs/consent.ts";
import { demoVerb } from "./verbs/demo.ts";
import { deployVerb } from "./verbs/deploy.ts";
import { identityVerbs } from "./verbs/identity.ts";
import { invoiceVerbs } from "./verbs/invoice.ts";
import { operatorVerbs } from "./verbs/operator.ts";
import { imvuVerbs } from "./verbs/imvu.ts";
import { ledgerVerbs } from "./verbs/ledger.ts";
import { moneyVerbs, tariffVerbs } from "./verbs/money.ts";
import { mailVerbs } from "./verbs/mail.ts";
import { payoutVerbs } from "./verbs/payout.ts";
import { platformVerbs } from "./verbs/platform.ts";
import { budgetVerbs } from "./verbs/budget.ts";
import { revenueVerbs } from "./verbs/revenue.ts";
import { unitVerbs } from "./verbs/units.ts";
import { verifyExportVerb } from "./verbs/verify-export.ts";
import { witnessVerbs } from "./verbs/witness.ts";

/** All verbs with their flags. What they cannot parse leaves `parseAsync` as a Failure; help that was asked for as a CommanderError of code 0. */
export function programOf(): Command {
  const program = new Command("nexus")
    .description("a hoster whose customers never have to trust it")
    .version("0.1.0")
    .option("--json", "one JSON document on standard output")
    .option("--quiet", "no progress")
    .option("--no-input", "never ask")
    .option("--dry-run", "parse, judge, show the verdicts; change nothing")
    .option("--home <dir>", "where identities, receipts and a platform live")
    .option("--platform <url>", "the platform to talk to; default: the one in this home")
    .option("--valid-for <time>", "how long the signed command may wait, e.g. for an approval: 30m, 12h, up to 7d; default: 10m")
    .option("--as <identity>", "who signs; default: the only identity of this home")
    .showSuggestionAfterError();
  platformVerbs(program, fileURLToPath(import.meta.resolve("./main.ts")));
  identityVerbs(program);
  operatorVerbs(program);
  imvuVerbs(program);
  deployVerb(program);
  unitVerbs(program);
  mailVerbs(program);
  consentVerbs(program);
  revenueVerbs(program);
  payoutVerbs(program);
  budgetVerbs(program);
  auditVerbs(program);
  billingVerbs(program);
  invoiceVerbs(program);
  ledgerVerbs(program);
  moneyVerbs(program);
  tariffVerbs(program);
  verifyExportVerb(program);
  witnessVerbs(program);
  demoVerb(program);
  everywhere(program, program, "nexus");
  return program;
}

/** Global flags may stand after the verb as well, and every refusal of commander's becomes ours, with the path of the command it is about. */
function everywhere(program: Command, parent: Command, path: string): void {
  parent.configureOutput({ writeErr: () => {} }).exitOverride((error: CommanderError) => {
    throw error.exitCode === 0 ? error : failureOfUsage(error, path);
  });
  for (const command of parent.commands) {
    for (const option of program.options) if (option.long !== "--version") command.addOption(hidden(option));
    everywhere(program, command, `${path} ${command.name()}`);
  }
}

function hidden(option: Command["options"][number]): Command["options"][number] {
  const copy = Object.assign(Object.create(Object.getPrototypeOf(option)), option) as Command["options"][number];
  return copy.hideHelp();
}
