import type { Json } from "../kernel/index.ts";

/** A ledger entry's body before it is canonicalised (spec: ledger). `prev` is hex SHA-256 of the stream's previous body, or 64 zeros. */
export interface EntryBody {
  readonly v: 1;
  readonly stream: string;
  readonly streamSeq: number;
  readonly prev: string;
  readonly time: string;
  readonly type: EntryType;
  readonly actor: string;
  readonly data: Json;
  /** 16 random bytes, base64url. */
  readonly salt: string;
}

export type EntryType =
  | "identity.registered"
  | "command.accepted"
  | "command.refused"
  | "effect.applied"
  | "effect.failed"
  | "meter.reading"
  | "statement.closed"
  | "statement.corrected"
  | "payout.created"
  | "payout.executed"
  | "payout.returned"
  | "invoice.issued"
  | "budget.reached"
  | "drift.found"
  | "exit.exported"
  | "exit.imported"
  | "platform.created"
  | "platform.law"
  | "platform.operator"
  | "platform.tariff";

/** What a caller appends; the sequencer adds v, streamSeq, prev, time and salt. */
export interface NewEntry {
  readonly stream: string;
  readonly type: EntryType;
  readonly actor: string;
  /** Or what it is at its place in the log: an entry may name the one before it in the same request. */
  readonly data: Json | ((index: number) => Json);
}

/** Proof that an entry stands in the log, as every command returns it. */
export interface Receipt {
  readonly index: number;
  /** Canonical JSON text of the body. */
  readonly body: string;
  /** C2SP tlog-proof text: index, proof hashes and the checkpoint that covers it. */
  readonly proof: string;
}

/** One gate's answer to one command. */
export interface Verdict {
  readonly gate: number;
  readonly verdict: "pass" | "not-applicable" | "deny";
  readonly code?: string;
  readonly asked?: Json;
  readonly allowed?: Json;
}
