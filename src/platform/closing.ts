import type { Imvu, NewEntry } from "../contract/index.ts";
import { allImvus, asJson } from "../core/command/index.ts";
import { parsePeriod, type Period, periodAfter, periodOf, termsOf } from "../core/handshake/index.ts";
import type { Ledger } from "../core/ledger/index.ts";
import type { ReadTx, Store } from "../core/store/index.ts";
import { type Clock, lastTurn, messageOf } from "../kernel/index.ts";
import type { Meters } from "./meters.ts";
import type { Openings } from "./openings.ts";
import type { Raters } from "./rating-pool.ts";
import { putCorrection, putStatement } from "./statements.ts";

export interface ClosingDeps {
  readonly store: Store;
  readonly ledger: Ledger;
  readonly meters: Pick<Meters, "record">;
  readonly openings: Pick<Openings, "write">;
  readonly clock: Clock;
  /** Begun for a round that has months to close, and ended with it. */
  raters(): Raters;
  say(line: string): void;
}

/** Units at once: while one waits for the disk another is read. */
const SIDE_BY_SIDE = 4;

/**
 * Closes months by themselves, oldest first, each once: a closed statement rests on a reading at or after its month's end, so no usage that
 * comes later can change it. A sale that comes later corrects it, when the month in which it was recorded closes. Entries and rows are one transaction, and
 * a row's key is the unit and the month: a crash or a second closer leaves all or nothing.
 */
export class Closing {
  private readonly deps: ClosingDeps;
  /** Every month that was over then is closed, whichever clock it is by. */
  private closedUntil: number | undefined;

  constructor(deps: ClosingDeps) {
    this.deps = deps;
  }

  /** @returns how many statements were closed */
  async round(): Promise<number> {
    const { store, clock, say } = this.deps;
    const now_ms = clock.now();
    const turn = lastTurn(now_ms);
    if (this.closedUntil === turn) return 0;
    let closed = 0;
    let open = 0;
    const waiting = (await store.snapshot(allImvus)).values();
    await using raters = this.deps.raters();
    const closer = async () => {
      for (const imvu of waiting) {
        try {
          for (const period of await store.snapshot((tx) => dueMonths(tx, imvu, now_ms))) {
            await this.close(imvu, period, raters);
            closed += 1;
          }
        } catch (error) {
          // Its engines may not answer, and a month is closed with a reading after its end or not at all.
          open += 1;
          say(`a month of ${imvu.id} stays open for now: ${messageOf(error)}`);
        }
      }
    };
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, closer));
    if (open === 0) this.closedUntil = turn;
    return closed;
  }

  private async close(imvu: Imvu, period: Period, raters: Raters): Promise<void> {
    const { store, ledger, meters, openings, say } = this.deps;
    if (!(await store.snapshot((tx) => readAfter(tx, imvu, period)))) await meters.record(imvu.id);
    const made = await raters.rate(imvu, period.name);
    if (!made.ok) throw new TypeError(`${period.name}: ${made.message}`);
    const { corrections, statement, opening } = made.value;
    const entries: NewEntry[] = [...corrections.map((data) => ({ type: "statement.corrected" as const, data })), { type: "statement.closed" as const, data: statement }].map(({ type, data }) => ({ stream: imvu.id, type, actor: "platform", data: asJson(data) }));
    await ledger.append(entries, async (tx, placed) => {
      const indexes = placed.map(({ index }) => index);
      for (const [at, one] of corrections.entries()) await putCorrection(tx, one, indexes[at] as number);
      await putStatement(tx, statement, indexes.at(-1) as number);
    });
    // Without it the next month takes longer, and comes to the same.
    await openings.write(opening).catch((error: unknown) => say(`${imvu.id}: what ${period.name} leaves for the next month is not kept: ${messageOf(error)}`));
    for (const one of corrections) say(`${imvu.id}: ${one.period} is corrected by gross ${one.currency} ${one.gross}`);
    say(`${imvu.id}: the statement of ${period.name} is closed, gross ${statement.currency} ${statement.gross}`);
  }
}

/** Months that have ended and are not closed, from the one after the last closed one, or of the unit's first reading. */
async function dueMonths(tx: ReadTx, imvu: Imvu, now_ms: number): Promise<readonly Period[]> {
  const { timeZone } = termsOf(imvu);
  const [row] = await tx.query<{ closed: string | null; first: string | null }>(
    "SELECT (SELECT max(period) FROM statement WHERE imvu = $1) AS closed, (SELECT at FROM reading WHERE imvu = $1 ORDER BY entry_index LIMIT 1) AS first",
    [imvu.id],
  );
  if (!row?.first) return [];
  const due: Period[] = [];
  const last = parsePeriod(row.closed, timeZone);
  // A month's last instant is in it: it is over after that.
  for (let period = last.ok ? periodAfter(last.value, timeZone) : periodOf(Date.parse(row.first), timeZone); period.end_ms < now_ms; period = periodAfter(period, timeZone)) due.push(period);
  return due;
}

async function readAfter(tx: ReadTx, { id: imvu }: Pick<Imvu, "id">, { end_ms }: Period): Promise<boolean> {
  const [newest] = await tx.query<{ at: string }>("SELECT at FROM reading WHERE imvu = $1 ORDER BY entry_index DESC LIMIT 1", [imvu]);
  return newest !== undefined && Date.parse(newest.at) >= end_ms;
}
