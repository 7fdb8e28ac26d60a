import type { Imvu, MeterReading } from "../contract/index.ts";
import type { CommandRecord } from "../core/command/index.ts";
import { Account, type Correction, parsePeriod, type Period, periodAfter, postingsOf, type Rating, saleOf, sameTerms, type Statement, type StatementHead, statementOf, type TariffEntry, tariffInForce, type Terms, termsIn, termsOf } from "../core/handshake/index.ts";
import { openCommand } from "../core/identity/index.ts";
import type { Ledger, LedgerEntry } from "../core/ledger/index.ts";
import type { ReadTx, Tx } from "../core/store/index.ts";
import { accept, Fault, type ImvuId, MONEY_DECIMALS, type Outcome, parseDecimal, refuse } from "../kernel/index.ts";
import type { Opening, Openings } from "./openings.ts";
import { publishedTariffs } from "./tariffs.ts";

/** A month that is over, as it is written down at once: what sales that came late change of earlier months, and its own statement. */
export interface ClosingMonth {
  readonly corrections: readonly Correction[];
  readonly statement: Statement;
  /** Of the month after it. */
  readonly opening: Opening;
}

export interface StatementDeps {
  readonly ledger: Pick<Ledger, "entries">;
  readonly openings: Pick<Openings, "begin">;
}

type UnitOfTerms = Pick<Imvu, "id" | "timeZone" | "currency">;

/** A month of one unit so far, from its ledger stream alone: no other table is asked. */
export async function statementFor(deps: StatementDeps, imvu: UnitOfTerms, month: string): Promise<Outcome<Statement>> {
  const made = await madeFor(deps, imvu, month, false);
  return made.ok ? accept(made.value.statement) : made;
}

/** The month's last statement: the month is over, and a reading after its end is known. */
export async function closingFor(deps: StatementDeps, imvu: UnitOfTerms, month: string, tariffs?: readonly TariffEntry[]): Promise<Outcome<ClosingMonth>> {
  const made = await madeFor(deps, imvu, month, true, tariffs);
  if (!made.ok) return made;
  const { corrections, statement, period, next, rating } = made.value;
  const { timeZone } = termsOf(imvu);
  return accept({ corrections, statement, opening: { imvu: imvu.id, timeZone, head: { index: next - 1, ...(statement.streamHead as StatementHead) }, rating: rating.stateFrom(periodAfter(period, timeZone)) } });
}

async function madeFor(deps: StatementDeps, unit: UnitOfTerms, month: string, closed: boolean, tariffs?: readonly TariffEntry[]): Promise<Outcome<Pick<ClosingMonth, "corrections" | "statement"> & Followed & { readonly period: Period }>> {
  const { id } = unit;
  const terms = termsOf(unit);
  const period = parsePeriod(month, terms.timeZone);
  if (!period.ok) return period;
  const tariff = tariffInForce(period.value, tariffs ?? (await publishedTariffs(deps.ledger)), terms.currency);
  if (!tariff) return refuse("not-found", "NO_TARIFF", `no tariff in ${terms.currency} is in force in ${month}`, "nexus tariff show");
  const followed = await followStream(deps, id, period.value, terms);
  const { rating, account, head } = followed;
  const late = closed && head ? account.late(period.value.end_ms) : [];
  return accept({
    corrections: late.flatMap((one) => account.correction(one.period, head as StatementHead) ?? []),
    statement: statementOf({ imvu: id, period: period.value, tariff, streamHead: head, closed, revenue: account.revenue(month, head?.streamSeq ?? -1), terms }, rating.rated(period.value)),
    ...followed,
    period: period.value,
  });
}

/** A unit's stream up to its head: its readings rated, its sales booked. */
interface Followed {
  readonly rating: Rating;
  readonly account: Account;
  readonly head: StatementHead | null;
  /** Behind the head's ledger index. */
  readonly next: number;
}

/** Its sales are followed from the first; its readings, which are nearly all of it, from where an earlier month's end left them. */
async function followStream({ ledger, openings }: StatementDeps, imvu: ImvuId, period: Period, terms: Terms): Promise<Followed> {
  const begun = await openings.begin(ledger, imvu, period, terms);
  const { rating } = begun;
  const account = new Account(imvu, terms);
  if (begun.next > 0) for await (const entry of ledger.entries({ stream: imvu, to: begun.next, butReadings: true })) keepAccount(account, entry, terms);
  let { head, next } = begun;
  for await (const entry of ledger.entries({ stream: imvu, from: next })) {
    head = { streamSeq: entry.streamSeq, sha256: entry.leaf.toString("hex") };
    next = entry.index + 1;
    if (entry.type === "meter.reading") rating.add(entry.index, entry.data as unknown as MeterReading);
    else keepAccount(account, entry, terms);
  }
  return { rating, account, head, next };
}

function keepAccount(account: Account, entry: LedgerEntry, terms: Terms): void {
  if (entry.type === "statement.closed") {
    const made = entry.data as unknown as Statement;
    if (made.closed) account.close(made, entry.index);
  } else if (entry.type === "statement.corrected") account.correct(entry.data as unknown as Correction, entry.index);
  else if (entry.type === "command.accepted") {
    const opened = openCommand((entry.data as unknown as CommandRecord).jws);
    const agreed = opened.ok ? termsIn(opened.value.command) : undefined;
    if (agreed && !sameTerms(agreed, terms)) throw new Fault("UNIT_TERMS_CHANGED", `entry ${entry.index}: the unit's time zone or currency was agreed otherwise than the table says`, { hint: "nexus ledger replay --check" });
    const sale = opened.ok ? saleOf(opened.value.command) : undefined;
    // What cannot be booked, because somebody changed the tables that the gate reads, is not counted; verifiers name it, and the month closes all the same.
    if (sale) account.book(sale, { index: entry.index, streamSeq: entry.streamSeq, time_ms: Date.parse(entry.time) });
  }
}

/** The row of a closed statement, in the transaction of its entry; a second one of the same month stops it. */
export async function putStatement(tx: Tx, made: Statement, index: number): Promise<void> {
  const { imvu, period, currency } = made;
  await tx.run("INSERT INTO statement (imvu, period, currency, gross, creator, platform, doc, entry_index) VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, $8)", [imvu, period, currency, ...sharesOf(made), JSON.stringify(made), index]);
  await putPostings(tx, made, index);
}

/** A correction's row; a second one of the same number stops it. */
export async function putCorrection(tx: Tx, made: Correction, index: number): Promise<void> {
  const { imvu, period, number, currency, total } = made;
  await tx.run("INSERT INTO correction (imvu, period, number, currency, gross, creator, platform, doc, entry_index) VALUES ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9)", [imvu, period, number, currency, ...sharesOf(total), JSON.stringify(made), index]);
  await putPostings(tx, made, index);
}

async function putPostings(tx: Tx, made: Statement | Correction, index: number): Promise<void> {
  const postings = postingsOf(made);
  const [accounts, amounts] = [postings.map(({ account }) => account), postings.map(({ amount }) => String(amount))];
  await tx.run("INSERT INTO journal (entry_index, account, imvu, period, currency, amount) SELECT $1, account, $2, $3, $4, amount FROM unnest($5::text[], $6::numeric[]) AS posting (account, amount)", [index, made.imvu, made.period, made.currency, accounts, amounts]);
}

/** Counts of 10^-21. */
function sharesOf({ gross, creator, platform }: Pick<Statement, "gross" | "creator" | "platform">): readonly string[] {
  return [gross, creator, platform].map((amount) => String(parseDecimal(amount, MONEY_DECIMALS)));
}

export interface ClosedMonth {
  readonly period: string;
  readonly index: number;
  readonly statement: Statement;
  /** Oldest first, with their ledger indexes. */
  readonly corrections: readonly (Correction & { readonly index: number })[];
}

/** Closed months of a unit, newest first. */
export async function closedMonths(tx: ReadTx, imvu: ImvuId, month?: string): Promise<readonly ClosedMonth[]> {
  const rows = await tx.query<{ period: string; doc: Statement; entry_index: string; corrections: readonly (Correction & { index: number })[] | null }>(
    `SELECT period, doc, entry_index, (SELECT jsonb_agg(c.doc || jsonb_build_object('index', c.entry_index) ORDER BY c.number) FROM correction c WHERE c.imvu = statement.imvu AND c.period = statement.period) AS corrections
       FROM statement WHERE imvu = $1 AND ($2::text IS NULL OR period = $2) ORDER BY period DESC`,
    [imvu, month ?? null],
  );
  return rows.map(({ period, doc, entry_index, corrections }) => ({ period, index: Number(entry_index), statement: doc, corrections: corrections ?? [] }));
}
