import type { Command } from "commander";
import { RESOURCES } from "../../contract/index.ts";
import { type ImvuId, type Json, parseCurrency } from "../../kernel/index.ts";
import type { correctionCsv, revenueCsv } from "../../verify/index.ts";
import { Context, imvuFlag, must } from "../context.ts";
import { EXIT, usageFailure } from "../failure.ts";
import { many, paint, plainFigure, print, table } from "../output.ts";
import { keepReceipt } from "../receipts.ts";
import { flagLines } from "../meter-flags.ts";
import { stateOf } from "../month-state.ts";
import { changedPrices, type PriceChanges, type Prices, priceRows } from "../tariff-prices.ts";

type Correction = Parameters<typeof correctionCsv>[0] & { readonly index: number };
type Shown = Parameters<typeof revenueCsv>[0] & { readonly index?: number; readonly corrections?: readonly Correction[]; readonly budget?: { readonly amount: string; readonly percentUsed: string } | null; readonly forecast?: { readonly at: string; readonly gross: string; readonly creator: string; readonly platform: string } };

interface Closed {
  readonly period: string;
  readonly index: number;
  readonly currency: string;
  readonly gross: string;
  readonly creator: string;
  readonly platform: string;
  readonly readings: number;
  readonly corrections: number;
  /** The month with its corrections. */
  readonly total: { readonly gross: string; readonly creator: string; readonly platform: string } | null;
}

interface Journal {
  readonly lines: readonly { readonly index: number; readonly period: string; readonly account: string; readonly currency: string; readonly amount: string }[];
  readonly balance: string;
}

/** Debits in the first column of figures, credits in the second. */
function journalLines({ lines, balance }: Journal): string[] {
  if (lines.length === 0) return ["no month has been closed yet: the first is when it is over"];
  const rows = lines.map(({ index, period, account, currency, amount }) => [`entry ${index}`, period, account, currency, amount.startsWith("-") ? "" : amount, amount.startsWith("-") ? amount.slice(1) : ""]);
  return [...table([["", "", "", "", "debit", "credit"], ...rows], [4, 5]), `balance ${balance}`];
}

/** What a month comes to, and who gets it. */
export function moneyVerbs(program: Command): void {
  const statement = program.command("statement").description("what a month comes to, and who gets it");

  statement
    .command("show")
    .description("usage × tariff + what was sold = gross; 55 % creator, 45 % platform. Of a month that is over the closed statement, of this one what it comes to so far")
    .requiredOption("--imvu-id <id>", "which unit", imvuFlag)
    .option("--month <YYYY-MM>", "which month, by the unit's own clock; default: this one")
    .option("--csv", "as rows for a spreadsheet (RFC 4180), the same that a bundle holds")
    .action(async (options: { imvuId: ImvuId; month?: string; csv?: true }, command: Command) => {
      const context = await Context.of(command);
      const path = `/v1/imvus/${options.imvuId}/statement${options.month === undefined ? "" : `?month=${encodeURIComponent(options.month)}`}`;
      const answer = (await (await context.client()).read(await context.signer(), path)) as unknown as Shown;
      if (options.csv) {
        const { correctionCsv, revenueCsv } = await import("../../verify/index.ts");
        process.stdout.write([revenueCsv(answer), ...(answer.corrections ?? []).map(correctionCsv)].join("\r\n"));
      } else print(context.output, answer, () => statementLines(answer));
    });

  statement
    .command("list")
    .description("closed months, newest first; a closed statement never changes")
    .requiredOption("--imvu-id <id>", "which unit", imvuFlag)
    .action(async (options: { imvuId: ImvuId }, command: Command) => {
      const context = await Context.of(command);
      const answer = (await (await context.client()).read(await context.signer(), `/v1/imvus/${options.imvuId}/statements`)) as unknown as { readonly statements: readonly Closed[] };
      const rows = answer.statements.map(({ period, currency, index, corrections, total, ...closed }) => {
        const { gross, creator, platform } = total ?? closed;
        return [period, currency, gross, creator, platform, `entry ${index}${corrections === 0 ? "" : `, corrected ${corrections === 1 ? "once" : `${corrections} times`}`}`];
      });
      print(context.output, answer, () => (rows.length === 0 ? ["no month has been closed yet: the first is when it is over"] : table([["month", "", "gross", "creator 55 %", "platform 45 %", ""], ...rows], [2, 3, 4])));
    });

  statement
    .command("journal")
    .description("double entry of the closed months: what each statement and correction books, debits and credits equal")
    .requiredOption("--imvu-id <id>", "which unit", imvuFlag)
    .option("--month <YYYY-MM>", "one month alone")
    .action(async (options: { imvuId: ImvuId; month?: string }, command: Command) => {
      const context = await Context.of(command);
      const month = options.month === undefined ? "" : `?month=${encodeURIComponent(options.month)}`;
      const answer = (await (await context.client()).read(await context.signer(), `/v1/imvus/${options.imvuId}/journal${month}`)) as unknown as Journal;
      print(context.output, answer as unknown as Json, () => journalLines(answer));
    });
}

const again = (text: string, all: readonly string[]): readonly string[] => [...all, text];

const EVERY = Object.keys(RESOURCES);

interface Priced {
  readonly index: number;
  readonly tariff: Prices & { readonly currency: string; readonly validFrom: string };
}

/** The tariff of the platform's first currency stands outside, as it did when there was one. */
interface Published extends Priced {
  readonly inForce: readonly Priced[];
  readonly announced: readonly Priced[];
}

/** What things cost. */
export function tariffVerbs(program: Command): void {
  const tariff = program.command("tariff").description("what things cost; announced 30 days ahead, the same for a whole month");

  tariff
    .command("show")
    .description("the tariff in force of each currency and those that are announced, with the ledger entries that published them")
    .action(async (_options, command: Command) => {
      const context = await Context.of(command);
      const answer = (await (await context.client()).get("/v1/tariff")) as unknown as Published;
      print(context.output, answer as unknown as Json, () => [...answer.inForce.flatMap((one, at) => [...(at === 0 ? [] : [""]), ...tariffLines("in force", one)]), ...answer.announced.flatMap((one) => ["", ...tariffLines("announced", one)])]);
    });

  tariff
    .command("publish")
    .description("announce other prices, as an operator; two sign where there are two. What is not named stays as it was published last in that currency; a currency's first names everything, and may hold from this month on")
    .requiredOption("--from <YYYY-MM>", "the first month they hold for; it begins at least 30 days from now")
    .option("--currency <code>", "ISO 4217", "EUR")
    .option("--price <resource=price>", "of one unit, with up to nine decimals, e.g. compute.cpu=0.000003; may be given again, like the next two", again, [])
    .option("--included <resource=quantity>", "so much of a month costs nothing, and what is used above it the price, e.g. dns.answers=1000000", again, [])
    .option("--tier <resource=quantity:price>", "what is used of a month above it costs another price, e.g. dns.answers=5000000:0.0000001", again, [])
    .action(async (options: PriceChanges & { from: string; currency: string }, command: Command) => {
      const context = await Context.of(command);
      const currency = must(parseCurrency(options.currency));
      const known = (await (await context.client()).get("/v1/tariff")) as unknown as Published;
      const last = [...known.inForce, ...known.announced].filter(({ tariff }) => tariff.currency === currency).at(-1);
      const { prices, tiers } = changedPrices(last?.tariff ?? { prices: {} }, options);
      const missing = EVERY.filter((resource) => !Object.hasOwn(prices, resource));
      if (missing.length > 0) throw usageFailure(`--price: the first tariff in ${currency} does not say what ${missing.join(", ")} cost${missing.length === 1 ? "s" : ""}`, "give each a --price; 'nexus tariff show' lists what others cost");
      const done = await context.command(await context.operator(), "platform.tariff.publish", null, { currency, validFrom: `${options.from}-01T00:00:00.000Z`, prices, ...(tiers ? { tiers: tiers as Json } : {}) });
      const { index } = done.outcome.result as unknown as { index: number };
      const receipt = { index: done.receipt.index, file: await keepReceipt(context.home, done) };
      print(context.output, { index, currency, from: options.from, prices, ...(tiers ? { tiers: tiers as Json } : {}), receipt }, () => [`announced in ${currency} for ${options.from} and after (ledger entry ${index})`]);
    });
}

function tariffLines(state: string, { index, tariff: { currency, validFrom, ...prices } }: Priced): string[] {
  return [`${currency}, ${state}, valid from ${validFrom}, ledger entry ${index}`, ...table(priceRows(prices))];
}

interface Revenue {
  readonly ok: boolean;
  readonly units: number;
  readonly statements: number;
  readonly invoices: number;
  readonly readings: number;
  readonly payouts: number;
  readonly ms: number;
  readonly journal: { readonly lines: number; readonly unbalanced: number; readonly currencies: readonly { readonly currency: string; readonly lines: number; readonly balance: string; readonly gross: string; readonly creator: string; readonly platform: string }[] };
  readonly failures: readonly { readonly what: string; readonly expected: string; readonly found: string }[];
}

/** `verify revenue`, below the noun that verifies. */
export function revenueVerb(verify: Command): void {
  verify
    .command("revenue")
    .description("make every statement and invoice of every unit again, from readings and tariffs, to the last unit of 10^-21, and every payout from those; invoices are numbered without a gap")
    .action(async (_options, command: Command) => {
      const context = await Context.of(command);
      const answer = (await (await context.client()).get("/v1/verify/revenue")) as unknown as Revenue;
      print(context.output, answer as unknown as Json, () => [
        `${answer.ok ? paint("green", "equal") : paint("red", "WRONG")}  ${many(answer.statements, "statement")} and ${many(answer.invoices, "invoice")} of ${many(answer.units, "unit")}, from ${many(answer.readings, "reading")}, and ${many(answer.payouts, "payout")}, in ${answer.ms} ms`,
        `${answer.journal.unbalanced === 0 ? paint("green", "equal") : paint("red", "WRONG")}  debits and credits of ${many(answer.journal.lines, "line")} of the journal`,
        ...table(answer.journal.currencies.map(({ currency, lines, balance, gross, creator, platform }) => [`  ${currency}`, `gross ${gross}`, `= ${creator}`, `+ ${platform}`, `balance ${balance}`, many(lines, "line")])),
        ...answer.failures.map(({ what, expected, found }) => `  ${what}: expected ${expected}, found ${found}`),
      ]);
      if (!answer.ok) process.exitCode = EXIT.notSo;
    });
}

function statementLines(shown: Shown): string[] {
  const used = shown.lines.filter((line) => !/^[0.]*$/.test(line.quantity));
  const { revenue, payout } = shown;
  const sold = revenue && revenue.sales + revenue.reversals > 0 ? [sum("usage", shown.usage ?? ""), sum(`${revenue.sales} sold`, revenue.recorded), sum(`${revenue.reversals} paid back`, /[1-9]/.test(revenue.reversed) ? `-${revenue.reversed}` : revenue.reversed)] : [];
  const made = [...sold, sum("gross", shown.gross), sum("creator 55 %", shown.creator), sum("platform 45 %", shown.platform), ...(payout ? [sum("payout to creator", payout.creator, `(rounded up by ${payout.difference})`)] : [])];
  return [
    `${shown.imvu}  ${shown.period}${shown.timeZone === undefined ? "" : ` (${shown.timeZone})`}  ${shown.currency}  ${stateOf(shown, Date.now())}; from ${many(shown.readings.count, "reading")}`,
    ...table([...used.map((line) => [line.above === undefined ? `  ${line.resource}` : `    above ${plainFigure(line.above)}`, line.quantity, line.unit, `× ${line.unitPrice}`, line.amount]), ...made], [1, 3, 4]),
    ...(shown.forecast ? ["if usage goes on as it did so far this month, and nothing more is sold, it comes to", ...table([["  gross", shown.forecast.gross], ["  creator 55 %", shown.forecast.creator], ["  platform 45 %", shown.forecast.platform]], [1])] : []),
    ...(shown.budget ? [`budget: ${shown.budget.percentUsed} % of ${shown.currency} ${shown.budget.amount} is used`] : []),
    ...flagLines(shown).map((line) => `${paint("yellow", "flagged")}  ${line}`),
    ...(shown.corrections ?? []).flatMap(correctionLines),
  ];
}

/** Below the amounts of the lines that it sums. */
function sum(what: string, amount: string, note = ""): string[] {
  return [`  ${what}`, "", "", "", amount, note];
}

function correctionLines({ index, number, revenue, gross, creator, platform, payout, total }: Correction): string[] {
  return [
    `correction ${number} (ledger entry ${index}): ${revenue.sales} sold, ${revenue.reversals} paid back after the month had closed`,
    ...table([["  gross", gross, total.gross], ["  creator 55 %", creator, total.creator], ["  platform 45 %", platform, total.platform], ["  payout to creator", payout.creator, total.payout]].map(([what = "", added = "", whole = ""]) => [what, added, "month:", whole]), [1, 3]),
  ];
}
