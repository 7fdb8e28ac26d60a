import type { Imvu } from "../contract/index.ts";
import { accountCommands, asJson, type PayoutRow, payoutsOf } from "../core/command/index.ts";
import type { PayoutAccount } from "../core/handshake/index.ts";
import { openCommand } from "../core/identity/index.ts";
import type { Ledger } from "../core/ledger/index.ts";
import type { ReadTx, Store } from "../core/store/index.ts";
import { decimalText, Fault, type ImvuId, type Json, MONEY_DECIMALS } from "../kernel/index.ts";
import { payoutBook } from "./payout-book.ts";

/** A unit's payouts, what is owed beyond them, and where its money goes. */
export async function unitPayouts(tx: ReadTx, { id }: Pick<Imvu, "id">): Promise<Json> {
  const owed = await tx.query<{ currency: string; owed: string }>("SELECT currency, (-sum(amount))::text AS owed FROM journal WHERE imvu = $1 AND account = 'creator' GROUP BY currency ORDER BY currency", [id]);
  return asJson({
    imvu: id,
    account: (await payoutAccount(tx, id)) ?? null,
    owed: owed.map(({ currency, owed: amount }) => ({ currency, amount: decimalText(BigInt(amount), MONEY_DECIMALS) })),
    payouts: (await payoutsOf(tx, { imvu: id })).map(shown),
  });
}

/** Of all units, for who pays them. */
export async function allPayouts(tx: ReadTx, state: string | undefined): Promise<Json> {
  return asJson({ payouts: (await payoutsOf(tx, state === undefined ? {} : { state })).map(shown) });
}

/**
 * Payouts that are to be made, with receipts of the entries that created them: of every unit that has one the whole stream is reckoned again, and where the
 * tables say something else than the log, nothing is told. What leaves as money is made of the receipts' bodies.
 */
export async function duePayouts(store: Store, ledger: Pick<Ledger, "entries" | "receipt">): Promise<Json> {
  const rows = await store.snapshot((tx) => payoutsOf(tx, { state: "created" }));
  const due = [];
  for (const imvu of new Set(rows.map(({ made }) => made.imvu))) {
    const created = (await payoutBook(ledger, imvu)).payouts().filter(({ state }) => state === "created");
    const held = rows.filter(({ made }) => made.imvu === imvu);
    const same = created.length === held.length && created.every(({ index, made }, at) => held[at]?.index === index && held[at]?.made.id === made.id);
    if (!same) throw new Fault("PAYOUTS_BROKEN", `the table's payouts of ${imvu} are not those that the log tells of`, { hint: "nexus ledger replay --check" });
    for (const { index, made } of created) due.push({ imvu, id: made.id, index, receipt: await ledger.receipt(index) });
  }
  return asJson({ payouts: due.sort((a, b) => a.index - b.index) });
}

/** The account that the owner named last; undefined: none, or it was withdrawn. */
async function payoutAccount(tx: ReadTx, imvu: ImvuId): Promise<(PayoutAccount & { readonly index: number }) | undefined> {
  const [newest] = await accountCommands(tx, imvu);
  const opened = newest && openCommand(JSON.parse(newest.signed));
  if (!newest || !opened?.ok || opened.value.command.op !== "imvu.payout.account") return undefined;
  const { account } = opened.value.command.params;
  return account === null ? undefined : { ...account, index: newest.index };
}

function shown({ made: { imvu, number, id, amount, currency, account, covers }, state, index, createdAt, executed, returned }: PayoutRow): Json {
  return asJson({ imvu, number, id, amount, currency, state, account, covers, index, createdAt, executed, returned });
}
