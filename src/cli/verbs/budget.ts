import type { Command } from "commander";
import { type ImvuId, type Json, parseCurrency } from "../../kernel/index.ts";
import { amountOf } from "../amount.ts";
import { Context, imvuFlag, must } from "../context.ts";
import { usageFailure } from "../failure.ts";
import { plainFigure, print, table } from "../output.ts";
import { keepReceipt } from "../receipts.ts";

interface Shown {
  readonly imvu: string;
  readonly currency: string;
  readonly budget: { readonly amount: string; readonly thresholds: readonly number[]; readonly index: number } | null;
  readonly reached: readonly { readonly index: number; readonly period: string; readonly what: "usage" | "forecast"; readonly percent: number; readonly usage: string }[];
}

/** When the people of a unit are told what a month comes to. */
export function budgetVerbs(program: Command): void {
  const noun = program.command("budget").description("be told in the first mailbox what a month's usage comes to; a budget stops nothing and slows nothing down");

  noun
    .command("set")
    .description("what a month's usage may come to before you are told; the one before no longer holds")
    .requiredOption("--imvu-id <id>", "which unit", imvuFlag)
    .option("--amount <amount>", "in the unit's currency, e.g. 50")
    .option("--at <percents>", "when you are told, up to five, rising", "50,80,100")
    .option("--none", "no budget any more")
    .action(async (options: { imvuId: ImvuId; amount?: string; at: string; none?: true }, command: Command) => {
      const context = await Context.of(command);
      if ((options.amount === undefined) !== (options.none === true)) throw usageFailure("--amount: say an amount, or --none", "like --amount 50");
      const { currency } = await shownOf(context, options.imvuId);
      const amount = options.amount === undefined ? null : amountOf(options.amount, must(parseCurrency(currency)), "like --amount 50");
      const thresholds = amount === null ? [] : percentsOf(options.at);
      const done = await context.command(await context.signer(), "imvu.budget.set", options.imvuId, { amount, currency, thresholds });
      const receipt = { index: done.receipt.index, file: await keepReceipt(context.home, done) };
      print(context.output, { imvu: options.imvuId, amount, currency, thresholds, receipt }, () => [amount === null ? `no budget any more (ledger entry ${receipt.index})` : `${currency} ${amount} a month; you are told at ${thresholds.join(", ")} % (ledger entry ${receipt.index})`]);
    });

  noun
    .command("show")
    .description("the budget, and what of it was reached")
    .requiredOption("--imvu-id <id>", "which unit", imvuFlag)
    .action(async (options: { imvuId: ImvuId }, command: Command) => {
      const context = await Context.of(command);
      const shown = await shownOf(context, options.imvuId);
      const { budget, currency, reached } = shown;
      print(context.output, shown as unknown as Json, () => [
        budget === null ? "no budget: nexus budget set --imvu-id ID --amount AMOUNT" : `${currency} ${budget.amount} a month; told at ${budget.thresholds.join(", ")} % (ledger entry ${budget.index})`,
        ...table(reached.map(({ index, period, what, percent, usage }) => [`  ${period}`, `${percent} %`, what === "usage" ? "used" : "forecast", `${currency} ${plainFigure(usage)}`, `entry ${index}`])),
      ]);
    });
}

async function shownOf(context: Context, imvu: ImvuId): Promise<Shown> {
  return (await (await context.client()).read(await context.signer(), `/v1/imvus/${imvu}/budget`)) as unknown as Shown;
}

function percentsOf(text: string): readonly number[] {
  const percents = text.split(",").map((one) => (/^[1-9]\d{0,2}$/.test(one) ? Number(one) : Number.NaN));
  const rising = percents.every((percent, at) => percent <= 200 && (at === 0 || percent > (percents[at - 1] as number)));
  if (percents.length > 5 || !rising) throw usageFailure(`--at: ${JSON.stringify(text.slice(0, 40))} is not up to five percents from 1 to 200, each more than the one before`, "like --at 50,80,100");
  return percents;
}
