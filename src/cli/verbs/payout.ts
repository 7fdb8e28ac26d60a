import { writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { type Bic, type Iban, ibanSpelled, type ImvuId, type Json, parseBic, parseCurrency, parseIban, parseImvuId } from "../../kernel/index.ts";
import { Context, imvuFlag, must, parsed } from "../context.ts";
import { usageFailure } from "../failure.ts";
import { print, table } from "../output.ts";
import { payoutsCsv } from "../payouts/csv.ts";
import { duePayouts, sumLines } from "../payouts/due.ts";
import { pain001 } from "../payouts/pain001.ts";
import { keepReceipt } from "../receipts.ts";
import { payoutProviderVerbs } from "./payout-provider.ts";

interface Shown {
  readonly imvu: string;
  readonly id: string;
  readonly amount: string;
  readonly currency: string;
  readonly state: string;
  readonly account: { readonly holder: string; readonly iban: string };
  readonly index: number;
  readonly executed: { readonly reference: string; readonly at: string } | null;
  readonly returned: { readonly reason: string; readonly at: string } | null;
}

interface OfUnit {
  readonly account: { readonly holder: string; readonly kind: string; readonly iban: string; readonly bic?: string; readonly index: number } | null;
  readonly owed: readonly { readonly currency: string; readonly amount: string }[];
  readonly payouts: readonly Shown[];
}

const ibanFlag = parsed<Iban>((text) => parseIban(ibanSpelled(String(text))));
const bicFlag = parsed<Bic>((text) => parseBic(ibanSpelled(String(text))));
const STATES = ["created", "executed", "returned"];

/** What the platform owes each creator, and what became of it. */
export function payoutVerbs(program: Command): void {
  const noun = program.command("payout").description("what the platform owes each creator: created by itself when a month has closed, paid by operators, told in the unit's ledger");

  noun
    .command("account")
    .description("where the owner's share goes from the next payout on; without further flags: where it goes now")
    .requiredOption("--imvu-id <id>", "which unit", imvuFlag)
    .option("--holder <name>", "the account's name, as the bank writes it")
    .option("--iban <iban>", "the account; spaces do no harm", ibanFlag)
    .option("--bic <bic>", "its bank; within the SEPA it is not needed", bicFlag)
    .option("--company", "the holder is no person")
    .option("--withdraw", "no account: what is owed waits")
    .action(async (options: { imvuId: ImvuId; holder?: string; iban?: Iban; bic?: Bic; company?: true; withdraw?: true }, command: Command) => {
      const context = await Context.of(command);
      const { imvuId, holder, iban, bic, company, withdraw } = options;
      if (withdraw ? (holder ?? iban ?? bic ?? company) !== undefined : (holder === undefined) !== (iban === undefined) || (iban === undefined && (bic ?? company) !== undefined))
        throw usageFailure("an account is --holder and --iban, or it is --withdraw", "nexus payout account --imvu-id ID --holder 'Ada Lovelace' --iban 'DE89 3704 0044 0532 0130 00'");
      if (iban === undefined && !withdraw) {
        const { account } = await ofUnit(context, imvuId);
        print(context.output, { imvu: imvuId, account }, () => (account === null ? ["no account: what is owed waits", `next: nexus payout account --imvu-id ${imvuId} --holder NAME --iban IBAN`] : [`${account.holder} (${account.kind})  ${account.iban}${account.bic === undefined ? "" : `  ${account.bic}`}  ledger entry ${account.index}`]));
        return;
      }
      const account = withdraw ? null : { holder: (holder as string).trim(), kind: company ? "company" : "person", iban: iban as string, ...(bic === undefined ? {} : { bic: bic as string }) };
      const done = await context.command(await context.signer(), "imvu.payout.account", imvuId, { account });
      const receipt = { index: done.receipt.index, file: await keepReceipt(context.home, done) };
      print(context.output, { imvu: imvuId, account, verdicts: done.verdicts, receipt }, () => [account === null ? `nothing is paid out for ${imvuId} until an account is named (ledger entry ${receipt.index})` : `from the next payout on it goes to ${account.iban} (ledger entry ${receipt.index})`]);
    });

  noun
    .command("list")
    .description("payouts and what became of them, oldest first: a unit's for its owner and who keeps its books, all of them for operators")
    .option("--imvu-id <id>", "which unit", imvuFlag)
    .option("--state <state>", STATES.join(", "))
    .action(async ({ imvuId, state }: { imvuId?: ImvuId; state?: string }, command: Command) => {
      const context = await Context.of(command);
      if (state !== undefined && !STATES.includes(state)) throw usageFailure(`--state: ${JSON.stringify(state.slice(0, 40))} is none`, `use one of ${STATES.join(", ")}`);
      const unit = imvuId === undefined ? undefined : await ofUnit(context, imvuId);
      const all = unit?.payouts ?? ((await (await context.client()).read(await context.operator(), `/v1/payouts${state === undefined ? "" : `?state=${state}`}`)) as unknown as { readonly payouts: readonly Shown[] }).payouts;
      const payouts = all.filter((one) => state === undefined || one.state === state);
      print(context.output, (unit ? { ...unit, payouts } : { payouts }) as unknown as Json, () => [
        ...(payouts.length === 0 ? ["no payouts"] : table(payouts.map((one) => [one.id, one.currency, one.amount, one.state, `entry ${one.index}`, one.account.iban, one.account.holder, noteOf(one)]))),
        ...(unit?.owed ?? []).map(({ currency, amount }) => `${amount.startsWith("-") ? "paid ahead" : "owed beyond these"}: ${currency} ${amount.replace("-", "").replace(/(\.\d\d)0+$/, "$1")}`),
      ]);
    });

  noun
    .command("file")
    .description("write all payouts that are to be made as ISO 20022 pain.001.001.09, as an operator, for the bank")
    .requiredOption("--out <file>", "the XML file; it must not be there yet")
    .requiredOption("--from-name <name>", "name of the account that pays")
    .requiredOption("--from-iban <iban>", "the account that pays", ibanFlag)
    .option("--from-bic <bic>", "its bank", bicFlag)
    .option("--execution-date <YYYY-MM-DD>", "when the bank is to pay; default: today (UTC)")
    .option("--currency <code>", "only payouts in it: a bank may take files in euro alone")
    .option("--csv", "the same as rows for a spreadsheet beside it, in a file that ends in .csv")
    .action(async (options: { out: string; fromName: string; fromIban: Iban; fromBic?: Bic; executionDate?: string; currency?: string; csv?: true }, command: Command) => {
      const context = await Context.of(command);
      const now = new Date().toISOString();
      const executionDate = options.executionDate ?? now.slice(0, 10);
      if (!/^\d{4}-\d{2}-\d{2}$/.test(executionDate) || Number.isNaN(Date.parse(executionDate)) || new Date(executionDate).toISOString().slice(0, 10) !== executionDate) throw usageFailure(`--execution-date: ${JSON.stringify(executionDate.slice(0, 40))} is no day`, "like --execution-date 2026-12-02");
      if (options.out.endsWith(".csv")) throw usageFailure(`--out: ${JSON.stringify(options.out)} is the XML file's name`, `--out ${options.out.replace(/csv$/, "xml")} --csv writes ${options.out} beside it`);
      const currency = options.currency === undefined ? undefined : must(parseCurrency(options.currency));
      const payouts = (await duePayouts(context)).filter((one) => currency === undefined || one.currency === currency);
      if (payouts.length === 0) {
        print(context.output, { payouts: [], file: null, csv: null }, () => ["nothing is to be paid; no file was written"]);
        return;
      }
      const xml = must(pain001({ from: { name: options.fromName, iban: options.fromIban, ...(options.fromBic === undefined ? {} : { bic: options.fromBic }) }, createdAt: now, executionDate, payouts }));
      const csv = options.csv ? `${options.out.replace(/\.xml$/, "")}.csv` : null;
      await newFile(options.out, xml);
      if (csv !== null) await newFile(csv, payoutsCsv(payouts));
      print(context.output, { payouts: payouts.map(({ id, amount, currency }) => ({ id, amount, currency })), file: options.out, csv }, () => [
        ...table(payouts.map(({ id, currency, amount, account }) => [id, currency, amount, account.iban, account.holder])),
        `${sumLines(payouts).join(", ")}: written to ${options.out}${csv === null ? "" : ` and ${csv}`}`,
        "next, when the bank has paid: nexus payout executed ID --reference REFERENCE",
      ]);
    });

  noun
    .command("executed <id>")
    .description("say that a payout was made, as an operator; two where there are two")
    .requiredOption("--reference <text>", "what the bank or provider calls it")
    .option("--at <time>", "when, RFC 3339, or a day; default: now")
    .action((id: string, options: { reference: string; at?: string }, command: Command) => settle("execute", id, { reference: options.reference }, options.at, command));
  noun
    .command("returned <id>")
    .description("say that a payout came back or will not be made, as an operator: what it comes to is owed again")
    .requiredOption("--reason <text>", "why, like 'AC04 account closed'")
    .option("--at <time>", "when, RFC 3339, or a day; default: now")
    .action((id: string, options: { reason: string; at?: string }, command: Command) => settle("return", id, { reason: options.reason }, options.at, command));

  payoutProviderVerbs(noun);
}

async function settle(what: "execute" | "return", id: string, why: Record<string, string>, at: string | undefined, command: Command): Promise<void> {
  const context = await Context.of(command);
  const done = await context.command(await context.operator(), `platform.payout.${what}`, null, { imvu: unitOf(id), payout: id, ...why, at: instantOf(at) });
  const { amount, currency, index } = done.outcome.result as unknown as { amount: string; currency: string; index: number };
  const receipt = { index: done.receipt.index, file: await keepReceipt(context.home, done) };
  print(context.output, { id, amount, currency, state: what === "execute" ? "executed" : "returned", index, verdicts: done.verdicts, receipt }, () => [`${id}: ${currency} ${amount} ${what === "execute" ? "was paid" : "is owed again"}; its unit's ledger says so in entry ${index}`]);
}

/** The unit that a payout's id begins with. */
export function unitOf(id: string): ImvuId {
  const [, unit] = /^(IMVU-\d{3,5})-[1-9]\d{0,8}$/.exec(id) ?? [];
  if (unit === undefined) throw usageFailure(`${JSON.stringify(id.slice(0, 40))} is no payout's id`, "like IMVU-001-1; 'nexus payout list' shows them");
  return must(parseImvuId(unit));
}

function instantOf(text: string | undefined): string {
  const at = text === undefined ? new Date() : /^\d{4}-\d{2}-\d{2}(T[\d:.]+(?:Z|[+-]\d{2}:\d{2}))?$/.test(text) ? new Date(text) : undefined;
  if (!at || Number.isNaN(at.getTime())) throw usageFailure(`--at: ${JSON.stringify(String(text).slice(0, 40))} is neither a day nor an RFC 3339 time`, "like --at 2026-12-02 or --at 2026-12-02T12:00:00Z");
  return at.toISOString();
}

async function ofUnit(context: Context, imvu: ImvuId): Promise<OfUnit> {
  return (await (await context.client()).read(await context.signer(), `/v1/imvus/${imvu}/payouts`)) as unknown as OfUnit;
}

/** Account numbers stand in it: for its owner's eyes, and never over another file. */
async function newFile(path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o600, flag: "wx" }).catch((error: NodeJS.ErrnoException) => {
    throw usageFailure(error.code === "EEXIST" ? `${path} is there already` : `${path} cannot be written: ${error.message}`, "name another file; one that was given to a bank is kept");
  });
}

function noteOf({ executed, returned }: Shown): string {
  if (returned) return `${returned.reason}, ${returned.at.slice(0, 10)}`;
  return executed ? `${executed.reference}, ${executed.at.slice(0, 10)}` : "";
}
