import type { Params, SignedCommand } from "../../contract/index.ts";
import { decimalText, Fault, type ImvuId, MONEY_DECIMALS, type Money, money } from "../../kernel/index.ts";
import type { Correction } from "./account.ts";
import { exactMoney } from "./exact.ts";
import { postingsOf } from "./journal.ts";
import type { PayoutState, PayoutStep } from "./payout-postings.ts";
import type { Statement } from "./statement.ts";

/** Version of the data of `payout.*` entries. */
const PAYOUT_V = 1;
/** Of statements from before they named a payout: they paid in cents. */
const DIGITS_OF_OLD = 2;

export type PayoutAccount = NonNullable<Params<"imvu.payout.account">["account"]>;

/** Data of a `payout.created` entry: all that is owed to the unit in one currency at that place of its stream. */
export interface PayoutMade {
  readonly v: typeof PAYOUT_V;
  readonly imvu: ImvuId;
  /** 1 for the unit's first. */
  readonly number: number;
  /** End-to-end id, the same on every platform's paper: at most 35 letters, digits and hyphens. */
  readonly id: string;
  /** With the decimals in which its statements pay. */
  readonly amount: string;
  readonly currency: string;
  readonly account: PayoutAccount;
  /** Digest of the owner's command that named the account. */
  readonly command: string;
  /** Ledger index of the last statement or correction that it reckons. */
  readonly covers: number;
}

/** Data of `payout.executed` and `payout.returned`: what the operators' command says, with the command itself, so that a member can verify it. */
export type PayoutSettled = {
  readonly v: typeof PAYOUT_V;
  readonly imvu: ImvuId;
  readonly id: string;
  readonly at: string;
  readonly reference?: string;
  readonly reason?: string;
  /** Digest of the command. */
  readonly command: string;
  readonly order: SignedCommand;
};

type Order = { readonly op: "platform.payout.execute"; readonly params: Params<"platform.payout.execute"> } | { readonly op: "platform.payout.return"; readonly params: Params<"platform.payout.return"> };

export function settledData({ op, params: { imvu, payout: id, at, ...why } }: Order, command: string, order: SignedCommand): { readonly type: "payout.executed" | "payout.returned"; readonly data: PayoutSettled } {
  return { type: op === "platform.payout.execute" ? "payout.executed" : "payout.returned", data: { v: PAYOUT_V, imvu, id, at, ...why, command, order } };
}

/** Every part of a sum of payable amounts is whole in the currency's digits, and so is the sum: nothing is rounded here. */
function withDigits(owed: bigint, digits: number): string {
  const [whole = "", fraction = ""] = decimalText(owed, MONEY_DECIMALS).split(".");
  if (/[1-9]/.test(fraction.slice(digits))) throw new Fault("STATEMENT_MALFORMED", `${whole}.${fraction} is no amount that could be paid`);
  return digits === 0 ? whole : `${whole}.${fraction.slice(0, digits)}`;
}

/** A payout and what became of it. */
export interface StandingPayout {
  readonly made: PayoutMade;
  readonly index: number;
  readonly amount: Money;
  readonly state: PayoutState;
  /** Digests of the commands that settled it, in order, with the entries that tell of them. */
  readonly settled: readonly { readonly command: string; readonly index: number }[];
}

/**
 * What is owed to a unit and what was paid of it, as its stream tells in order: Σ payout.creator of its closed statements and corrections, less
 * its payouts that are created or executed. A returned one is owed again; less than nothing is carried forward. Followed by the platform to make
 * payouts, and by whoever checks them: an account of its own that asks no table.
 */
export class PayoutBook {
  private readonly imvu: ImvuId;
  private readonly credit = new Map<string, { owed: bigint; digits: number }>();
  private readonly known = new Map<string, StandingPayout>();
  private account: { readonly account: PayoutAccount; readonly command: string } | undefined;
  private covers = -1;
  /** The last entry that changed anything of it. */
  last = -1;

  constructor(imvu: ImvuId) {
    this.imvu = imvu;
  }

  /** The owner's word on where it goes; null: nowhere. */
  name(account: PayoutAccount | null, command: string, index: number): void {
    this.account = account === null ? undefined : { account, command };
    this.last = index;
  }

  /** A closed statement or a correction. */
  owe(made: Statement | Correction, index: number): void {
    const credit = postingsOf(made).find(({ account }) => account === "creator")?.amount ?? 0n;
    const digits = made.payout ? (made.payout.creator.split(".")[1] ?? "").length : DIGITS_OF_OLD;
    const before = this.credit.get(made.currency);
    this.credit.set(made.currency, { owed: (before?.owed ?? 0n) - credit, digits: Math.max(before?.digits ?? 0, digits) });
    this.covers = index;
    this.last = index;
  }

  /** Less than nothing: the creator had more than her share, and the next months make up for it. */
  owed(currency: string): Money {
    return money(this.credit.get(currency)?.owed ?? 0n);
  }

  currencies(): readonly string[] {
    return [...this.credit.keys()].sort();
  }

  /** The payout that is due; undefined: nothing is owed, or nobody said where it goes. */
  due(currency: string): PayoutMade | undefined {
    const credit = this.credit.get(currency);
    if (!credit || credit.owed <= 0n || !this.account) return undefined;
    const number = this.known.size + 1;
    const amount = withDigits(credit.owed, credit.digits);
    return { v: PAYOUT_V, imvu: this.imvu, number, id: `${this.imvu}-${number}`, amount, currency, account: this.account.account, command: this.account.command, covers: this.covers };
  }

  /** It stands in the stream. */
  create(made: PayoutMade, index: number): void {
    const amount = exactMoney(made.amount);
    this.pay(made.currency, amount);
    this.known.set(made.id, { made, index, amount, state: "created", settled: [] });
    this.last = index;
  }

  payout(id: string): StandingPayout | undefined {
    return this.known.get(id);
  }

  payouts(): readonly StandingPayout[] {
    return [...this.known.values()];
  }

  /** What a payout may become now, and from what; undefined: it is not there, or that does not follow. */
  step(id: string, to: "executed" | "returned"): (PayoutStep & { readonly from: "created" | "executed" }) | undefined {
    const from = this.known.get(id)?.state;
    if (from === "created" || (from === "executed" && to === "returned")) return { from, to };
    return undefined;
  }

  /** @returns whether it follows from what the payout was */
  settle(id: string, to: "executed" | "returned", command: string, index: number): boolean {
    const payout = this.known.get(id);
    if (!payout || !this.step(id, to)) return false;
    this.known.set(id, { ...payout, state: to, settled: [...payout.settled, { command, index }] });
    if (to === "returned") this.pay(payout.made.currency, -payout.amount);
    this.last = index;
    return true;
  }

  private pay(currency: string, amount: bigint): void {
    const before = this.credit.get(currency) ?? { owed: 0n, digits: DIGITS_OF_OLD };
    this.credit.set(currency, { ...before, owed: before.owed - amount });
  }
}
