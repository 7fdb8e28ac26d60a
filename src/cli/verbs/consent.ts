import { type Command, Option } from "commander";
import type { ImvuId, Json } from "../../kernel/index.ts";
import { Context, imvuFlag } from "../context.ts";
import { eraseEntry, ORDER_FILE, ORDER_SHA256, type OrderOptions, orderOf } from "../erase.ts";
import { digestOf } from "../named-file.ts";
import { print, table } from "../output.ts";
import { keepReceipt } from "../receipts.ts";
import { whole } from "../units.ts";

const LIMIT_MAX = 500;

interface Consent {
  readonly index: number;
  readonly subject: string;
  readonly purpose: string;
  readonly text: string;
  readonly state: string;
}

/** What the end users of a unit agreed to, kept where neither the creator nor the platform can rewrite it. */
export function consentVerbs(program: Command): void {
  const noun = program.command("consent").description("what a unit's end users agreed to and withdrew, on the ledger for good");

  noun
    .command("record")
    .description("record that an end user agreed to a text, or withdrew")
    .requiredOption("--imvu-id <id>", "which unit", imvuFlag)
    .requiredOption("--subject <id>", "your own name for the end user; better a pseudonym than an address")
    .requiredOption("--purpose <word>", "what for, e.g. newsletter")
    .addOption(new Option("--state <state>", "what happened").choices(["given", "withdrawn"]).makeOptionMandatory())
    .option("--text <file>", "the text the subject was shown; only its SHA-256 is sent")
    .option("--text-sha256 <digest>", "the same, where the text lies elsewhere")
    .action(async (options: { imvuId: ImvuId; subject: string; purpose: string; state: string; text?: string; textSha256?: string }, command: Command) => {
      const context = await Context.of(command);
      const text = await digestOf("text", options.text, options.textSha256, "the text the subject was shown");
      const { imvuId, subject, purpose, state } = options;
      const done = await context.command(await context.signer(), "consent.record", imvuId, { subject, purpose, text, state });
      const receipt = { index: done.outcome.receipt.index, file: await keepReceipt(context.home, done) };
      print(context.output, { imvu: imvuId, subject, purpose, text, state, index: done.receipt.index, verdicts: done.verdicts, receipt }, () => [`${state} by ${subject} for ${purpose} (ledger entry ${done.receipt.index})`]);
    });

  noun
    .command("erase")
    .description("erase what was recorded of an end user, as a law orders: the bodies go for good, their commitments stay")
    .requiredOption("--imvu-id <id>", "which unit", imvuFlag)
    .requiredOption("--subject <id>", "of which end user")
    .option("--purpose <word>", "for this purpose alone")
    .option(...ORDER_FILE)
    .option(...ORDER_SHA256)
    .action(async (options: { imvuId: ImvuId; subject: string; purpose?: string } & OrderOptions, command: Command) => {
      const context = await Context.of(command);
      const order = await orderOf(options);
      const { imvuId, subject, purpose } = options;
      const records = (await recordsOf(context, imvuId, subject)).filter((one) => purpose === undefined || one.purpose === purpose);
      const orders: Json[] = [];
      for (const { index } of records) orders.push(await eraseEntry(context, await context.signer(), "imvu.erase", imvuId, index, order));
      print(context.output, { imvu: imvuId, subject, order, erased: orders }, () => (records.length === 0 ? ["nothing was recorded"] : [`${records.length} records of ${subject} erased (ledger entries ${records.map(({ index }) => index).join(", ")}); their commitments stay`]));
    });

  noun
    .command("history")
    .description("what was recorded, oldest first")
    .requiredOption("--imvu-id <id>", "which unit", imvuFlag)
    .option("--subject <id>", "of one end user alone")
    .option("--from <entry>", "from this ledger entry on", "0")
    .option("--limit <n>", "how many lines", "100")
    .action(async (options: { imvuId: ImvuId; subject?: string; from: string; limit: string }, command: Command) => {
      const context = await Context.of(command);
      const from = whole("from", options.from, 0, Number.MAX_SAFE_INTEGER);
      const limit = whole("limit", options.limit, 1, LIMIT_MAX);
      const subject = options.subject === undefined ? "" : `&subject=${encodeURIComponent(options.subject)}`;
      const answer = (await (await context.client()).read(await context.signer(), `/v1/imvus/${options.imvuId}/consents?from=${from}&limit=${limit}${subject}`)) as unknown as { consents: readonly Consent[] };
      print(context.output, answer, () => (answer.consents.length === 0 ? ["nothing was recorded"] : table(answer.consents.map((one) => [`entry ${one.index}`, one.state, one.subject, one.purpose, one.text]))));
    });
}

/** Records of one end user, all of them, oldest first. */
async function recordsOf(context: Context, imvuId: ImvuId, subject: string): Promise<readonly Consent[]> {
  const [client, signer, records] = [await context.client(), await context.signer(), [] as Consent[]];
  for (let from = 0; ; from = (records.at(-1) as Consent).index + 1) {
    const page = (await client.read(signer, `/v1/imvus/${imvuId}/consents?from=${from}&limit=${LIMIT_MAX}&subject=${encodeURIComponent(subject)}`)) as unknown as { consents: readonly Consent[] };
    records.push(...page.consents);
    if (page.consents.length < LIMIT_MAX) return records;
  }
}
