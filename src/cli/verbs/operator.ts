import type { Command } from "commander";
import { parseIdentityName } from "../../kernel/index.ts";
import { Context, must } from "../context.ts";
import { print } from "../output.ts";
import { keepReceipt } from "../receipts.ts";

/** Who operates the platform. An operator is an identity like every other one, with a role on the platform and on no IMVU. */
export function operatorVerbs(program: Command): void {
  const noun = program.command("operator").description("identities with a role on the platform itself; where there are two or more, two sign each change");

  noun
    .command("list")
    .description("who operates the platform")
    .action(async (_options, command: Command) => {
      const context = await Context.of(command);
      const answer = (await (await context.client()).get("/v1/operators")) as { readonly operators: readonly string[] };
      print(context.output, answer, () => answer.operators);
    });

  for (const [verb, op, said] of [["add", "platform.operator.add", "is an operator now"], ["remove", "platform.operator.remove", "is an operator no more"]] as const) {
    noun
      .command(`${verb} <name>`)
      .description(verb === "add" ? "give a registered identity the role" : "take the role from one; the last operator stays")
      .action(async (text: string, _options, command: Command) => {
        const context = await Context.of(command);
        const identity = must(parseIdentityName(text));
        const done = await context.command(await context.operator(), op, null, { identity });
        const receipt = { index: done.receipt.index, file: await keepReceipt(context.home, done) };
        print(context.output, { identity, verdicts: done.verdicts, receipt }, () => [`${identity} ${said} (ledger entry ${receipt.index})`]);
      });
  }
}
