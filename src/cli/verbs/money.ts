import type { Command } from "commander";
import type { ImvuId, Json } from "../../kernel/index.ts";
import { revenueCsv } from "../../verify/index.ts";
import { Context, imvuFlag } from "../context.ts";
import { EXIT } from "../failure.ts";
import { paint, print, table } from "../output.ts";

const MONTH_NOW = () => new Date().toISOString().slice(0, 7);

type Shown = Parameters<typeof revenueCsv>[0] & { readonly index?: number };

interface Closed {
  readonly period: string;
  readonly index: number;
  readonly currency: string;
  readonly gross: string;
  readonly creator: string;
  readonly platform: string;
  readonly readings: number;
}

/** What a month comes to, and who gets it. */
export function moneyVerbs(program: Command): void {
  const statement = program.command("statement").description("what a month comes to, and who gets it");

  statement
    .command("show")
    .description("usage × tariff = gross; 55 % creator, 45 % platform. Of a month that is over the closed statement, of this one what it comes to so far")
    .requiredOption("--imvu-id <id>", "which unit", imvuFlag)
    .option("--month <YYYY-MM>", "which month (UTC); default: this one")
    .option("--csv", "as rows for a spreadsheet (RFC 4180), the same that a bundle holds")
    .action(async (options: { imvuId: ImvuId; month?: string; csv?: true }, command: Command) => {
      const context = await Context.of(command);
      const path = `/v1/imvus/${options.imvuId}/statement?month=${encodeURIComponent(options.month ?? MONTH_NOW())}`;
      const answer = (await (await context.client()).read(await context.signer(), path)) as unknown as Shown;
      if (options.csv) process.stdout.write(revenueCsv(answer));
      else print(context.output, answer, () => statementLines(answer));
    });

  statement
    .command("list")
    .description("closed months, newest first; a closed statement never changes")
    .requiredOption("--imvu-id <id>", "which unit", imvuFlag)
    .action(async (options: { imvuId: ImvuId }, command: Command) => {
      const context = await Context.of(command);
      const answer = (await (await context.client()).read(await context.signer(), `/v1/imvus/${options.imvuId}/statements`)) as unknown as { readonly statements: readonly Closed[] };
      const rows = answer.statements.map((one) => [one.period, one.currency, one.gross, one.creator, one.platform, `entry ${one.index}`]);
      print(context.output, answer, () => (rows.length === 0 ? ["no month has been closed yet: the first is when it is over"] : table([["month", "", "gross", "creator 55 %", "platform 45 %", ""], ...rows])));
    });
}

interface Revenue {
  readonly ok: boolean;
  readonly units: number;
  readonly statements: number;
  readonly readings: number;
  readonly ms: number;
  readonly failures: readonly { readonly what: string; readonly expected: string; readonly found: string }[];
}

/** `verify revenue`, below the noun that verifies. */
export function revenueVerb(verify: Command): void {
  verify
    .command("revenue")
    .description("make every statement of every unit again, from readings and tariffs, to the last unit of 10^-21")
    .action(async (_options, command: Command) => {
      const context = await Context.of(command);
      const answer = (await (await context.client()).get("/v1/verify/revenue")) as unknown as Revenue;
      print(context.output, answer as unknown as Json, () => [
        `${answer.ok ? paint("green", "equal") : paint("red", "WRONG")}  ${answer.statements} statements of ${answer.units} units, from ${answer.readings} readings in ${answer.ms} ms`,
        ...answer.failures.map(({ what, expected, found }) => `  ${what}: expected ${expected}, found ${found}`),
      ]);
      if (!answer.ok) process.exitCode = EXIT.notSo;
    });
}

function statementLines(shown: Shown): string[] {
  const used = shown.lines.filter((line) => !/^[0.]*$/.test(line.quantity));
  const state = shown.closed ? `closed (ledger entry ${shown.index})` : "so far";
  return [
    `${shown.imvu}  ${shown.period}  ${shown.currency}  ${state}, from ${shown.readings.count} readings`,
    ...table(used.map((line) => [`  ${line.resource}`, line.quantity, line.unit, `× ${line.unitPrice}`, line.amount])),
    ...table([
      ["  gross", shown.gross],
      ["  creator 55 %", shown.creator],
      ["  platform 45 %", shown.platform],
    ]),
  ];
}
