import type { ImvuId } from "../kernel/index.ts";
import type { Context } from "./context.ts";

const SALES_PAGE = 500;

export interface Sale {
  readonly index: number;
  readonly sourceId: string;
  readonly reverses: string | null;
  readonly amount: string;
  readonly currency: string;
  readonly at: string;
  readonly left: string | null;
}

export interface Sales {
  readonly currency: string;
  readonly sales: readonly Sale[];
}

/** One answer of the API. */
export async function salesPage(context: Context, imvu: ImvuId, query: string): Promise<Sales> {
  return (await (await context.client()).read(await context.signer(), `/v1/imvus/${imvu}/revenue?${query}`)) as unknown as Sales;
}

/** All from an entry on, or as many of them as asked for, however many answers that takes: a list that ends early is a wrong sum. */
export async function salesFrom(context: Context, imvu: ImvuId, from = 0, limit = Number.MAX_SAFE_INTEGER): Promise<Sales> {
  const sales: Sale[] = [];
  for (let next = from; ; next = (sales.at(-1)?.index ?? 0) + 1) {
    const asked = Math.min(SALES_PAGE, limit - sales.length);
    const page = await salesPage(context, imvu, `from=${next}&limit=${asked}`);
    sales.push(...page.sales);
    if (page.sales.length < asked || sales.length >= limit) return { currency: page.currency, sales };
  }
}

/** RFC 4180. Nothing to quote: a source id begins with a letter or a digit, and holds no comma. */
export function salesCsv(sales: readonly Sale[]): string {
  const rows = sales.map(({ index, at, sourceId, reverses, amount, currency }) => [String(index), at, sourceId, reverses ?? "", amount, currency]);
  return [["ledger entry", "at", "source id", "reverses", "amount", "currency"], ...rows].map((row) => `${row.join(",")}\r\n`).join("");
}
