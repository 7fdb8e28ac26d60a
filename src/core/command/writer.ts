import type { NewEntry } from "../../contract/index.ts";
import type { Appended, Ledger } from "../ledger/index.ts";
import type { Tx } from "../store/index.ts";
import { putCommandRows } from "./command-rows.ts";
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
  also?(tx: Tx, appended: Appended): Promise<void>;
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
    const appended = await this.ledger.append(pieces.flatMap(({ entry, outcome }) => (outcome ? [entry, outcome] : [entry])), async (tx, all) => {
      const places = placesOf(pieces, all);
      const placed = pieces.map((piece, at) => ({ ...piece, index: (places[at] as Placed).entry.index, outcomeIndex: places[at]?.outcome?.index ?? null }));
      await putCommandRows(tx, {
        seen: placed.flatMap(({ seen, index, outcomeIndex }) => (seen ? [{ ...seen, intentIndex: index, outcomeIndex }] : [])),
        consents: placed.flatMap(({ consent, index }) => (consent ? [{ ...consent, index }] : [])),
        settled: placed.flatMap(({ settled, index }) => (settled ? [{ ...settled, index }] : [])),
      });
      for (const [at, { also }] of pieces.entries()) await also?.(tx, (places[at] as Placed).entry);
      await projection.putImvus(tx, placed.flatMap(({ unit, index }) => (unit ? [{ ...unit, index }] : [])));
    });
    return placesOf(pieces, appended);
  }
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
