import type { SignedCommand } from "../contract/index.ts";
import { asJson, commandByDigest } from "../core/command/index.ts";
import { type PayoutBook, type PayoutMade, payoutPostings, type PayoutStep, settledData } from "../core/handshake/index.ts";
import type { Ledger } from "../core/ledger/index.ts";
import type { PayoutOrder } from "../core/policy-engine/index.ts";
import type { ReadTx, Store, Tx } from "../core/store/index.ts";
import { Fault, type ImvuId, messageOf, MONEY_DECIMALS, type Money, money, parseDecimal } from "../kernel/index.ts";
import { payoutBook } from "./payout-book.ts";

export interface PayoutDeps {
  readonly store: Store;
  readonly ledger: Pick<Ledger, "append" | "entries">;
  say(line: string): void;
}

/**
 * Creates payouts by themselves: whenever more than nothing is owed to a unit and its owner said where it goes. The tables say only where to look; amount and account
 * are reckoned from the unit's stream. Entry, row and journal are one transaction, and the row's key is the unit and the payout's number: a crash or a
 * second process leaves all or nothing.
 */
export class Payouts {
  private readonly deps: PayoutDeps;
  /** Where a look came to nothing, and what the tables said then: looked at again when they say something else. */
  private readonly looked = new Map<string, string>();

  constructor(deps: PayoutDeps) {
    this.deps = deps;
  }

  /** @returns how many were created */
  async round(): Promise<number> {
    let created = 0;
    for (const { imvu, currency, owed, account } of await this.deps.store.snapshot(whereOwed)) {
      const [key, state] = [`${imvu} ${currency}`, `${owed} ${account}`];
      if (this.looked.get(key) === state) continue;
      try {
        if (await this.create(imvu, currency)) created += 1;
        else this.looked.set(key, state);
      } catch (error) {
        this.deps.say(`a payout to ${imvu} waits: ${messageOf(error)}`);
      }
    }
    return created;
  }

  private async create(imvu: ImvuId, currency: string): Promise<boolean> {
    const { ledger, say } = this.deps;
    const book = await payoutBook(ledger, imvu);
    const due = book.due(currency);
    if (!due) return false;
    await ledger.append([{ stream: imvu, type: "payout.created", actor: "platform", data: asJson(due) }], async (tx, [placed]) => {
      await unchanged(tx, imvu, book);
      const { index, time } = placed as { index: number; time: string };
      await tx.run("INSERT INTO payout (imvu, number, id, currency, amount, state, created_at, doc, entry_index) VALUES ($1, $2, $3, $4, $5, 'created', $6, $7::jsonb, $8)", [imvu, due.number, due.id, currency, String(amountOf(due)), time, JSON.stringify(due), index]);
      await bookStep(tx, due, { index, time }, { from: null, to: "created" });
    });
    say(`${imvu}: payout ${due.id} of ${currency} ${due.amount} is created`);
    return true;
  }
}

/** What operators said of a payout, in its unit's stream: once for each command, also when a crash came between. */
export async function settlePayout({ store, ledger, say }: PayoutDeps, order: PayoutOrder, command: string): Promise<{ readonly index: number; readonly amount: string; readonly currency: string }> {
  const { imvu, payout: id } = order.params;
  const to = order.op === "platform.payout.execute" ? "executed" : "returned";
  const book = await payoutBook(ledger, imvu);
  const payout = book.payout(id);
  if (!payout) throw new Fault("PAYOUT_UNKNOWN", `the log tells of no payout ${id}`, { hint: "nexus ledger replay --check" });
  const { amount, currency } = payout.made;
  const told = payout.settled.find((one) => one.command === command);
  if (told) return { index: told.index, amount, currency };
  const step = book.step(id, to);
  if (!step) throw new Fault("PAYOUT_STATE", `payout ${id} is ${payout.state}`, { hint: "nexus payout list" });
  const known = await commandByDigest(store, command);
  const signed = (known?.document as { readonly signed?: SignedCommand } | undefined)?.signed;
  if (!signed) throw new Fault("LEDGER_BROKEN", `the command ${command} that settles ${id} is not there`, { hint: "nexus ledger replay --check" });
  const { type, data } = settledData(order, command, signed);
  const [entry] = await ledger.append([{ stream: imvu, type, actor: "platform", data: asJson(data) }], async (tx, [placed]) => {
    const { index, time } = placed as { index: number; time: string };
    const { imvu: _, payout: __, ...said } = order.params;
    const column = to === "executed" ? "executed" : "returned";
    const changed = await tx.run(`UPDATE payout SET state = $3, ${column} = $4::jsonb WHERE imvu = $1 AND id = $2 AND state = $5 AND amount = $6`, [imvu, id, to, JSON.stringify({ index, ...said }), step.from, String(payout.amount)]);
    if (changed !== 1) throw new Fault("PAYOUT_STATE", `payout ${id}: its row says something else than the log`, { hint: "nexus ledger replay --check" });
    await bookStep(tx, payout.made, { index, time }, step);
  });
  say(`${imvu}: payout ${id} is ${to}`);
  return { index: (entry as { index: number }).index, amount, currency };
}

/** Units to whose creators more than nothing is owed by the journal, and who have said once where it goes. */
async function whereOwed(tx: ReadTx): Promise<readonly { readonly imvu: ImvuId; readonly currency: string; readonly owed: string; readonly account: string }[]> {
  return await tx.query(
    `SELECT imvu, currency, owed::text AS owed, account::text AS account
       FROM (SELECT imvu, currency, -sum(amount) AS owed FROM journal WHERE account = 'creator' GROUP BY imvu, currency HAVING -sum(amount) > 0) AS balance,
         LATERAL (SELECT max(intent_index) AS account FROM command_seen WHERE command_seen.imvu = balance.imvu AND op = 'imvu.payout.account' AND state = 'applied') AS named
       WHERE account IS NOT NULL ORDER BY imvu, currency`,
  );
}

/** Between reading the stream and this entry nothing came that the payout does not reckon; and nothing is in the tables that the log does not tell. */
async function unchanged(tx: ReadTx, imvu: ImvuId, book: PayoutBook): Promise<void> {
  const [row] = await tx.query<{ last: number | null; payouts: number }>(
    `SELECT greatest(
         (SELECT max(entry_index) FROM statement WHERE imvu = $1), (SELECT max(entry_index) FROM correction WHERE imvu = $1),
         (SELECT max(greatest(entry_index, (executed->>'index')::bigint, (returned->>'index')::bigint)) FROM payout WHERE imvu = $1),
         (SELECT max(intent_index) FROM command_seen WHERE imvu = $1 AND op = 'imvu.payout.account' AND state = 'applied')) AS last,
       (SELECT count(*) FROM payout WHERE imvu = $1) AS payouts`,
    [imvu],
  );
  if ((row?.last ?? -1) !== book.last || row?.payouts !== book.payouts().length)
    throw new Fault("PAYOUT_CHANGED", `what is owed to ${imvu} changed meanwhile, or its tables differ from the log`, { retry: true, hint: "nexus ledger replay --check" });
}

async function bookStep(tx: Tx, made: PayoutMade, { index, time }: { readonly index: number; readonly time: string }, step: PayoutStep): Promise<void> {
  const postings = payoutPostings(step, amountOf(made));
  const [accounts, amounts] = [postings.map(({ account }) => account), postings.map(({ amount }) => String(amount))];
  await tx.run("INSERT INTO journal (entry_index, account, imvu, period, currency, amount) SELECT $1, account, $2, $3, $4, amount FROM unnest($5::text[], $6::numeric[]) AS posting (account, amount)", [index, made.imvu, time.slice(0, 7), made.currency, accounts, amounts]);
}

function amountOf({ id, amount }: PayoutMade): Money {
  const units = parseDecimal(amount, MONEY_DECIMALS);
  if (units === undefined || units <= 0n) throw new Fault("PAYOUTS_BROKEN", `payout ${id} has no amount`, { hint: "nexus verify revenue" });
  return money(units);
}
