import { type Correction, type PayoutAccount, PayoutBook, type PayoutSettled, type Statement, settledData } from "../core/handshake/index.ts";
import { type OpenedCommand, openCommand } from "../core/identity/index.ts";
import type { SignatureFact } from "../core/policy-engine/index.ts";
import type { ImvuId, Json } from "../kernel/index.ts";
import { firstDifference } from "./difference.ts";
import type { Failures } from "./failures.ts";
import type { Entry } from "./ledger-files.ts";

/** Whose signatures an operators' command bears, by the keys known at an entry. */
export type SignersOf = (opened: OpenedCommand, index: number) => readonly Pick<SignatureFact, "valid" | "identity" | "status">[];

/** Keys that sign commands; those of a recovery do not, and an operator's may have ended between his word and the entry that tells of it. */
const SIGNING: ReadonlySet<string> = new Set(["live", "rotated", "revoked"]);

/**
 * Every payout made again from the statements as they are derived, and what became of it held to the signed command that says so: its amount is all that is owed
 * and no more, its account the one that the owner named last, its number the next.
 */
export class PayoutCheck {
  private readonly book: PayoutBook;
  private readonly imvu: ImvuId;
  private readonly failures: Failures;
  private readonly signersOf: SignersOf;
  payouts = 0;

  constructor(imvu: ImvuId, failures: Failures, signersOf: SignersOf) {
    this.imvu = imvu;
    this.book = new PayoutBook(imvu);
    this.failures = failures;
    this.signersOf = signersOf;
  }

  /** An accepted imvu.payout.account of the stream. */
  named(account: PayoutAccount | null, digest: string, index: number): void {
    this.book.name(account, digest, index);
  }

  /** A statement or correction as it is derived; one that another may follow pays nothing yet. */
  owe(made: Statement | Correction, index: number): void {
    if ("corrects" in made || made.closed) this.book.owe(made, index);
  }

  /** A `payout.*` entry. @returns the digest of the operators' command that it tells of */
  check({ index, body }: Entry): string | undefined {
    const what = `entry ${index} (${body.type})`;
    if (body.type === "payout.created") this.created(what, index, body.data);
    else if (body.type === "payout.executed" || body.type === "payout.returned") return this.settled(what, index, body.type, body.data);
    else this.failures.add(what, "an entry of a payout", "none that is known");
    return undefined;
  }

  private created(what: string, index: number, said: Json): void {
    this.payouts += 1;
    const { currency } = (said ?? {}) as { currency?: unknown };
    const due = typeof currency === "string" ? this.book.due(currency) : undefined;
    if (!due) {
      const owed = typeof currency === "string" ? this.book.owed(currency) : 0n;
      this.failures.add(what, "a payout of what is owed, to an account that the owner named", owed > 0n ? "no account" : "nothing is owed");
      return;
    }
    const difference = firstDifference(due as unknown as Json, said);
    if (difference) this.failures.add(`${what} ${due.id} ${difference.path}`, difference.expected, difference.found);
    this.book.create(due, index);
  }

  private settled(what: string, index: number, type: "payout.executed" | "payout.returned", said: Json): string | undefined {
    const { id, command, order } = (said ?? {}) as Partial<PayoutSettled>;
    const opened = openCommand(order);
    if (!opened.ok) {
      this.failures.add(what, "the operators' command that says so", opened.message);
      return undefined;
    }
    const { command: ordered, digest } = opened.value;
    if (ordered.op !== "platform.payout.execute" && ordered.op !== "platform.payout.return") {
      this.failures.add(what, "an operators' command about a payout", ordered.op);
      return undefined;
    }
    const expected = settledData(ordered, digest, opened.value.signed);
    const difference = firstDifference(expected.data as unknown as Json, said);
    if (expected.type !== type || difference) this.failures.add(`${what} ${difference?.path ?? "type"}`, difference?.expected ?? expected.type, difference?.found ?? type);
    const signers = this.signersOf(opened.value, index);
    if (!signers.every(({ valid, identity, status }) => valid && identity !== null && SIGNING.has(status))) this.failures.add(what, "signatures by keys that are known", "one that is none");
    if (ordered.params.imvu !== this.imvu || !this.book.settle(String(id), type === "payout.executed" ? "executed" : "returned", String(command), index))
      this.failures.add(what, "a step that follows: created, executed, returned", `${String(id)} is ${this.book.payout(String(id))?.state ?? "no payout of this unit"}`);
    return digest;
  }
}
