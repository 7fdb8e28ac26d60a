import { writeFile } from "node:fs/promises";
import { extname, resolve } from "node:path";
import type { Command } from "commander";
import type { ImvuId, Json } from "../../kernel/index.ts";
import { Context, imvuFlag } from "../context.ts";
import { usageFailure } from "../failure.ts";
import { many, print } from "../output.ts";
import { type AuditFacts, auditReport } from "../report/audit.ts";
import { htmlOf } from "../report/html.ts";
import { readingsOf } from "../report/readings.ts";
import { salesFrom } from "../sales.ts";

/** One month of a unit on one page, for somebody who believes nothing. */
export function auditVerbs(program: Command): void {
  const audit = program.command("audit").description("a month of a unit for somebody who believes nothing: on one page, and as rows to calculate with");

  audit
    .command("report")
    .description("usage by day, prices, sales, split, payout, corrections and journal, as a web page that needs nothing else, as PDF, or as JSON")
    .requiredOption("--imvu-id <id>", "which unit", imvuFlag)
    .option("--month <YYYY-MM>", "which month, by the unit's own clock; default: this one")
    .option("--out <file>", "FILE.html, FILE.pdf or FILE.json; default: IMVU-MONTH.html here")
    .action(async (options: { imvuId: ImvuId; month?: string; out?: string }, command: Command) => {
      const context = await Context.of(command);
      if (options.out !== undefined && !/\.(html|pdf|json)$/.test(options.out)) throw usageFailure(`--out: ${JSON.stringify(options.out)} is neither a .html, a .pdf nor a .json file`, `like --out ${options.imvuId}-${options.month ?? "2026-11"}.html`);
      const facts = await factsOf(context, options.imvuId, options.month);
      const { period: month } = facts.statement;
      const out = resolve(options.out ?? `${options.imvuId}-${month}.html`);
      await writeNew(out, await drawn(facts, extname(out)));
      const { gross, creator, platform, currency } = facts.statement;
      print(context.output, { imvu: options.imvuId, month, file: out, gross, creator, platform, days: facts.days.length } as Json, () => [`${out}`, `  ${month}: gross ${currency} ${gross} = ${creator} + ${platform}, from ${facts.statement.readings.count} readings of ${facts.days.length} days`]);
    });

  audit
    .command("readings")
    .description("every reading that a month rests on as rows for a spreadsheet (RFC 4180), to make its quantities again without any code of ours")
    .requiredOption("--imvu-id <id>", "which unit", imvuFlag)
    .option("--month <YYYY-MM>", "which month, by the unit's own clock; default: this one")
    .option("--out <file>", "default: IMVU-MONTH-readings.csv here")
    .action(async (options: { imvuId: ImvuId; month?: string; out?: string }, command: Command) => {
      const context = await Context.of(command);
      const { csv, month, readings, rows } = await readingsOf(context, options.imvuId, options.month);
      const out = resolve(options.out ?? `${options.imvuId}-${month}-readings.csv`);
      await writeNew(out, csv);
      print(context.output, { imvu: options.imvuId, month, file: out, readings, rows } as Json, () => [out, `  ${month}: ${many(rows, "row")} of ${many(readings, "reading")}`]);
    });
}

async function writeNew(out: string, content: string | Buffer): Promise<void> {
  await writeFile(out, content, { flag: "wx" }).catch((error: NodeJS.ErrnoException) => {
    throw usageFailure(`--out: ${out}: ${error.code === "EEXIST" ? "is there already" : error.message}`, "name another file");
  });
}

async function drawn(facts: AuditFacts, kind: string): Promise<string | Buffer> {
  if (kind === ".json") return `${JSON.stringify(facts, null, 2)}\n`;
  if (kind === ".html") return htmlOf(auditReport(facts));
  // Fonts and a shaper come with it: loaded for those who want it alone.
  const { pdfOf } = await import("../report/pdf.ts");
  return await pdfOf(auditReport(facts), Date.parse(facts.madeAt));
}

async function factsOf(context: Context, imvu: ImvuId, asked: string | undefined): Promise<AuditFacts> {
  const [client, signer] = [await context.client(), await context.signer()];
  const read = async (path: string) => (await client.read(signer, `/v1/imvus/${imvu}/${path}`)) as unknown;
  const statement = (await read(`statement${asked === undefined ? "" : `?month=${encodeURIComponent(asked)}`}`)) as AuditFacts["statement"];
  const { period: month } = statement;
  const at = `month=${encodeURIComponent(month)}`;
  const { days } = (await read(`usage?${at}`)) as Pick<AuditFacts, "days">;
  const { lines } = (await read(`journal?${at}`)) as { readonly lines: AuditFacts["journal"] };
  const { sales } = await salesFrom(context, imvu);
  const { platform } = (await client.get("/v1/platform")) as unknown as { readonly platform: { readonly origin: string } };
  return { statement, days, sales: sales.filter((one) => isIn(statement, one.at)), journal: lines, origin: platform.origin, madeAt: new Date().toISOString() };
}

/** A month's last instant is in it, and the next one begins after it. */
function isIn({ period, start, end }: AuditFacts["statement"], at: string): boolean {
  if (start === undefined || end === undefined) return new Date(Date.parse(at) - 1).toISOString().slice(0, 7) === period;
  return Date.parse(start) < Date.parse(at) && Date.parse(at) <= Date.parse(end);
}
