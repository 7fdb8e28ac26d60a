import { type Buyer, type Seller, zSeller } from "../contract/index.ts";
import { type Correction, type Invoice, type InvoiceForm, invoiceOf, type Preceding, type Profile, type Statement } from "../core/handshake/index.ts";
import { canonicalJson, type Json } from "../kernel/index.ts";
import { firstDifference } from "./difference.ts";
import { Counter, type Failures } from "./failures.ts";
import type { Entry } from "./ledger-files.ts";

/** An invoice is dated by the platform's clock when it is made, and its entry is written within that time. */
const WRITE_MS_MAX = 3_600_000;

/** Which profile of the platform stood at an entry; a bundle does not hold the operators' commands. */
export type SellerAt = (index: number) => Profile<Seller> | undefined;

/** Every invoice of a unit made again from what it is about – a statement or a correction as it was derived – and the profiles as they stood. */
export class InvoiceCheck {
  readonly invoices = new Counter();
  private readonly origin: string;
  private readonly failures: Failures;
  private readonly sellerAt: SellerAt | undefined;
  private readonly billable = new Map<number, Statement | Correction>();
  private readonly last = new Map<string, Preceding>();
  private buyer: Profile<Buyer> | undefined;
  private form: InvoiceForm = 1;

  /** @param sellerAt where the operators' commands are at hand; without it the seller is believed where he has the form of one */
  constructor(origin: string, failures: Failures, sellerAt?: SellerAt) {
    this.origin = origin;
    this.failures = failures;
    this.sellerAt = sellerAt;
  }

  /** An accepted command of the stream set the owner's profile. */
  bills(index: number, profile: Buyer): void {
    this.buyer = { index, profile };
  }

  /** A statement or a correction, as it is derived. An open month's is none to write an invoice of. */
  made(index: number, made: Statement | Correction): void {
    if ("corrects" in made || made.closed) this.billable.set(index, made);
  }

  /** @returns the invoice as it is derived, for the files that repeat it. */
  check({ index, body }: Entry): Invoice | undefined {
    this.invoices.of += 1;
    const what = `entry ${index} (${body.type})`;
    const said = (body.data ?? {}) as unknown as Partial<Invoice>;
    const billed = this.billable.get(said.statement ?? -1);
    const seller = this.sellerAt ? this.sellerAt(index) : sellerOf(said, index);
    const month = billed?.period ?? "";
    if (said.v !== 1) this.form = 2;
    const derived =
      billed && seller && this.buyer && isIssued(said.issued, body.time) && isSequence(said.sequence)
        ? invoiceOf({ form: this.form, imvu: billed.imvu, billed: { index: said.statement as number, made: billed }, seller, buyer: this.buyer, origin: this.origin, issued: said.issued as string, sequence: said.sequence as number, preceding: this.last.get(month) ?? null })
        : undefined;
    if (!derived) {
      this.failures.add(what, "one invoice of a closed statement or a correction before it, dated when it was written, between profiles that were set before", canonicalJson(body.data).slice(0, 100));
      return undefined;
    }
    this.billable.delete(derived.statement);
    this.last.set(month, { number: derived.number, issued: derived.issued });
    const difference = firstDifference(JSON.parse(JSON.stringify(derived)) as Json, body.data);
    if (difference) this.failures.add(`${what} ${derived.number} ${difference.path}`, difference.expected, difference.found);
    else this.invoices.good += 1;
    return derived;
  }
}

/** Numbers of all units' invoices: each series counts from 1 in the log's order, without a gap. */
export class NumberCheck {
  private readonly series = new Map<string, Map<number, number>>();
  private readonly failures: Failures;

  constructor(failures: Failures) {
    this.failures = failures;
  }

  add({ series, sequence, number }: Invoice, index: number): void {
    const known = this.series.get(series) ?? new Map<number, number>();
    if (known.has(sequence)) this.failures.add(`entry ${index} (invoice.issued)`, "a number of its own", `${number}, as entry ${known.get(sequence)}`);
    else known.set(sequence, index);
    this.series.set(series, known);
  }

  finish(): void {
    for (const [series, numbers] of this.series) {
      let before = -1;
      for (let sequence = 1; sequence <= numbers.size; sequence += 1) {
        const index = numbers.get(sequence);
        if (index === undefined || index < before) {
          this.failures.add(`invoices ${series}`, `1 to ${numbers.size} in the log's order, without a gap`, index === undefined ? `no number ${sequence}` : `number ${sequence} before the one it follows`);
          break;
        }
        before = index;
      }
    }
  }
}

function sellerOf({ seller }: Partial<Invoice>, index: number): Profile<Seller> | undefined {
  const parsed = zSeller.safeParse(seller?.profile);
  return parsed.success && isSequence((seller?.index ?? -1) + 1) && (seller?.index ?? index) < index ? { index: seller?.index as number, profile: parsed.data } : undefined;
}

function isSequence(value: unknown): boolean {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0;
}

function isIssued(day: unknown, written: string): boolean {
  return day === written.slice(0, 10) || day === new Date(Date.parse(written) - WRITE_MS_MAX).toISOString().slice(0, 10);
}
