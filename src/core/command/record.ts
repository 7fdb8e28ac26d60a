import type { SignedCommand, Verdict } from "../../contract/index.ts";
import type { ImvuId, Json } from "../../kernel/index.ts";
import type { OpenedCommand } from "../identity/index.ts";
import type { Facts } from "../policy-engine/index.ts";
import type { Worked } from "./effects.ts";

/** Data of `command.accepted` and `command.refused`: enough for anyone to judge again. */
export interface CommandRecord {
  /** SHA-256 of the signed payload. */
  readonly digest: string;
  readonly jws: SignedCommand;
  readonly facts: Facts;
  readonly verdicts: readonly Verdict[];
  /** SHA-256 over the law's source. */
  readonly law: string;
  /** What the platform decided at acceptance; null for a refusal. */
  readonly allocation: Json;
}

/** Data of `effect.applied`. */
export interface AppliedRecord {
  readonly digest: string;
  /** Ledger index of the command.accepted entry. */
  readonly intent: number;
  readonly op: string;
  readonly imvu: ImvuId | null;
  readonly learned: Json;
  readonly observed: Json;
}

/** Data of `effect.failed`. */
export interface FailedRecord {
  readonly digest: string;
  readonly intent: number;
  readonly op: string;
  readonly imvu: ImvuId | null;
  readonly reason: string;
  /** What an undo could not take back, in words; empty when everything is as before. */
  readonly left: readonly string[];
}

export function appliedRecord({ command, digest }: Pick<OpenedCommand, "command" | "digest">, intent: number, imvu: ImvuId | null, { learned, observed }: Worked): AppliedRecord {
  return { digest, intent, op: command.op, imvu, learned, observed: withoutFloats(observed) };
}

export function asJson(value: unknown): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}

/** Entries hold no floats (canonical JSON): a figure like 0.5 cores is written as text there. */
export function withoutFloats(value: Json): Json {
  if (typeof value === "number") return Number.isSafeInteger(value) ? value : String(value);
  if (Array.isArray(value)) return value.map(withoutFloats);
  if (value !== null && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, withoutFloats(member as Json)]));
  return value;
}
