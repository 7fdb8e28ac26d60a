import type { Command, Params } from "../contract/index.ts";
import type { Statement } from "../core/handshake/index.ts";
import type { Entry } from "./ledger-files.ts";

/**
 * Files of a bundle that say again, for people and spreadsheets, what the entries say. Writer and verifier make them by the same
 * functions, so one that says something else than the ledger is found.
 */
export const COMMANDS_AUDIT_PATH = "ledger/audit/commands.jsonl";
export const REFUSALS_AUDIT_PATH = "ledger/audit/refusals.jsonl";
export const CONSENT_LOG_PATH = "ledger/compliance/consent-log.jsonl";
export const LINE_PATHS = [COMMANDS_AUDIT_PATH, REFUSALS_AUDIT_PATH, CONSENT_LOG_PATH];

export function revenuePath(period: string): string {
  return `ledger/revenue/${period}-ledger.csv`;
}

export interface AuditRecord {
  readonly op: string;
  readonly digest: string;
  readonly signers: readonly string[];
  /** Of consent.record alone. */
  readonly consent: Params<"consent.record"> | null;
  readonly verdicts: readonly { readonly gate: number; readonly verdict: string; readonly code?: string }[];
}

/** The part of a command that the consent log repeats. */
export function consentOf(command: Command): AuditRecord["consent"] {
  return command.op === "consent.record" ? command.params : null;
}

/** Which repeating files an entry goes to, and its line in each. */
export function auditLines({ index, body }: Entry, record: AuditRecord): readonly { readonly path: string; readonly line: string }[] {
  const { time, actor } = body;
  const { op, digest, signers, consent } = record;
  if (body.type === "command.accepted") {
    const command = { path: COMMANDS_AUDIT_PATH, line: JSON.stringify({ index, time, actor, op, digest, signers, gates: record.verdicts.length }) };
    if (consent === null) return [command];
    const { subject, purpose, text, state } = consent;
    return [command, { path: CONSENT_LOG_PATH, line: JSON.stringify({ index, time, actor, subject, purpose, text, state }) }];
  }
  if (body.type !== "command.refused") return [];
  const denied = record.verdicts.filter(({ verdict }) => verdict === "deny").map(({ gate, code }) => ({ gate, code: code ?? null }));
  return [{ path: REFUSALS_AUDIT_PATH, line: JSON.stringify({ index, time, actor, op, digest, signers, denied }) }];
}

/** RFC 4180: one row per resource, then the sums. Every field is a number, a name of ours or a unit: nothing to quote. */
export function revenueCsv({ period, currency, tariffIndex, lines, gross, creator, platform }: Statement): string {
  const rows = lines.map(({ resource, quantity, unit, unitPrice, amount }) => [period, resource, quantity, unit, unitPrice, amount]);
  const sums = [["gross", gross], ["creator 55%", creator], ["platform 45%", platform]].map(([what = "", amount = ""]) => [period, what, "", "", "", amount]);
  const head = ["period", "resource", "quantity", "unit", `unit price ${currency} (tariff: ledger entry ${tariffIndex})`, `amount ${currency}`];
  return [head, ...rows, ...sums].map((row) => `${row.join(",")}\r\n`).join("");
}
