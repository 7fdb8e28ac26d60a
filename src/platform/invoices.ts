import { asJson, buyersNow, SELLER, sellerNow } from "../core/command/index.ts";
import { type Billed, type Correction, type Invoice, invoiceOf, parsePeriod, type Preceding, seriesOf, shareOf, type Statement } from "../core/handshake/index.ts";
import type { Ledger } from "../core/ledger/index.ts";
import type { ReadTx, Store, Tx } from "../core/store/index.ts";
import { type Clock, Fault, type ImvuId, messageOf, type Outcome, accept, refuse, rfc3339 } from "../kernel/index.ts";
import { mustBeCommanded, mustBeLogged } from "./held-to-log.ts";

export interface InvoicingDeps {
  readonly store: Store;
  readonly ledger: Pick<Ledger, "append" | "entries" | "verifierKey">;
  readonly clock: Clock;
  say(line: string): void;
}

/** Invoices in one transaction: a month of many units is written in a few. */
const BATCH = 64;
/** Of the same one. */
const TRIES = 5;

/**
 * Writes an invoice for each closed statement and each correction that has a share in whole smallest units, has none yet, and whose unit and platform both have a
 * billing profile; oldest first. Its number is the next of its series, and its row is in the transaction of its entry: where another closer took the number, or
 * a profile changed meanwhile, nothing of it stands, and it is made again. Of what a table says otherwise than the log none is made until it says the same again.
 */
export class Invoicing {
  private readonly deps: InvoicingDeps;
  /** What there was when nothing was left to write. */
  private settled: string | undefined;
  private withheld = 0;

  constructor(deps: InvoicingDeps) {
    this.deps = deps;
  }

  /** @returns how many were issued */
  async round(): Promise<number> {
    const { store, say } = this.deps;
    const now = await store.snapshot(newest);
    if (now === this.settled) return 0;
    let issued = 0;
    for (let [tries, many, stuck] = [0, BATCH, -1]; ; ) {
      const made = await store.snapshot((tx) => this.next(tx, many));
      if (made.length === 0) {
        if (this.withheld === 0) this.settled = now;
        return issued;
      }
      try {
        await this.write(made);
        for (const { imvu, number, period, kind } of made) say(`${imvu}: ${kind === "invoice" ? "invoice" : "credit note"} ${number} of ${period} is issued`);
        [tries, many, issued] = [0, BATCH, issued + made.length];
      } catch (error) {
        // Whoever was faster wrote the same, or took the number: what there is now decides. Only where nobody gets on with it something else is wrong.
        const first = (made[0] as Invoice).statement;
        [tries, many, stuck] = [first === stuck ? tries + 1 : 1, 1, first];
        if (tries === TRIES) throw error;
      }
    }
  }

  /** The next ones, as they would be written now. */
  private async next(tx: ReadTx, many: number): Promise<readonly Invoice[]> {
    this.withheld = 0;
    const seller = await sellerNow(tx);
    if (!seller || !(await this.isHeld(mustBeCommanded(this.deps.ledger, SELLER, seller)))) return [];
    const due = await this.dueOf(tx, many);
    const imvus = [...new Set(due.map(({ made }) => made.imvu))];
    const [buyers, preceding] = [await buyersNow(tx, imvus), await lastOfMonths(tx, imvus)];
    const issued = rfc3339(this.deps.clock.now()).slice(0, 10);
    const origin = originOf(this.deps.ledger);
    let sequence = await lastOf(tx, seriesOf(seller.profile, issued));
    const invoices: Invoice[] = [];
    for (const billed of due) {
      const { imvu, period } = billed.made;
      const buyer = buyers.get(imvu);
      const invoice = buyer && invoiceOf({ imvu, billed, seller, buyer, origin, issued, sequence: sequence + 1, preceding: preceding.get(`${imvu} ${period}`) ?? null });
      if (!invoice || !(await this.isHeld(mustBeCommanded(this.deps.ledger, imvu, buyer)))) continue;
      preceding.set(`${imvu} ${period}`, { number: invoice.number, issued });
      invoices.push(invoice);
      sequence += 1;
    }
    return invoices;
  }

  /** Statements and corrections without an invoice, of units with a profile, oldest first; those without a whole share are passed over. */
  private async dueOf(tx: ReadTx, many: number): Promise<readonly Billed[]> {
    const due: Billed[] = [];
    for (let after = -1; due.length < many; ) {
      const rows = await tx.query<{ entry_index: number; doc: Statement | Correction }>(
        `SELECT entry_index, doc FROM (SELECT imvu, entry_index, doc FROM statement UNION ALL SELECT imvu, entry_index, doc FROM correction) made
           WHERE entry_index > $1 AND EXISTS (SELECT 1 FROM billing WHERE subject = made.imvu) AND NOT EXISTS (SELECT 1 FROM invoice WHERE statement_index = made.entry_index)
           ORDER BY entry_index LIMIT $2`,
        [after, BATCH],
      );
      for (const { entry_index, doc } of rows) if (due.length < many && (await this.isHeld(mustBeLogged(this.deps.ledger, entry_index, doc))) && shareOf(doc).units !== 0n) due.push({ index: entry_index, made: doc });
      if (rows.length < BATCH) break;
      after = rows.at(-1)?.entry_index as number;
    }
    return due;
  }

  private async isHeld(check: Promise<void>): Promise<boolean> {
    const changed = await check.then(() => undefined, messageOf);
    if (changed === undefined) return true;
    this.withheld += 1;
    this.deps.say(`an invoice is not written: ${changed}`);
    return false;
  }

  private async write(made: readonly Invoice[]): Promise<void> {
    const entries = made.map((invoice) => ({ stream: invoice.imvu, type: "invoice.issued" as const, actor: "platform", data: asJson(invoice) }));
    await this.deps.ledger.append(entries, async (tx, placed) => {
      for (const [at, invoice] of made.entries()) await putInvoice(tx, invoice, (placed[at] as { index: number }).index);
    });
  }
}

/** Its row; a number that does not follow, a second one of the same statement and a profile that is no longer the last stop it. */
async function putInvoice(tx: Tx, invoice: Invoice, index: number): Promise<void> {
  const { series, sequence, number, imvu, period, statement, seller, buyer } = invoice;
  const held = await tx.query<{ subject: string; entry_index: string }>("SELECT subject, entry_index FROM billing WHERE subject = ANY($1)", [["platform", imvu]]);
  const now = new Map(held.map(({ subject, entry_index }) => [subject, Number(entry_index)]));
  if (now.get("platform") !== seller.index || now.get(imvu) !== buyer.index) throw new Fault("INVOICE_PROFILE_CHANGED", `a billing profile changed while ${number} was written`, { retry: true });
  await tx.run("INSERT INTO invoice (series, sequence, number, imvu, period, statement_index, doc, entry_index) VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, $8)", [series, sequence, number, imvu, period, statement, JSON.stringify(invoice), index]);
}

/** Changes whenever there may be something to write. */
async function newest(tx: ReadTx): Promise<string> {
  const [row] = await tx.query<{ known: string }>("SELECT concat_ws(' ', (SELECT max(entry_index) FROM statement), (SELECT max(entry_index) FROM correction), (SELECT max(entry_index) FROM billing)) AS known");
  return row?.known ?? "";
}

async function lastOf(tx: ReadTx, series: string): Promise<number> {
  const [row] = await tx.query<{ last: number }>("SELECT coalesce(max(sequence), 0) AS last FROM invoice WHERE series = $1", [series]);
  return row?.last ?? 0;
}

/** Of each unit and month the invoice that was written last. */
async function lastOfMonths(tx: ReadTx, imvus: readonly string[]): Promise<Map<string, Preceding>> {
  const rows = await tx.query<{ imvu: string; period: string; number: string; issued: string }>("SELECT DISTINCT ON (imvu, period) imvu, period, number, doc->>'issued' AS issued FROM invoice WHERE imvu = ANY($1) ORDER BY imvu, period, entry_index DESC", [imvus]);
  return new Map(rows.map(({ imvu, period, number, issued }) => [`${imvu} ${period}`, { number, issued }]));
}

export function originOf({ verifierKey }: Pick<Ledger, "verifierKey">): string {
  return verifierKey.slice(0, verifierKey.indexOf("+"));
}

export interface IssuedInvoice {
  readonly index: number;
  readonly invoice: Invoice;
}

/** A unit's invoices, oldest first, or those of one month. */
export async function invoicesOf(tx: ReadTx, imvu: ImvuId, month?: string): Promise<readonly IssuedInvoice[]> {
  const rows = await tx.query<{ entry_index: string; doc: Invoice }>("SELECT entry_index, doc FROM invoice WHERE imvu = $1 AND ($2::text IS NULL OR period = $2) ORDER BY entry_index", [imvu, month ?? null]);
  return rows.map(({ entry_index, doc }) => ({ index: Number(entry_index), invoice: doc }));
}

/** A month's invoices; of a month that has none why, and what to type. */
export async function invoicesOfMonth(tx: ReadTx, imvu: ImvuId, month: string): Promise<Outcome<readonly IssuedInvoice[]>> {
  const period = parsePeriod(month);
  if (!period.ok) return period;
  const issued = await invoicesOf(tx, imvu, month);
  if (issued.length > 0) return accept(issued);
  const [made] = await tx.query<{ doc: Statement }>("SELECT doc FROM statement WHERE imvu = $1 AND period = $2", [imvu, month]);
  if (!made) return refuse("not-found", "INVOICE_MONTH_OPEN", `${month} of ${imvu} is not closed: an invoice is written when the month is over`, `nexus statement show --imvu-id ${imvu} --month ${month}`);
  if (shareOf(made.doc).units === 0n) return refuse("not-found", "INVOICE_NO_SHARE", `the platform's share of ${month} of ${imvu} is ${made.doc.platform}, less than the smallest amount that an invoice can name: nothing is invoiced`, `nexus statement show --imvu-id ${imvu} --month ${month}`);
  if (!(await buyersNow(tx, [imvu])).has(imvu)) return refuse("not-found", "INVOICE_NO_BUYER", `nobody has said yet who invoices of ${imvu} are to`, `nexus billing set --imvu-id ${imvu} --name NAME --street STREET --postal-code CODE --city CITY --country CC --email ADDRESS [--vat-id ID]`);
  if (!(await sellerNow(tx))) return refuse("not-found", "INVOICE_NO_SELLER", "the platform's operators have not said yet who its invoices are from", "ask them to run 'nexus billing seller set'");
  return refuse("not-found", "INVOICE_PENDING", `the invoice of ${month} of ${imvu} is not written yet: it is within a minute`, "try again in a minute");
}
