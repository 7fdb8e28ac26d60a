import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Rating, type Period, type RatingState, type StatementHead, STATE_V, type Terms } from "../core/handshake/index.ts";
import type { Ledger } from "../core/ledger/index.ts";
import { type ImvuId, sha256Hex, writeFileAtomic } from "../kernel/index.ts";

/** What a unit's readings up to an entry of its stream leave for the months after a closed one. */
export interface Opening {
  readonly imvu: ImvuId;
  readonly timeZone: string;
  readonly head: StatementHead & { readonly index: number };
  readonly rating: RatingState;
}

/** A rating, and the ledger index of the first entry that it does not know. */
export interface Begun {
  readonly rating: Rating;
  readonly next: number;
  readonly head: StatementHead | null;
}

/**
 * A file for each unit, written when a month closes: with it the next one is rated from there, and a unit's cost does not grow with its age. They lie beside
 * the database and not in it, so that whoever may change every table changes none of them. One that is missing, damaged, of another version or of another log than this is passed over,
 * and the stream is read from its beginning, to the same figures.
 */
export class Openings {
  /** The platform's own folder. */
  readonly home: string;

  constructor(home: string) {
    this.home = home;
  }

  async write(opening: Opening): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const text = JSON.stringify(opening);
    await writeFileAtomic(this.path(opening.imvu), `${sha256Hex(text)}\n${text}\n`);
  }

  /** Where to begin for a period: behind what is kept, or, with nothing known, at the stream's first entry. */
  async begin(ledger: Pick<Ledger, "entries">, imvu: ImvuId, period: Period, { timeZone }: Pick<Terms, "timeZone">): Promise<Begun> {
    const opening = await this.read(imvu);
    const anew: Begun = { rating: new Rating(period, timeZone), next: 0, head: null };
    if (opening?.imvu !== imvu || opening.timeZone !== timeZone || opening.rating.v !== STATE_V || (opening.rating.months[0]?.name ?? "~") > period.name) return anew;
    const { index, streamSeq, sha256 } = opening.head;
    for await (const entry of ledger.entries({ stream: imvu, from: index, to: index + 1 })) {
      // Its hash is over the one before, and so over all of them.
      if (entry.streamSeq === streamSeq && entry.leaf.toString("hex") === sha256) return { rating: Rating.from(opening.rating, timeZone), next: index + 1, head: { streamSeq, sha256 } };
    }
    return anew;
  }

  private async read(imvu: ImvuId): Promise<Opening | undefined> {
    const file = await readFile(this.path(imvu), "utf8").catch(() => "");
    const [digest, text, end, ...more] = file.split("\n");
    if (text === undefined || end !== "" || more.length > 0 || sha256Hex(text) !== digest) return undefined;
    return JSON.parse(text) as Opening;
  }

  private path(imvu: ImvuId): string {
    return join(this.folder, `${imvu}.json`);
  }

  private get folder(): string {
    return join(this.home, "openings");
  }
}
