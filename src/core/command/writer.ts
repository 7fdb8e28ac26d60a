import type { NewEntry } from "../../contract/index.ts";
import type { Appended, Ledger } from "../ledger/index.ts";
import type { Bound, Tx } from "../store/index.ts";
import { commandRows } from "./command-rows.ts";
import type { NewConsent } from "./consents.ts";
import { Gather, oneBatch } from "./gather.ts";
import * as projection from "./projection.ts";
import { type Written, writeTogether } from "./write-together.ts";

/** One entry and what it changes in the tables; where a row names the entry's index, it is not known before. */
export interface Piece {
  readonly entry: NewEntry;
  /** The command's outcome, right after its intent, where it is done with that. */
  readonly outcome?: NewEntry | undefined;
  readonly seen?: Omit<projection.NewlySeen, "intentIndex" | "outcomeIndex"> | undefined;
  readonly consent?: Omit<NewConsent, "index"> | undefined;
  readonly unit?: Omit<projection.UnitRow, "index"> | undefined;
  readonly settled?: Omit<projection.Settled, "index"> | undefined;
  /** What has no statement in common with others. */
  readonly also?: ((tx: Tx, appended: Appended) => Promise<void>) | undefined;
}

const BATCH_PIECES_MAX = 512;

/** Writes intents, refusals and outcomes with everything they change, as many as wait in one append: they stand in the order in which they came. */
export class Writer {
  private readonly ledger: Ledger;
  private readonly gather: Gather<Piece, Written<Placed>>;

  constructor(ledger: Ledger) {
    this.ledger = ledger;
    this.gather = new Gather<Piece, Written<Placed>>((batch) => writeTogether(batch, (some) => this.append(some)), oneBatch(BATCH_PIECES_MAX));
  }

  async write(piece: Piece): Promise<Placed> {
    const written = await this.gather.ask(piece);
    if ("fault" in written) throw written.fault;
    return written;
  }

  private async append(pieces: readonly Piece[]): Promise<readonly Placed[]> {
    const entries = pieces.flatMap(({ entry, outcome }) => (outcome ? [entry, outcome] : [entry]));
    // What asks for nothing is sent with the entries.
    const also = pieces.some((piece) => piece.also) ? (tx: Tx, appended: readonly Appended[]) => alsoOf(tx, pieces, appended) : undefined;
    return placesOf(pieces, await this.ledger.append(entries, also, (appended) => rowsOf(pieces, appended)));
  }
}

function rowsOf(pieces: readonly Piece[], appended: readonly Appended[]): readonly Bound[] {
  const places = placesOf(pieces, appended);
  const placed = pieces.map((piece, at) => ({ ...piece, index: (places[at] as Placed).entry.index, outcomeIndex: places[at]?.outcome?.index ?? null }));
  const commands = commandRows({
    seen: placed.flatMap(({ seen, index, outcomeIndex }) => (seen ? [{ ...seen, intentIndex: index, outcomeIndex }] : [])),
    consents: placed.flatMap(({ consent, index }) => (consent ? [{ ...consent, index }] : [])),
    settled: placed.flatMap(({ settled, index }) => (settled ? [{ ...settled, index }] : [])),
  });
  const units = projection.imvuRows(placed.flatMap(({ unit, index }) => (unit ? [{ ...unit, index }] : [])));
  return [commands, units].filter((bound) => bound !== undefined);
}

async function alsoOf(tx: Tx, pieces: readonly Piece[], appended: readonly Appended[]): Promise<void> {
  const places = placesOf(pieces, appended);
  for (const [at, { also }] of pieces.entries()) await also?.(tx, (places[at] as Placed).entry);
}

/** Where a piece's entries came to stand. */
export interface Placed {
  readonly entry: Appended;
  readonly outcome: Appended | undefined;
}

function placesOf(pieces: readonly Piece[], appended: readonly Appended[]): readonly Placed[] {
  const left = [...appended];
  return pieces.map(({ outcome }) => ({ entry: left.shift() as Appended, outcome: outcome ? left.shift() : undefined }));
}
