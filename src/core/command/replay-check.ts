import type { Imvu } from "../../contract/index.ts";
import type { ImvuId, Json } from "../../kernel/index.ts";
import type { KeyRing } from "../identity/index.ts";
import type { Ledger, LedgerEntry } from "../ledger/index.ts";
import type { ReadTx, Store } from "../store/index.ts";
import { heldBudgets } from "./budgets.ts";
import { heldDrifts } from "./drifts.ts";
import { Comparison, type ReplayCheck } from "./comparison.ts";
import type { Effects } from "./effects.ts";
import { heldReadings, ToldReadings } from "./readings.ts";
import { asJson } from "./record.ts";
import { replayUnits } from "./replay.ts";
import { ToldByLog } from "./told-by-log.ts";

/**
 * Tells the tables once more from the log alone and compares them, row by row, with what the database holds: a row that somebody changed,
 * added or took away behind the platform's back is named. Rows of commands that are still at work are left out.
 */
export async function replayCheck(store: Store, ledger: Pick<Ledger, "entries">, effects: Pick<Effects, "after" | "withLearned">): Promise<ReplayCheck> {
  const held = await store.snapshot(heldRows);
  const comparison = new Comparison();
  const told = new ToldByLog();
  const readings = new ToldReadings();
  async function* upToThen(): AsyncIterable<LedgerEntry> {
    for await (const entry of ledger.entries({ to: held.size })) {
      told.note(entry);
      readings.note(entry);
      yield entry;
    }
  }
  const units = await replayUnits({ entries: () => upToThen() }, effects);
  const atWork = told.unitsAtWork();
  const settled = <T>(rows: ReadonlyMap<string, T>) => new Map([...rows].filter(([key]) => !atWork.has(key)));
  comparison.tables("imvu", settled(new Map([...units].map(([id, imvu]): [string, Json] => [id, asJson(imvu)]))), settled(held.units));
  comparison.tables("identity", told.identities(), held.identities);
  comparison.tables("identity_key", told.keys, held.keys);
  comparison.tables("operator", told.operators, held.operators);
  comparison.tables("reading", readings.rows, held.readings);
  comparison.tables("consent", told.consents, held.consents);
  comparison.tables("statement", told.statements, held.statements);
  comparison.tables("correction", told.corrections, held.corrections);
  comparison.tables("journal", told.journal, held.journal);
  comparison.tables("tariff", told.tariffs, held.tariffs);
  comparison.tables("budget", told.budgets, held.budgets);
  comparison.tables("budget_reached", told.reached, held.reached);
  comparison.tables("drift", told.drifts, held.drifts);
  comparison.tables("sale", told.sales, held.sales);
  comparison.tables("payout", told.payouts.rows(), held.payouts);
  comparison.tables("billing", told.billing, held.billing);
  comparison.tables("invoice", told.invoices, held.invoices);
  comparison.tables("ledger_erasure", told.erasures, held.erasures);
  comparison.tables("command_seen", told.commands, held.commands);
  return comparison.result();
}

interface HeldRows {
  /** Entries that were committed at the same instant. */
  readonly size: number;
  readonly units: ReadonlyMap<string, Json>;
  readonly identities: ReadonlyMap<string, Json>;
  readonly keys: ReadonlyMap<string, Json>;
  readonly operators: ReadonlyMap<string, Json>;
  readonly commands: ReadonlyMap<string, Json>;
  readonly consents: ReadonlyMap<string, Json>;
  readonly erasures: ReadonlyMap<string, Json>;
  readonly statements: ReadonlyMap<string, Json>;
  readonly corrections: ReadonlyMap<string, Json>;
  readonly sales: ReadonlyMap<string, Json>;
  readonly journal: ReadonlyMap<string, Json>;
  readonly tariffs: ReadonlyMap<string, Json>;
  readonly payouts: ReadonlyMap<string, Json>;
  readonly billing: ReadonlyMap<string, Json>;
  readonly invoices: ReadonlyMap<string, Json>;
  readonly budgets: ReadonlyMap<string, Json>;
  readonly drifts: ReadonlyMap<string, Json>;
  readonly reached: ReadonlyMap<string, Json>;
  readonly readings: ReadonlyMap<string, Json>;
}

async function heldRows(tx: ReadTx): Promise<HeldRows> {
  const [last] = await tx.query<{ size: string }>("SELECT coalesce(max(index) + 1, 0) AS size FROM ledger_entry");
  const size = Number(last?.size ?? 0);
  const units = await tx.query<{ id: string; doc: Imvu; owner: string; status: string }>("SELECT id, doc, owner, status FROM imvu");
  const identities = await tx.query<{ name: string; doc: KeyRing }>("SELECT name, doc FROM identity");
  const keys = await tx.query<{ kid: string; identity: string; public_key: string }>("SELECT kid, identity, public_key FROM identity_key");
  const operators = await tx.query<{ identity: string; entry_index: string }>("SELECT identity, entry_index FROM operator");
  const commands = await tx.query<{ digest: string; state: string; intent_index: string; outcome_index: string | null }>("SELECT digest, state, intent_index, outcome_index FROM command_seen");
  const consents = await tx.query<{ imvu: ImvuId; subject: string; purpose: string; text: string; state: string; entry_index: string }>("SELECT imvu, subject, purpose, text, state, entry_index FROM consent");
  const erasures = await tx.query<{ index: string; order_index: string }>("SELECT index, order_index FROM ledger_erasure");
  const statements = await tx.query<StatementRow>("SELECT imvu, period, currency, gross::text AS gross, creator::text AS creator, platform::text AS platform, doc, entry_index FROM statement");
  const corrections = await tx.query<StatementRow & { number: number }>("SELECT imvu, period, number, currency, gross::text AS gross, creator::text AS creator, platform::text AS platform, doc, entry_index FROM correction");
  const sales = await tx.query<SaleRow>('SELECT imvu, source_id AS "sourceId", reverses, amount::text AS amount, currency, at, entry_index FROM sale');
  const journal = await tx.query<{ entry_index: string; account: string; imvu: string; period: string; currency: string; amount: string }>("SELECT entry_index, account, imvu, period, currency, amount::text AS amount FROM journal");
  const billing = await tx.query<{ subject: string; doc: Json; entry_index: string }>("SELECT subject, doc, entry_index FROM billing");
  const invoices = await tx.query<InvoiceRow>("SELECT number, series, sequence::text AS sequence, imvu, period, statement_index, doc, entry_index FROM invoice");
  const payouts = await tx.query<{ imvu: string; number: number; entry_index: string }>('SELECT imvu, number, id, currency, amount::text AS amount, state, created_at AS "createdAt", doc, entry_index, executed, returned FROM payout');
  const tariffs = await tx.query<{ entry_index: string; currency: string; valid_from: string }>("SELECT entry_index, currency, valid_from FROM tariff");
  return {
    size,
    // Owner and status stand beside the document too, for indexes: they must say the same.
    units: new Map(units.map(({ id, doc, owner, status }) => [id, asJson({ ...doc, ...(owner === doc.owner ? {} : { ownerColumn: owner }), ...(status === doc.status ? {} : { statusColumn: status }) })])),
    identities: new Map(identities.map(({ name, doc }) => [name, asJson(doc)])),
    keys: new Map(keys.map(({ kid, identity, public_key }) => [kid, { identity, publicKey: public_key }])),
    operators: new Map(operators.map(({ identity, entry_index }) => [identity, { index: Number(entry_index) }])),
    commands: new Map(commands.map((row) => [row.digest, asJson({ state: row.state, intent: Number(row.intent_index), outcome: row.outcome_index === null ? null : Number(row.outcome_index) })])),
    consents: new Map(consents.map(({ entry_index, ...row }) => [String(entry_index), asJson(row)])),
    erasures: new Map(erasures.map(({ index, order_index }) => [String(index), { order: Number(order_index) }])),
    statements: new Map(statements.map(({ imvu, period, entry_index, ...row }) => [`${imvu} ${period}`, asJson({ ...row, index: Number(entry_index) })])),
    corrections: new Map(corrections.map(({ imvu, period, number, entry_index, ...row }) => [`${imvu} ${period} ${number}`, asJson({ ...row, index: Number(entry_index) })])),
    sales: new Map(sales.map(({ imvu, entry_index, ...row }) => [`${imvu} ${row.sourceId}`, asJson({ ...row, index: Number(entry_index) })])),
    journal: new Map(journal.map(({ entry_index, account, ...row }) => [`${entry_index} ${account}`, asJson(row)])),
    billing: new Map(billing.map(({ subject, doc, entry_index }) => [subject, asJson({ doc, index: Number(entry_index) })])),
    invoices: new Map(invoices.map(({ number, statement_index, entry_index, ...row }) => [number, asJson({ ...row, statement: Number(statement_index), index: Number(entry_index) })])),
    tariffs: new Map(tariffs.map(({ entry_index, currency, valid_from }) => [String(entry_index), { currency, validFrom: valid_from }])),
    ...(await heldBudgets(tx)),
    drifts: await heldDrifts(tx),
    payouts: new Map(payouts.map(({ imvu, number, entry_index, ...row }) => [`${imvu} ${number}`, asJson({ ...row, index: Number(entry_index) })])),
    readings: await heldReadings(tx),
  };
}

interface StatementRow extends Record<string, unknown> {
  readonly imvu: string;
  readonly period: string;
  readonly entry_index: string;
}

interface InvoiceRow extends Record<string, unknown> {
  readonly number: string;
  readonly statement_index: string;
  readonly entry_index: string;
}

interface SaleRow extends Record<string, unknown> {
  readonly imvu: string;
  readonly sourceId: string;
  readonly entry_index: string;
}
