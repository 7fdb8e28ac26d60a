import type { EntryBody, Imvu } from "../contract/index.ts";
import { asJson, type CommandRecord } from "../core/command/index.ts";
import { saleOf, termsIn } from "../core/handshake/index.ts";
import { openCommand } from "../core/identity/index.ts";
import type { Ledger, LedgerEntry } from "../core/ledger/index.ts";
import { parseEntryBody } from "../core/ledger/pure.ts";
import { canonicalJson, type Json } from "../kernel/index.ts";
import { agreedIn, type Failure, Failures, StatementCheck } from "../verify/index.ts";

export interface RevenueCheck {
  readonly ok: boolean;
  readonly units: number;
  readonly statements: number;
  readonly readings: number;
  /** How long it took. */
  readonly ms: number;
  readonly failures: readonly Failure[];
}

/** Every statement of every unit once more, to the last unit of 10^-21, from readings, sales and tariffs: by the offline verifier's own code. */
export async function revenueCheck(ledger: Pick<Ledger, "entries">, units: readonly Pick<Imvu, "id">[]): Promise<RevenueCheck> {
  const began = performance.now();
  const failures = new Failures();
  const tariffs: Whole[] = [];
  const ordered = new Map<string, Json>();
  for await (const entry of ledger.entries({ stream: "platform" })) {
    if (entry.type === "command.accepted") {
      const opened = openCommand((entry.data as unknown as CommandRecord).jws);
      if (opened.ok && opened.value.command.op === "platform.tariff.publish") ordered.set(opened.value.digest, asJson(opened.value.command.params));
    }
    if (entry.type !== "platform.tariff") continue;
    const { v: _, command, ...tariff } = entry.data as { readonly [name: string]: Json };
    const order = typeof command === "string" ? ordered.get(command) : undefined;
    if (tariffs.length > 0 && canonicalJson(order ?? null) !== canonicalJson(tariff)) failures.add(`entry ${entry.index} (${entry.type})`, "the tariff that operators' command published", order === undefined ? "no such command" : "another");
    tariffs.push(whole(entry));
  }
  let [statements, readings] = [0, 0];
  for (const { id } of units) {
    const check = new StatementCheck(id, failures);
    for (const tariff of tariffs) check.learnTariff(tariff);
    for await (const entry of ledger.entries({ stream: id })) {
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
      if (entry.type === "statement.closed") check.check(one);
      if (entry.type === "statement.corrected") check.checkCorrection(one);
      if (entry.type !== "command.accepted") continue;
      const opened = openCommand((entry.data as unknown as CommandRecord).jws);
      const terms = opened.ok ? termsIn(opened.value.command) : undefined;
      if (terms) check.agreedAgain(one, terms);
      const sale = opened.ok ? saleOf(opened.value.command) : undefined;
      if (sale) check.sold(one, sale);
    }
    statements += check.statements.of;
  }
  return { ok: failures.total === 0, units: units.length, statements, readings, ms: Math.round(performance.now() - began), failures: failures.list };
}

type Whole = { readonly index: number; readonly text: string; readonly leaf: Buffer; readonly body: EntryBody };

function whole(entry: Exclude<LedgerEntry, { readonly type: "erased" }>): Whole {
  const body = parseEntryBody(entry.body);
  if (!body.ok) throw new TypeError(`entry ${entry.index} was read and cannot be read: ${body.message}`);
  return { index: entry.index, text: entry.body, leaf: entry.leaf, body: body.value };
}
