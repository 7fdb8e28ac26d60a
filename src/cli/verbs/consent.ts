import { type Command, Option } from "commander";
import { type ImvuId, parseSha256, type Sha256, sha256File } from "../../kernel/index.ts";
import { Context, imvuFlag } from "../context.ts";
import { usageFailure } from "../failure.ts";
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
      const text = await digestOf(options);
      const { imvuId, subject, purpose, state } = options;
      const done = await context.command(await context.signer(), "consent.record", imvuId, { subject, purpose, text, state });
      const receipt = { index: done.outcome.receipt.index, file: await keepReceipt(context.home, done) };
      print(context.output, { imvu: imvuId, subject, purpose, text, state, index: done.receipt.index, verdicts: done.verdicts, receipt }, () => [`${state} by ${subject} for ${purpose} (ledger entry ${done.receipt.index})`]);
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

async function digestOf({ text, textSha256 }: { readonly text?: string; readonly textSha256?: string }): Promise<Sha256> {
  if ((text === undefined) === (textSha256 === undefined)) throw usageFailure("--text: exactly one of --text FILE and --text-sha256 DIGEST is needed", "name the file with the text the subject was shown: --text terms.txt");
  if (text !== undefined) {
    return await sha256File(text).catch((error: Error) => {
      throw usageFailure(`--text: ${text} cannot be read: ${error.message}`, "name a file of yours");
    });
  }
  const digest = parseSha256(textSha256 ?? "");
  if (!digest) throw usageFailure("--text-sha256: must be 64 lower-case hexadecimal digits (SHA-256)", "sha256sum FILE prints them");
  return digest;
}
