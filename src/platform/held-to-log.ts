import { isDeepStrictEqual } from "node:util";
import type { Buyer, Seller } from "../contract/index.ts";
import { asJson, type CommandRecord } from "../core/command/index.ts";
import type { Correction, Profile, Statement } from "../core/handshake/index.ts";
import { openCommand } from "../core/identity/index.ts";
import type { Ledger } from "../core/ledger/index.ts";
import type { Store } from "../core/store/index.ts";
import { Fault, type ImvuId } from "../kernel/index.ts";
import { type ClosedMonth, closedMonths } from "./statements.ts";

type Entries = Pick<Ledger, "entries">;

/** Closed months of a unit, newest first, as the log has them: a table that says something else is believed by nobody who is shown money, or invoiced. */
export async function loggedMonths(store: Store, ledger: Entries, imvu: ImvuId, month?: string): Promise<readonly ClosedMonth[]> {
  const months = await store.snapshot((tx) => closedMonths(tx, imvu, month));
  for (const { index, statement, corrections } of months) {
    await mustBeLogged(ledger, index, statement);
    for (const { index: at, ...correction } of corrections) await mustBeLogged(ledger, at, correction);
  }
  return months;
}

/** Throws Fault STATEMENT_TABLE where the entry at this index does not hold what the table says. */
export async function mustBeLogged(ledger: Entries, index: number, held: Statement | Correction): Promise<void> {
  const type = "corrects" in held ? "statement.corrected" : "statement.closed";
  for await (const entry of ledger.entries({ stream: held.imvu, from: index, to: index + 1 })) {
    if (entry.type === type && isDeepStrictEqual(entry.data, asJson(held))) return;
  }
  throw new Fault("STATEMENT_TABLE", `the table says something else of ${held.imvu} in ${held.period} than ledger entry ${index}: somebody changed it`, { hint: "nexus ledger replay --check" });
}

/** Throws Fault BILLING_TABLE where the entry at a profile's index is not the command that set it. @param stream the unit's, or the platform's */
export async function mustBeCommanded(ledger: Entries, stream: string, { index, profile }: Profile<Buyer | Seller>): Promise<void> {
  for await (const entry of ledger.entries({ stream, from: index, to: index + 1 })) {
    if (entry.type !== "command.accepted") continue;
    const opened = openCommand((entry.data as unknown as CommandRecord).jws);
    if (opened.ok && isDeepStrictEqual(asJson(opened.value.command.params), asJson(profile))) return;
  }
  throw new Fault("BILLING_TABLE", `the table says something else of the billing profile of ${stream} than ledger entry ${index}: somebody changed it`, { hint: "nexus ledger replay --check" });
}
