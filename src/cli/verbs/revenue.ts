import type { Command } from "commander";
import { type ImvuId, parseCurrency } from "../../kernel/index.ts";
import { amountOf } from "../amount.ts";
import { Context, imvuFlag, must } from "../context.ts";
import { usageFailure } from "../failure.ts";
import { print, table } from "../output.ts";
import { keepReceipt } from "../receipts.ts";
import { type Sale, salesCsv, salesFrom, salesPage } from "../sales.ts";
import { whole } from "../units.ts";

interface SaleOptions {
  readonly imvuId: ImvuId;
  readonly amount: string;
  readonly currency?: string;
  readonly sourceId: string;
  readonly at?: string;
  readonly reverses?: string;
}

/** What is sold inside a unit: 55 % of it are the creator's. */
export function revenueVerbs(program: Command): void {
  const noun = program.command("revenue").description("what is sold inside a unit, and paid back; 55 % of it are the creator's");
  const booking = (name: string, what: string) =>
    noun
      .command(name)
      .description(what)
      .requiredOption("--imvu-id <id>", "which unit", imvuFlag)
      .requiredOption("--amount <amount>", "how much, e.g. 12.34")
      .requiredOption("--source-id <name>", "what your shop or payment provider calls it; the same name is booked once, so it can be sent again")
      .option("--currency <code>", "ISO 4217; default: the unit's, and another is refused")
      .option("--at <time>", "when, RFC 3339; default: now");

  booking("record", "record a sale").action((options: SaleOptions, command: Command) => book(options, command));
  booking("reverse", "record that a sale, or a part of it, was paid back")
    .requiredOption("--reverses <name>", "source id of the sale")
    .action((options: SaleOptions, command: Command) => book(options, command));

  noun
    .command("list")
    .description("what was recorded, oldest first")
    .requiredOption("--imvu-id <id>", "which unit", imvuFlag)
    .option("--from <entry>", "from this ledger entry on", "0")
    .option("--limit <n>", "at most so many; default: all")
    .option("--csv", "as rows for a spreadsheet (RFC 4180)")
    .action(async (options: { imvuId: ImvuId; from: string; limit?: string; csv?: true }, command: Command) => {
      const context = await Context.of(command);
      const from = whole("from", options.from, 0, Number.MAX_SAFE_INTEGER);
      const limit = options.limit === undefined ? undefined : whole("limit", options.limit, 1, Number.MAX_SAFE_INTEGER);
      const { sales: answer, currency } = await salesFrom(context, options.imvuId, from, limit);
      if (options.csv) process.stdout.write(salesCsv(answer));
      else print(context.output, { imvu: options.imvuId, currency, sales: answer }, () => (answer.length === 0 ? ["nothing was recorded"] : table(answer.map((one) => [`entry ${one.index}`, one.at, one.sourceId, `${one.reverses === null ? "" : "-"}${one.amount}`, one.currency, noteOf(one)]), [3])));
    });
}

/** A name that stands for this very sale already is told, and nothing is signed: a shop may send what it is not sure of again. */
async function book({ imvuId, amount, currency: said, sourceId, at, reverses }: SaleOptions, command: Command): Promise<void> {
  const context = await Context.of(command);
  const { sales: [known], currency: agreed } = await salesPage(context, imvuId, `sourceId=${encodeURIComponent(sourceId)}`);
  const currency = must(parseCurrency(said ?? agreed));
  const instant = at === undefined && known ? known.at : instantOf(at);
  const sale = { sourceId, amount: amountOf(amount, currency, "like --amount 12.34; what is paid back is 'nexus revenue reverse'"), currency, at: instant };
  const same = known && known.amount === sale.amount && known.currency === currency && known.at === instant && known.reverses === (reverses ?? null);
  if (same) {
    print(context.output, { imvu: imvuId, ...sale, ...(reverses === undefined ? {} : { reverses }), index: known.index, recordedBefore: true }, () => [`${sourceId} was recorded before (ledger entry ${known.index}); nothing to do`]);
    return;
  }
  const signer = await context.signer();
  const done = reverses === undefined ? await context.command(signer, "revenue.record", imvuId, sale) : await context.command(signer, "revenue.reverse", imvuId, { ...sale, reverses });
  const receipt = { index: done.receipt.index, file: await keepReceipt(context.home, done) };
  const told = reverses === undefined ? `sold: ${currency} ${sale.amount} (${sourceId})` : `paid back: ${currency} ${sale.amount} of ${reverses} (${sourceId})`;
  print(context.output, { imvu: imvuId, ...sale, ...(reverses === undefined ? {} : { reverses }), index: done.receipt.index, recordedBefore: false, verdicts: done.verdicts, receipt }, () => [`${told}, ledger entry ${done.receipt.index}`]);
}

function instantOf(text: string | undefined): string {
  const at = text === undefined ? new Date() : /^\d{4}-\d{2}-\d{2}T[\d:.]+(?:Z|[+-]\d{2}:\d{2})$/.test(text) ? new Date(text) : undefined;
  if (!at || Number.isNaN(at.getTime())) throw usageFailure(`--at: ${JSON.stringify(String(text).slice(0, 40))} is not an RFC 3339 time`, "like --at 2026-11-23T12:00:00Z");
  return at.toISOString();
}

function noteOf({ reverses, left, amount }: Sale): string {
  if (reverses !== null) return `of ${reverses}`;
  return left === amount ? "" : `${left} left`;
}
