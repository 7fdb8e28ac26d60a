import type { EntryBody, Imvu, Seller } from "../contract/index.ts";
import { asJson, type CommandRecord } from "../core/command/index.ts";
import { type Profile, saleOf, termsIn } from "../core/handshake/index.ts";
import { openCommand } from "../core/identity/index.ts";
import type { Ledger, LedgerEntry } from "../core/ledger/index.ts";
import { parseEntryBody } from "../core/ledger/pure.ts";
import { canonicalJson, type Json } from "../kernel/index.ts";
import { isPayoutOrder } from "../core/policy-engine/index.ts";
import { agreedIn, type Failure, Failures, InvoiceCheck, NumberCheck, PayoutCheck, StatementCheck } from "../verify/index.ts";
import { originOf } from "./invoices.ts";

export interface RevenueCheck {
  readonly ok: boolean;
  readonly units: number;
  readonly statements: number;
  readonly readings: number;
  readonly payouts: number;
  readonly invoices: number;
  /** How long it took. */
  readonly ms: number;
  readonly failures: readonly Failure[];
}

/** Every statement and every invoice of every unit once more, to the last unit of 10^-21, from readings, sales and tariffs, and every payout from those: by the offline verifier's own code. */
export async function revenueCheck(ledger: Pick<Ledger, "entries" | "verifierKey">, units: readonly Pick<Imvu, "id">[]): Promise<RevenueCheck> {
  const began = performance.now();
  const failures = new Failures();
  const tariffs: Whole[] = [];
  const ordered = new Map<string, Json>();
  const orders = new Set<string>();
  const sellers: Profile<Seller>[] = [];
  for await (const entry of ledger.entries({ stream: "platform" })) {
    if (entry.type === "command.accepted") {
      const opened = openCommand((entry.data as unknown as CommandRecord).jws);
      if (opened.ok && opened.value.command.op === "platform.tariff.publish") ordered.set(opened.value.digest, asJson(opened.value.command.params));
      if (opened.ok && isPayoutOrder(opened.value.command)) orders.add(opened.value.digest);
      if (opened.ok && opened.value.command.op === "platform.billing.set") sellers.push({ index: entry.index, profile: opened.value.command.params });
    }
    if (entry.type !== "platform.tariff") continue;
    const { v: _, command, ...tariff } = entry.data as { readonly [name: string]: Json };
    const order = typeof command === "string" ? ordered.get(command) : undefined;
    if (tariffs.length > 0 && canonicalJson(order ?? null) !== canonicalJson(tariff)) failures.add(`entry ${entry.index} (${entry.type})`, "the tariff that operators' command published", order === undefined ? "no such command" : "another");
    tariffs.push(whole(entry));
  }
  let [statements, readings, payouts, invoices] = [0, 0, 0, 0];
  const numbers = new NumberCheck(failures);
  for (const { id } of units) {
    const check = new StatementCheck(id, failures);
    const issued = new InvoiceCheck(originOf(ledger), failures, (index) => sellers.findLast((one) => one.index < index));
    for (const tariff of tariffs) check.learnTariff(tariff);
    // Signatures are held to the accepted command, which the platform's stream has whole.
    const paid = new PayoutCheck(id, failures, () => []);
    // What stands there and is not announced here is a failure in the walk below.
    for await (const entry of ledger.entries({ stream: id, butReadings: true })) {
      if (entry.type === "command.accepted" && entry.streamSeq === 0) check.agree(entry, agreedIn(entry));
      if (entry.type === "statement.closed" || entry.type === "statement.corrected") check.expect(whole(entry));
    }
    for await (const entry of ledger.entries({ stream: id })) {
      if (entry.type === "erased") {
        check.pass(entry.streamSeq, entry.leaf);
        continue;
      }
      const one = whole(entry);
      check.follow(one);
      if (entry.type === "meter.reading") readings += 1;
      const made = entry.type === "statement.closed" ? check.check(one) : entry.type === "statement.corrected" ? check.checkCorrection(one) : undefined;
      if (made) issued.made(entry.index, made);
      const invoice = entry.type === "invoice.issued" ? issued.check(one) : undefined;
      if (invoice) numbers.add(invoice, entry.index);
      if (made) paid.owe(made, entry.index);
      if (entry.type.startsWith("payout.")) {
        const order = paid.check(one);
        if (order !== undefined && !orders.has(order)) failures.add(`entry ${entry.index} (${entry.type})`, "what an accepted command of operators says", "no such command");
      }
      if (entry.type !== "command.accepted") continue;
      const opened = openCommand((entry.data as unknown as CommandRecord).jws);
      const terms = opened.ok ? termsIn(opened.value.command) : undefined;
      if (terms) check.agreedAgain(one, terms);
      const sale = opened.ok ? saleOf(opened.value.command) : undefined;
      if (sale) check.sold(one, sale);
      if (opened.ok && opened.value.command.op === "imvu.payout.account") paid.named(opened.value.command.params.account, opened.value.digest, entry.index);
      if (opened.ok && opened.value.command.op === "imvu.billing.set") issued.bills(entry.index, opened.value.command.params);
    }
    statements += check.statements.of;
    payouts += paid.payouts;
    invoices += issued.invoices.of;
  }
  numbers.finish();
  return { ok: failures.total === 0, units: units.length, statements, readings, payouts, invoices, ms: Math.round(performance.now() - began), failures: failures.list };
}

type Whole = { readonly index: number; readonly text: string; readonly leaf: Buffer; readonly body: EntryBody };

function whole(entry: Exclude<LedgerEntry, { readonly type: "erased" }>): Whole {
  const body = parseEntryBody(entry.body);
  if (!body.ok) throw new TypeError(`entry ${entry.index} was read and cannot be read: ${body.message}`);
  return { index: entry.index, text: entry.body, leaf: entry.leaf, body: body.value };
}
