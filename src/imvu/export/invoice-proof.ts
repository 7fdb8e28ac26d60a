import type { Invoice } from "../../core/handshake/index.ts";

/** Where an invoice's entry stands, and the signed tree that it stands in: what a reader needs to ask for the rest. */
export interface InvoiceProof {
  readonly origin: string;
  readonly index: number;
  /** SHA-256 of the entry's body, base64, as `nexus ledger proof` prints it. */
  readonly leaf: string;
  /** Of a checkpoint that covers the entry. */
  readonly size: number;
  readonly root: string;
}

/** What the square code holds: enough to ask the log for the entry's proof. */
export function proofText({ number }: Pick<Invoice, "number">, { origin, index, leaf }: InvoiceProof): string {
  return `nexus invoice ${number}\nlog ${origin}\nentry ${index}\nleaf ${leaf}`;
}
