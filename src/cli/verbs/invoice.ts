import { writeFile } from "node:fs/promises";
import { extname, resolve } from "node:path";
import type { Command } from "commander";
import { parseEntryBody, parseTlogProof, parseCheckpoint } from "../../core/ledger/pure.ts";
import type { Invoice, InvoiceProof } from "../../imvu/export/index.ts";
import type { ImvuId, Json } from "../../kernel/index.ts";
import type { Client } from "../client.ts";
import { Context, imvuFlag, must } from "../context.ts";
import { EXIT, Failure, usageFailure } from "../failure.ts";
import { print, table } from "../output.ts";

interface Issued {
  readonly index: number;
  readonly invoice: Invoice;
}

interface Listed extends Pick<Invoice, "number" | "kind" | "issued" | "period" | "currency"> {
  readonly index: number;
  readonly net: string;
  readonly vat: string;
  readonly total: string;
}

interface WriteFlags {
  readonly imvuId: ImvuId;
  readonly month: string;
  readonly out?: string;
  readonly number?: string;
}

/** What the platform kept of a month, as the documents that tax offices want. */
export function invoiceVerbs(program: Command): void {
  const noun = program.command("invoice").description("the platform's share of a month, as an invoice");
  noun
    .command("write", { isDefault: true })
    .description("a month's invoice as PDF (with its XML inside), as XML by EN 16931, or as JSON; checked against the log first")
    .requiredOption("--imvu-id <id>", "which unit", imvuFlag)
    .requiredOption("--month <YYYY-MM>", "which month; it has an invoice when it is over")
    .option("--out <file>", "FILE.pdf, FILE.xml or FILE.json; default: NUMBER.pdf here")
    .option("--number <number>", "one of several of the month; default: the first")
    .action(async (options: WriteFlags, command: Command) => {
      const context = await Context.of(command);
      if (options.out !== undefined && !/\.(pdf|xml|json)$/.test(options.out)) throw usageFailure(`--out: ${JSON.stringify(options.out)} is neither a .pdf, a .xml nor a .json file`, `like --out ${options.imvuId}-${options.month}.pdf`);
      const [client, signer] = [await context.client(), await context.signer()];
      const { invoices } = (await client.read(signer, `/v1/imvus/${options.imvuId}/invoice?month=${encodeURIComponent(options.month)}`)) as unknown as { readonly invoices: readonly Issued[] };
      const wanted = options.number === undefined ? invoices[0] : invoices.find(({ invoice }) => invoice.number === options.number);
      if (!wanted) throw new Failure({ code: "NO_SUCH_INVOICE", message: `--number: ${options.month} has ${invoices.map(({ invoice }) => invoice.number).join(", ")}`, hint: `nexus invoice list --imvu-id ${options.imvuId}`, kind: "not-found" }, EXIT.notFound);
      const { body } = ((await client.read(signer, `/v1/imvus/${options.imvuId}/ledger/bodies?from=${wanted.index}&limit=1`)) as unknown as { readonly entries: readonly { readonly index: number; readonly body: string }[] }).entries[0] ?? { body: "" };
      const { invoice, proof } = await provenInvoice(client, wanted.index, body);
      const out = resolve(options.out ?? `${invoice.number}.pdf`);
      await writeFile(out, await drawn(invoice, proof, extname(out)), { flag: "wx" }).catch((error: NodeJS.ErrnoException) => {
        throw usageFailure(`--out: ${out}: ${error.code === "EEXIST" ? "is there already" : error.message}`, "name another file");
      });
      const others = invoices.filter((one) => one !== wanted).map((one) => one.invoice.number);
      const { number, kind, issued, period, currency, amounts } = invoice;
      print(context.output, { imvu: options.imvuId, month: period, file: out, number, kind, issued, currency, ...amounts, index: proof.index, others } as unknown as Json, () => [
        out,
        `  ${kind === "invoice" ? "invoice" : "credit note"} ${number} of ${issued}: ${currency} ${amounts.net} and VAT ${amounts.vat}; ledger entry ${proof.index}, proved`,
        ...others.map((other) => `  ${period} also has ${other}: --number ${other}`),
      ]);
    });

  noun
    .command("list")
    .description("a unit's invoices and credit notes, oldest first")
    .requiredOption("--imvu-id <id>", "which unit", imvuFlag)
    .action(async (options: { imvuId: ImvuId }, command: Command) => {
      const context = await Context.of(command);
      const answer = (await (await context.client()).read(await context.signer(), `/v1/imvus/${options.imvuId}/invoices`)) as unknown as { readonly invoices: readonly Listed[] };
      const rows = answer.invoices.map(({ index, number, kind, issued, period, currency, net, vat, total }) => [number, period, kind === "invoice" ? "invoice" : "credit note", issued, currency, net, vat, total, `entry ${index}`]);
      print(context.output, answer as unknown as Json, () => (rows.length === 0 ? ["none yet: a month has one when it is over and both sides have a billing profile ('nexus billing show')"] : table([["number", "month", "", "issued", "", "net", "VAT", "total", ""], ...rows])));
    });
}

/** The entry stands in the log that this home has been watching; what is drawn is its body, not what the platform answers besides. */
async function provenInvoice(client: Client, index: number, body: string): Promise<{ readonly invoice: Invoice; readonly proof: InvoiceProof }> {
  const { proof, leaf } = (await client.get(`/v1/ledger/proof/${index}`)) as unknown as { readonly proof: string; readonly leaf: string };
  await client.log.check({ index, body, proof });
  const entry = must(parseEntryBody(body));
  if (entry.type !== "invoice.issued") throw new Failure({ code: "BAD_ANSWER", message: `entry ${index} is no invoice but ${entry.type}`, hint: "nexus verify revenue" }, EXIT.engine);
  // Witnesses' signatures stand below the checkpoint's own text.
  const note = must(parseTlogProof(proof)).checkpoint;
  const { origin, size, root } = must(parseCheckpoint(note.slice(0, note.indexOf("\n\n") + 1)));
  return { invoice: entry.data as unknown as Invoice, proof: { origin, index, leaf, size, root: root.toString("base64") } };
}

async function drawn(invoice: Invoice, proof: InvoiceProof, kind: string): Promise<string | Buffer> {
  if (kind === ".json") return `${JSON.stringify({ invoice, proof }, null, 2)}\n`;
  const { invoicePdf, invoiceXml } = await import("../../imvu/export/index.ts");
  return kind === ".xml" ? invoiceXml(invoice) : await invoicePdf(invoice, proof);
}
