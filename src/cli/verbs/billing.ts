import type { Command } from "commander";
import { type Buyer, type Seller, zBuyer, zSeller } from "../../contract/index.ts";
import type { ImvuId, Json } from "../../kernel/index.ts";
import { Context, imvuFlag } from "../context.ts";
import { usageFailure } from "../failure.ts";
import { print, table } from "../output.ts";
import { keepReceipt } from "../receipts.ts";

interface PartyFlags {
  readonly name: string;
  readonly street: string;
  readonly postalCode: string;
  readonly city: string;
  readonly country: string;
  readonly email: string;
  readonly vatId?: string;
}

interface SellerFlags extends PartyFlags {
  readonly prefix: string;
  readonly taxNumber?: string;
  readonly vatRate?: string;
  readonly exempt?: string;
}

interface Held<T> {
  readonly index: number;
  readonly profile: T;
}

/** Who invoices are to, and from: profiles, each set as a whole. */
export function billingVerbs(program: Command): void {
  const noun = program.command("billing").description("who invoices are to – the owner of a unit – and who they are from – the platform");
  party(noun.command("set").description("say who a unit's invoices are to, as owner or keeper of its books; the whole profile, for invoices that are still to be written").requiredOption("--imvu-id <id>", "which unit", imvuFlag))
    .option("--reference <text>", "what you want to find on each invoice, e.g. an order number")
    .action(async ({ imvuId, ...flags }: PartyFlags & { imvuId: ImvuId; reference?: string }, command: Command) => {
      const context = await Context.of(command);
      const buyer = parsedBy(zBuyer, { ...partyOf(flags), reference: flags.reference });
      const done = await context.command(await context.signer(), "imvu.billing.set", imvuId, buyer);
      const receipt = { index: done.receipt.index, file: await keepReceipt(context.home, done) };
      print(context.output, { imvu: imvuId, buyer, receipt }, () => [`invoices of ${imvuId} are to ${flags.name} (ledger entry ${receipt.index})`]);
    });
  noun
    .command("show")
    .description("who a unit's invoices are to, and from")
    .requiredOption("--imvu-id <id>", "which unit", imvuFlag)
    .action(async ({ imvuId }: { imvuId: ImvuId }, command: Command) => {
      const context = await Context.of(command);
      const answer = (await (await context.client()).read(await context.signer(), `/v1/imvus/${imvuId}/billing`)) as unknown as { readonly buyer: Held<Buyer> | null; readonly seller: Held<Seller> | null };
      print(context.output, answer, () => [
        ...(answer.buyer ? profileLines("to", answer.buyer) : [`nobody yet: 'nexus billing set --imvu-id ${imvuId} …' says who`]),
        ...(answer.seller ? profileLines("from", answer.seller) : ["from nobody yet: the platform's operators say who"]),
      ]);
    });

  const seller = noun.command("seller").description("who the platform's invoices are from");
  seller
    .command("show")
    .description("as everybody may see it")
    .action(async (_options, command: Command) => {
      const context = await Context.of(command);
      const answer = (await (await context.client()).get("/v1/billing")) as unknown as { readonly seller: Held<Seller> | null };
      print(context.output, answer, () => (answer.seller ? profileLines("from", answer.seller) : ["nobody yet: an operator runs 'nexus billing seller set'"]));
    });
  party(seller.command("set").description("say who the platform's invoices are from, as an operator; two sign where there are two"))
    .requiredOption("--prefix <letters>", "before the year in each invoice's number, e.g. NX; another one begins another series")
    .option("--tax-number <text>", "of your tax office, where there is one")
    .option("--vat-rate <percent>", "that you charge, e.g. 19")
    .option("--exempt <reason>", "why you charge none, as your invoices must say it")
    .action(async ({ vatRate, exempt, ...flags }: SellerFlags, command: Command) => {
      const context = await Context.of(command);
      if ((vatRate === undefined) === (exempt === undefined)) throw usageFailure("--vat-rate: exactly one of --vat-rate and --exempt is needed", "like --vat-rate 19");
      const vat = vatRate === undefined ? { scheme: "exempt", reason: exempt } : { scheme: "standard", rate: rateOf(vatRate) };
      const profile = parsedBy(zSeller, { ...partyOf(flags), taxNumber: flags.taxNumber, prefix: flags.prefix, vat });
      const done = await context.command(await context.operator(), "platform.billing.set", null, profile);
      const receipt = { index: done.receipt.index, file: await keepReceipt(context.home, done) };
      print(context.output, { seller: profile, receipt }, () => [`invoices are from ${flags.name} (ledger entry ${receipt.index})`]);
    });
}

function party(command: Command): Command {
  return command
    .requiredOption("--name <name>", "as it stands on invoices")
    .requiredOption("--street <street>", "with the number")
    .requiredOption("--postal-code <code>", "")
    .requiredOption("--city <city>", "")
    .requiredOption("--country <code>", "ISO 3166, two letters, e.g. DE")
    .requiredOption("--email <address>", "where invoices are asked about")
    .option("--vat-id <id>", "with its country's letters, e.g. DE123456789");
}

/** Flags that stand everywhere are none of a profile's. */
function partyOf({ name, street, postalCode, city, country, email, vatId }: PartyFlags): PartyFlags {
  return { name, street, postalCode, city, country, email, ...(vatId === undefined ? {} : { vatId }) };
}

/** The same schema that the platform parses by, so that nothing is signed which it would refuse. */
function parsedBy(schema: typeof zBuyer | typeof zSeller, profile: Record<string, unknown>): Record<string, Json> {
  const parsed = schema.safeParse(profile);
  if (parsed.success) return JSON.parse(JSON.stringify(parsed.data)) as Record<string, Json>;
  const [issue] = parsed.error.issues;
  const flag = String(issue?.path[0] === "vat" ? (issue.path[1] === "reason" ? "exempt" : "vatRate") : (issue?.path[0] ?? "")).replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw usageFailure(`--${flag}: ${issue?.message}`, "nexus billing --help");
}

/** Two decimals are written out. */
function rateOf(text: string): string {
  const [, whole, fraction = ""] = /^(\d{1,2})(?:\.(\d{1,2}))?$/.exec(text) ?? [];
  if (whole === undefined) throw usageFailure(`--vat-rate: ${JSON.stringify(text.slice(0, 40))} is not a rate in percent`, "like --vat-rate 19, or 5.5");
  return `${whole}.${fraction.padEnd(2, "0")}`;
}

function profileLines(way: string, { index, profile }: Held<Buyer | Seller>): string[] {
  const { name, street, postalCode, city, country, email, vatId } = profile;
  const vat = "vat" in profile ? [["", profile.vat.scheme === "standard" ? `VAT ${profile.vat.rate} %` : `no VAT: ${profile.vat.reason}`], ["", `numbers ${profile.prefix}-YEAR-000001 and on`]] : [];
  return table([[way, name], ["", street], ["", `${postalCode} ${city}, ${country}`], ["", email], ...(vatId === undefined ? [] : [["", `VAT id ${vatId}`]]), ...vat, ["", `ledger entry ${index}`]]);
}
