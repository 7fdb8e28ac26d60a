import { broughtBy, KeyHistory, kidOf, openCommand } from "../identity/index.ts";
import { type Correction, type Invoice, postingsOf, saleOf, type Statement, type Tariff } from "../handshake/index.ts";
import { ToldPayouts } from "./told-payouts.ts";
import { erasedBy, type LedgerEntry } from "../ledger/index.ts";
import { type IdentityName, type Json, MONEY_DECIMALS, parseDecimal } from "../../kernel/index.ts";
import { isBilling, subjectOfBilling } from "./billing.ts";
import { type BudgetReached, reachedKey, tellBudget } from "./budgets.ts";
import type { Drift } from "./drifts.ts";
import { type AppliedRecord, asJson, type CommandRecord, type FailedRecord } from "./record.ts";

/** The rows that the log alone tells, gathered while it is read once: of everything but units and readings. */
export class ToldByLog {
  readonly keys = new Map<string, Json>();
  readonly operators = new Map<string, Json>();
  private readonly history = new KeyHistory();
  readonly commands = new Map<string, Json>();
  readonly consents = new Map<string, Json>();
  readonly erasures = new Map<string, Json>();
  readonly statements = new Map<string, Json>();
  readonly corrections = new Map<string, Json>();
  readonly sales = new Map<string, Json>();
  readonly billing = new Map<string, Json>();
  readonly invoices = new Map<string, Json>();
  readonly journal = new Map<string, Json>();
  readonly tariffs = new Map<string, Json>();
  readonly payouts = new ToldPayouts(this.journal);
  readonly budgets = new Map<string, Json>();
  readonly drifts = new Map<string, Json>();
  readonly reached = new Map<string, Json>();
  private readonly open = new Map<number, string>();

  note(entry: LedgerEntry): void {
    switch (entry.type) {
      case "command.refused":
      case "command.accepted": {
        const { digest, jws, allocation } = entry.data as unknown as CommandRecord;
        this.commands.set(digest, { state: entry.type === "command.refused" ? "refused" : "accepted", intent: entry.index, outcome: null });
        const opened = entry.type === "command.accepted" ? openCommand(jws) : undefined;
        if (!opened?.ok) return;
        const { command, signatures } = opened.value;
        this.history.follow({ command, signatures }, entry.index, Date.parse(entry.time));
        this.knowKeys(broughtBy(command), command.op === "identity.register" ? command.params.name : entry.actor);
        if (command.op === "platform.operator.add") this.operators.set(command.params.identity, { index: entry.index });
        if (command.op === "platform.operator.remove") this.operators.delete(command.params.identity);
        if (command.op === "consent.record") {
          const { subject, purpose, text, state } = command.params;
          this.consents.set(String(entry.index), { imvu: command.imvu, subject, purpose, text, state });
        }
        if (isBilling(command)) this.billing.set(subjectOfBilling(command), asJson({ doc: command.params, index: entry.index }));
        if (command.op === "imvu.budget.set" && command.imvu !== null) tellBudget(this.budgets, command.imvu, command.params, entry.index);
        const sale = saleOf(command);
        if (sale) this.sales.set(`${command.imvu} ${sale.sourceId}`, asJson({ ...sale, index: entry.index }));
        this.open.set(entry.index, command.imvu ?? (allocation === null ? "" : entry.stream));
        return;
      }
      case "identity.registered": {
        const { name, publicKey } = entry.data as { name: IdentityName; publicKey: string };
        this.history.registered(name, publicKey, entry.index);
        this.knowKeys([publicKey], name);
        return;
      }
      case "statement.closed": {
        const doc = entry.data as unknown as Statement;
        // One that was drawn before its month had ended, at an exit, has no row: another follows.
        if (!doc.closed) return;
        this.bookJournal(doc, entry.index);
        this.statements.set(`${doc.imvu} ${doc.period}`, asJson({ currency: doc.currency, ...sharesOf(doc), doc, index: entry.index }));
        return;
      }
      case "statement.corrected": {
        const doc = entry.data as unknown as Correction;
        this.bookJournal(doc, entry.index);
        this.corrections.set(`${doc.imvu} ${doc.period} ${doc.number}`, asJson({ currency: doc.currency, ...sharesOf(doc.total), doc, index: entry.index }));
        return;
      }
      case "drift.found":
        this.drifts.set(String(entry.index), { imvu: (entry.data as unknown as Drift).imvu, foundAt: entry.time, doc: asJson(entry.data) });
        return;
      case "budget.reached": {
        const doc = entry.data as unknown as BudgetReached;
        this.reached.set(reachedKey(doc), asJson({ imvu: doc.imvu, doc, index: entry.index }));
        return;
      }
      case "platform.tariff": {
        const { currency, validFrom } = entry.data as unknown as Tariff;
        this.tariffs.set(String(entry.index), { currency, validFrom });
        return;
      }
      case "payout.created":
      case "payout.executed":
      case "payout.returned":
        this.payouts.note(entry);
        return;
      case "invoice.issued": {
        // Whatever stands there is a row that the table has not.
        const doc = (entry.data ?? {}) as unknown as Invoice;
        const { series, sequence, imvu, period, statement } = doc;
        this.invoices.set(doc.number, asJson({ series, sequence: String(sequence), imvu, period, statement, doc, index: entry.index }));
        return;
      }
      case "platform.operator":
        this.operators.set((entry.data as { identity: string }).identity, { index: entry.index });
        return;
      case "effect.applied":
      case "effect.failed": {
        const { digest, intent } = entry.data as unknown as AppliedRecord | FailedRecord;
        this.commands.set(digest, { state: entry.type === "effect.applied" ? "applied" : "failed", intent, outcome: entry.index });
        this.open.delete(intent);
        if (entry.type === "effect.applied") this.forget(entry);
        return;
      }
      default:
    }
  }

  /** A body was erased: the command's row went with it, unless the command was judged once more after that. */
  private forget(entry: Parameters<typeof erasedBy>[0] & { readonly index: number }): void {
    const erased = erasedBy(entry);
    for (const { index } of erased) this.erasures.set(String(index), { order: entry.index });
    const { command } = (entry.data as { learned?: { command?: string } | null }).learned ?? {};
    const told = command === undefined ? undefined : (this.commands.get(command) as { intent: number } | undefined);
    if (command !== undefined && told && told.intent <= (erased[0]?.index ?? -1)) this.commands.delete(command);
  }

  private bookJournal(made: Statement | Correction, index: number): void {
    const { imvu, period, currency } = made;
    // Figures that are none book nothing: the statement's own row is named for them.
    if (Object.values(sharesOf(made)).includes(NO_AMOUNT)) return;
    for (const { account, amount } of postingsOf(made)) this.journal.set(`${index} ${account}`, { imvu, period, currency, amount: String(amount) });
  }

  identities(): ReadonlyMap<string, Json> {
    return new Map(this.history.rings().map((ring) => [ring.name, asJson(ring)]));
  }

  private knowKeys(publicKeys: readonly string[], identity: string): void {
    for (const publicKey of publicKeys) this.keys.set(kidOf(publicKey), { identity, publicKey });
  }

  unitsAtWork(): ReadonlySet<string> {
    return new Set(this.open.values());
  }
}

const NO_AMOUNT = "no amount";

/** As the tables hold them: counts of 10^-21. */
function sharesOf({ gross, creator, platform }: Pick<Statement, "gross" | "creator" | "platform">): Readonly<Record<string, string>> {
  const count = (amount: unknown) => (typeof amount === "string" ? (parseDecimal(amount, MONEY_DECIMALS)?.toString() ?? NO_AMOUNT) : NO_AMOUNT);
  return { gross: count(gross), creator: count(creator), platform: count(platform) };
}
