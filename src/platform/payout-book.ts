import type { CommandRecord } from "../core/command/index.ts";
import { type Correction, PayoutBook, type PayoutMade, type PayoutSettled, type Statement } from "../core/handshake/index.ts";
import { openCommand } from "../core/identity/index.ts";
import type { Ledger, LedgerEntry } from "../core/ledger/index.ts";
import { canonicalJson, Fault, type ImvuId, type Json } from "../kernel/index.ts";

/** What is owed to a unit and what was paid of it, from its ledger stream alone: whatever leaves as money is made of this, and no table is asked. */
export async function payoutBook(ledger: Pick<Ledger, "entries">, imvu: ImvuId): Promise<PayoutBook> {
  const book = new PayoutBook(imvu);
  for await (const entry of ledger.entries({ stream: imvu, butReadings: true })) {
    const flaw = entry.type === "erased" ? undefined : follow(book, entry);
    // A log that says it paid more than it owed is no ground to pay again.
    if (flaw !== undefined) throw new Fault("PAYOUTS_BROKEN", `entry ${entry.index} (${entry.type}): ${flaw}`, { hint: "nexus verify revenue" });
  }
  return book;
}

function follow(book: PayoutBook, { type, data, index }: Exclude<LedgerEntry, { readonly type: "erased" }>): string | undefined {
  switch (type) {
    case "statement.closed":
      if ((data as unknown as Statement).closed) book.owe(data as unknown as Statement, index);
      return undefined;
    case "statement.corrected":
      book.owe(data as unknown as Correction, index);
      return undefined;
    case "command.accepted": {
      const opened = openCommand((data as unknown as CommandRecord).jws);
      if (opened.ok && opened.value.command.op === "imvu.payout.account") book.name(opened.value.command.params.account, opened.value.digest, index);
      return undefined;
    }
    case "payout.created": {
      const made = data as unknown as PayoutMade;
      const due = book.due(made.currency);
      if (!due || canonicalJson(due as unknown as Json) !== canonicalJson(data)) return "not the payout that was due there";
      book.create(made, index);
      return undefined;
    }
    case "payout.executed":
    case "payout.returned": {
      const { id, command } = data as unknown as PayoutSettled;
      return book.settle(id, type === "payout.executed" ? "executed" : "returned", command, index) ? undefined : "does not follow from what the payout was";
    }
    default:
      return undefined;
  }
}
