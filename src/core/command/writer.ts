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
  readonly seen?: Omit<projection.NewlySeen, "intentIndex"> | undefined;
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
  private readonly gather: Gather<Piece, Written>;

  constructor(ledger: Ledger) {
    this.ledger = ledger;
    this.gather = new Gather<Piece, Written>((batch) => writeTogether(batch, (some) => this.append(some)), oneBatch(BATCH_PIECES_MAX));
  }

  async write(piece: Piece): Promise<Appended> {
    const written = await this.gather.ask(piece);
    if ("fault" in written) throw written.fault;
    return written;
  }

  private async append(pieces: readonly Piece[]): Promise<readonly Appended[]> {
    return await this.ledger.append(pieces.map(({ entry }) => entry), async (tx, appended) => {
      const placed = pieces.map((piece, at) => ({ ...piece, index: (appended[at] as Appended).index }));
      await putCommandRows(tx, {
        seen: placed.flatMap(({ seen, index }) => (seen ? [{ ...seen, intentIndex: index }] : [])),
        consents: placed.flatMap(({ consent, index }) => (consent ? [{ ...consent, index }] : [])),
        settled: placed.flatMap(({ settled, index }) => (settled ? [{ ...settled, index }] : [])),
      });
      for (const [at, { also }] of pieces.entries()) await also?.(tx, appended[at] as Appended);
      await projection.putImvus(tx, placed.flatMap(({ unit, index }) => (unit ? [{ ...unit, index }] : [])));
    });
  }
}
