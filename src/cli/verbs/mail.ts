import { randomBytes } from "node:crypto";
import type { Command } from "commander";
import { hashMailPassword, MIB } from "../../contract/index.ts";
import { type ImvuId, type Json, parseMailAddress } from "../../kernel/index.ts";
import { Context, imvuFlag, must } from "../context.ts";
import { bytesText, print, table } from "../output.ts";
import { whole } from "../units.ts";
import { keepPassword } from "../passwords.ts";
import { keepReceipt } from "../receipts.ts";

const PASSWORD_BYTES = 18;
const QUOTA_MIB_MAX = 1_048_576;

export function mailVerbs(program: Command): void {
  const noun = program.command("mail").description("mail of a unit").command("mailbox").description("mailboxes of a unit's domain");
  const withUnit = (command: Command) => command.requiredOption("--imvu-id <id>", "which unit", imvuFlag);

  withUnit(noun.command("list")).description("all mailboxes").action(async (options: { imvuId: ImvuId }, command: Command) => {
    const context = await Context.of(command);
    const answer = (await (await context.client()).read(await context.signer(), `/v1/imvus/${options.imvuId}/mail`)) as { mailboxes: { address: string; quotaBytes: number }[] };
    print(context.output, answer, () => table(answer.mailboxes.map((box) => [box.address, bytesText(box.quotaBytes)])));
  });

  for (const [verb, op] of [["create", "mail.mailbox.create"], ["password", "mail.mailbox.password"]] as const) {
    const command = withUnit(noun.command(verb))
      .description(verb === "create" ? "a new mailbox; its password is made here and only its hash leaves" : "a new password for a mailbox")
      .requiredOption("--address <address>", "local@domain");
    if (verb === "create") command.option("--quota <MiB>", "how much it may hold", "64");
    command.action(async (options: { imvuId: ImvuId; address: string; quota?: string }, call: Command) => {
      const context = await Context.of(call);
      const address = must(parseMailAddress(options.address));
      const who = await context.signer();
      const password = randomBytes(PASSWORD_BYTES).toString("base64url");
      const passwordHash = await (await context.client()).uploadBytes(who, Buffer.from(await hashMailPassword(password)));
      const params: Record<string, Json> = { address, passwordHash };
      if (options.quota !== undefined) params.quotaBytes = whole("quota", options.quota, 1, QUOTA_MIB_MAX) * MIB;
      const done = await context.command(who, op, options.imvuId, params);
      const passwordFile = await keepPassword(context.home, address, password);
      print(context.output, { address, passwordFile, receipt: { index: done.outcome.receipt.index, file: await keepReceipt(context.home, done) } }, () => [`${address}: the password is in ${passwordFile}`]);
    });
  }

  withUnit(noun.command("remove")).description("remove an empty mailbox").requiredOption("--address <address>", "local@domain").action(async (options: { imvuId: ImvuId; address: string }, command: Command) => {
    const context = await Context.of(command);
    const address = must(parseMailAddress(options.address));
    const done = await context.command(await context.signer(), "mail.mailbox.remove", options.imvuId, { address });
    print(context.output, { address, receipt: { index: done.outcome.receipt.index, file: await keepReceipt(context.home, done) } }, () => [`${address} is gone`]);
  });
}
