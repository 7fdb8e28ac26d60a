import type { Json } from "./canonical.ts";

/** A well-formed no. `kind` decides the exit code and the HTTP status, in one place each. */
export interface Refusal {
  readonly ok: false;
  readonly kind: "usage" | "gate" | "not-found" | "conflict" | "unauthenticated" | "engine" | "busy";
  readonly code: string;
  /** Names the field, the limit and what was seen. */
  readonly message: string;
  /** The next thing to type. */
  readonly hint: string;
  readonly gate?: number;
  readonly asked?: Json;
  readonly allowed?: Json;
  readonly ledgerIndex?: number;
}

export interface Accepted<T> {
  readonly ok: true;
  readonly value: T;
}

export type Outcome<T> = Accepted<T> | Refusal;

export function accept<T>(value: T): Accepted<T> {
  return { ok: true, value };
}

export function refuse(
  kind: Refusal["kind"],
  code: string,
  message: string,
  hint: string,
  figures: { gate?: number; asked?: Json; allowed?: Json; ledgerIndex?: number } = {},
): Refusal {
  return { ok: false, kind, code, message, hint, ...figures };
}
