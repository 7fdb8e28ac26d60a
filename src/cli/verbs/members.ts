import { createInterface } from "node:readline/promises";
import { type Command, Option } from "commander";
import type { SignedCommand } from "../../contract/index.ts";
import { addApproval, openCommand } from "../../core/identity/index.ts";
import { type IdentityName, type ImvuId, type Json, parseIdentityName, parseImvuId, parseSha256 } from "../../kernel/index.ts";
import { Context, imvuFlag, must, parsed } from "../context.ts";
import { DryRun } from "../dry-run.ts";
import { EXIT, Failure, usageFailure } from "../failure.ts";
import { print, say, stepPrinter, table } from "../output.ts";
import { keepReceipt } from "../receipts.ts";

const identityFlag = parsed<IdentityName>(parseIdentityName);

/** Who else may command a unit, what its owner approves of, and what was refused on it. */
export function memberVerbs(imvu: Command): void {
  const noun = imvu.command("member").description("who else may read and command a unit, and as what");

  noun
    .command("list")
    .description("members and their roles")
    .requiredOption("--imvu-id <id>", "which unit", imvuFlag)
    .action(async (options: { imvuId: ImvuId }, command: Command) => {
      const context = await Context.of(command);
      const answer = (await (await context.client()).read(await context.signer(), `/v1/imvus/${options.imvuId}/members`)) as { members: { identity: string; role: string }[] };
      print(context.output, answer, () => table(answer.members.map(({ identity, role }) => [identity, role])));
    });

  noun
    .command("add <identity>")
    .description("add a member, or give one another role; only the owner's signature does it")
    .requiredOption("--imvu-id <id>", "which unit", imvuFlag)
    .addOption(new Option("--role <role>", "maintainer: deploys, and changes names, routes and mail; billing: sees the accounts; viewer: reads").choices(["maintainer", "billing", "viewer"]).makeOptionMandatory())
    .action(async (name: string, options: { imvuId: ImvuId; role: string }, command: Command) => {
      const identity = identityFlag(name);
      await change(await Context.of(command), "imvu.member.set", options.imvuId, { identity, role: options.role }, `${identity} is ${options.role} of ${options.imvuId}`);
    });

  noun
    .command("remove <identity>")
    .description("take a member's role away, at once")
    .requiredOption("--imvu-id <id>", "which unit", imvuFlag)
    .action(async (name: string, options: { imvuId: ImvuId }, command: Command) => {
      const identity = identityFlag(name);
      await change(await Context.of(command), "imvu.member.remove", options.imvuId, { identity }, `${identity} has no role in ${options.imvuId} any more`);
    });

  imvu
    .command("approve <digest>")
    .description("sign somebody's refused command as the unit's owner, and send it again")
    .action(async (text: string, _options, command: Command) => {
      const digest = parseSha256(text);
      if (!digest) throw usageFailure(`digest: ${JSON.stringify(text.slice(0, 80))} is not 64 lower-case hexadecimal digits`, "copy it from the refusal, or from 'nexus imvu refusals ID'");
      await approve(await Context.of(command), digest);
    });

  imvu
    .command("refusals <id>")
    .description("what was refused on a unit, newest first: who tried what, and which gate said no")
    .action(async (text: string, _options, command: Command) => {
      const context = await Context.of(command);
      const answer = (await (await context.client()).read(await context.signer(), `/v1/imvus/${must(parseImvuId(text))}/refusals`)) as unknown as { refusals: Refused[] };
      print(context.output, answer, () =>
        answer.refusals.length === 0
          ? ["nothing was refused"]
          : [
              ...table(answer.refusals.map(({ index, time, actor, op, code, approvable }) => [`entry ${index}`, time, actor, op, `${code}${approvable ? " (an approval would allow it)" : ""}`])),
              ...(answer.refusals.find(({ approvable }) => approvable) ? [`next: nexus imvu approve ${answer.refusals.find(({ approvable }) => approvable)?.digest}`] : []),
            ],
      );
    });
}

interface Refused {
  readonly index: number;
  readonly time: string;
  readonly actor: string;
  readonly op: string;
  readonly code: string;
  readonly digest: string;
  readonly approvable: boolean;
}

async function change(context: Context, op: "imvu.member.set" | "imvu.member.remove", id: ImvuId, params: Record<string, Json>, said: string): Promise<void> {
  const done = await context.command(await context.signer(), op, id, params);
  const receipt = { index: done.outcome.receipt.index, file: await keepReceipt(context.home, done) };
  print(context.output, { ...params, imvu: id, verdicts: done.verdicts, receipt }, () => [`${said} (ledger entry ${receipt.index})`]);
}

/** What is signed is read from the command's own bytes, not from what the platform says about it. */
async function approve(context: Context, digest: string): Promise<void> {
  const who = await context.signer();
  const client = await context.client();
  const known = (await client.read(who, `/v1/commands/${digest}`)) as { signed: SignedCommand };
  const opened = must(openCommand(known.signed));
  if (opened.digest !== digest) throw new Failure({ code: "WRONG_COMMAND", message: `the platform answered command ${opened.digest} when asked for ${digest}`, hint: "do not sign it; ask the sender for the digest again" }, EXIT.notSo);
  const { op, imvu, params, exp } = opened.command;
  say(context.output, `${op} on ${imvu ?? "no unit"}, valid until ${new Date(exp).toISOString()}:\n  ${JSON.stringify(params)}`);
  if (opened.signatures.some(({ kid }) => kid === who.key.kid)) throw usageFailure(`${who.name} has signed this command already`, "approve it with the owner's identity: --as NAME", "SIGNED_ALREADY");
  const signed = addApproval(known.signed, who.key);
  if (context.flags.dryRun) throw new DryRun(await client.rehearse(signed));
  if (!(await agreed(context))) throw usageFailure("not approved; nothing was sent", "run it again when you agree", "NOT_APPROVED");
  const done = await client.submit(signed, stepPrinter(context.output));
  const receipt = { index: done.outcome.receipt.index, file: await keepReceipt(context.home, done) };
  print(context.output, { digest, op, imvu, params, verdicts: done.verdicts, receipt, timings: done.timings }, () => [`approved and done: ${op} on ${imvu} (ledger entry ${receipt.index})`]);
}

/** Asked only where somebody can answer; a script that names the digest has agreed. */
async function agreed(context: Context): Promise<boolean> {
  if (!context.input || !process.stdin.isTTY || !process.stderr.isTTY) return true;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`sign it as ${(await context.signer()).name}? [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}
