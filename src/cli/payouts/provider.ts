import type { Outcome } from "../../kernel/index.ts";
import type { Payout } from "./made.ts";

/** A payout together with the commitment of the entry that created it: no other payout has it, on no platform. */
export interface PayoutToSend extends Payout {
  /** SHA-256 of the entry's body, hex. */
  readonly commitment: string;
}

/** What became of a payment at a provider: on its way, arrived as far as the provider knows, or its money is back. */
export type PaymentState = { readonly state: "underway" | "sent" } | { readonly state: "back"; readonly reason: string };

/** A payment provider, behind a port of two questions. A refusal is an answer: nothing was paid. A Fault is none: the same question may be asked again. */
export interface PayoutProvider {
  /** Begins the reference of each of its payments, as in `wise:12345`. */
  readonly name: string;
  /** Pays it. Asked again for the same payout – after a crash, a timeout, by another process – it is the same payment, which is paid once. @returns what the provider calls it */
  send(payout: PayoutToSend): Promise<Outcome<string>>;
  check(reference: string): Promise<Outcome<PaymentState>>;
}
