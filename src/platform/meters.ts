import type { Fabric, Imvu, NewEntry, Reading, ReadingSet, ReadingSummary } from "../contract/index.ts";
import { asJson, type Drift, PUT_READING, putDrift } from "../core/command/index.ts";
import { fallsIn, type Gathered, gather, lastSetOf, parseReadingSet, resourcesOf } from "../core/handshake/index.ts";
import type { Appended, Ledger } from "../core/ledger/index.ts";
import type { Clock, ImvuId } from "../kernel/index.ts";
import { Fault, messageOf, rfc3339 } from "../kernel/index.ts";

// biome-ignore lint/suspicious/noExplicitAny: a meter does not care what a fabric desires or observes.
type AnyFabric = Fabric<any, any>;

/** Units whose news is written at once. */
const SIDE_BY_SIDE = 16;

/** Asks every fabric for its absolute counters, side by side. A fabric that cannot answer is a fault: nothing is guessed. */
export async function readMeters(fabrics: readonly AnyFabric[], imvu: ImvuId): Promise<readonly Reading[]> {
  return (await Promise.all(fabrics.map((fabric) => fabric.meter(imvu)))).flat();
}

/** What is asked, and told, of meters beside the ledger. */
export interface MeterWatch {
  /** What the log holds last of a unit: a counter may have been set back while nobody read it. */
  newest?(imvu: ImvuId): Promise<ReadingSet | undefined>;
  /** A counter of it was set back just now. */
  onDrift?(imvu: ImvuId): void;
}

/** Readings into the ledger and, in the same transaction, what is asked of them often into a table: a unit's first and its newest. */
export class Meters {
  private readonly fabrics: readonly AnyFabric[];
  private readonly ledger: Ledger;
  private readonly clock: Clock;
  private readonly watch: MeterWatch;
  private readonly known = new Map<ImvuId, Gathered>();
  private readonly turns = new Map<ImvuId, Promise<unknown>>();

  constructor(fabrics: readonly AnyFabric[], ledger: Ledger, clock: Clock, watch: MeterWatch = {}) {
    this.watch = watch;
    this.fabrics = fabrics;
    this.ledger = ledger;
    this.clock = clock;
  }

  /** Reads now, records it whatever it says, and returns the entry's index with the set that it ends with: this one, as the log holds it. */
  async record(imvu: ImvuId): Promise<{ readonly index: number; readonly set: ReadingSet }> {
    const set = await this.read(imvu);
    const { index, entry } = (await this.inTurn(imvu, () => this.take(imvu, set, true))) as Recorded;
    return { index, set: lastSetOf(entry) };
  }

  private async read(imvu: ImvuId): Promise<ReadingSet> {
    const readings = await readMeters(this.fabrics, imvu);
    const set = { imvu, at: rfc3339(this.clock.now()), readings };
    // As one set, where a series may not stand twice, and as the entry that it would be alone: what an engine must not say never comes near the log.
    for (const form of [() => set, () => gather({}, set).write[0]]) {
      const parsed = parseReadingSet(form());
      if (!parsed.ok) throw new Fault("METER_MALFORMED", parsed.message, { retry: true });
    }
    return set;
  }

  /** One set more of a unit. When it cannot be written it was not read, and what is held stays. */
  private async take(imvu: ImvuId, set: ReadingSet, always: boolean): Promise<Recorded | undefined> {
    const before = this.known.get(imvu);
    const last = before ? (before.held?.last ?? before.recorded) : await this.watch.newest?.(imvu);
    const drifts = last ? fallsIn(last, set).map((fall): Drift => ({ v: 1, imvu, what: "counter-fell", at: set.at, ...fall })) : [];
    const { write, known } = gather(before ?? {}, set, always);
    const recorded = await this.write(imvu, write, drifts);
    this.known.set(imvu, known);
    if (drifts.length > 0) this.watch.onDrift?.(imvu);
    return recorded;
  }

  /** After whatever is being done with the unit's set before. */
  private async inTurn<T>(imvu: ImvuId, work: () => Promise<T>): Promise<T> {
    const turn = (this.turns.get(imvu) ?? Promise.resolve()).then(work);
    const settled = turn.catch(() => {}).then(() => {
      if (this.turns.get(imvu) === settled) this.turns.delete(imvu);
    });
    this.turns.set(imvu, settled);
    return await turn;
  }

  /** @param drifts what the last set shows: they stand behind its entry @returns the last one of the readings */
  private async write(imvu: ImvuId, entries: readonly ReadingSummary[], drifts: readonly Drift[]): Promise<Recorded | undefined> {
    const [first, last] = [entries[0], entries.at(-1)];
    if (!first || !last) return undefined;
    const news: NewEntry[] = [...entries.map((data) => ({ type: "meter.reading" as const, data })), ...drifts.map((data) => ({ type: "drift.found" as const, data }))].map(({ type, data }) => ({ stream: imvu, type, actor: "platform", data: asJson(data) }));
    const appended = await this.ledger.append(news, async (tx, placed) => {
      await tx.named(PUT_READING, [imvu, placed[0]?.index, first.from, resourcesOf(first), placed[entries.length - 1]?.index, last.at, resourcesOf(last)]);
      for (const [at, drift] of drifts.entries()) await putDrift(tx, drift, placed[entries.length + at] as Appended);
    });
    return { index: appended[entries.length - 1]?.index as number, entry: last };
  }

  /**
   * One round over all units; of each what is new. All are read in one turn, so that an engine is asked once about all of them. A unit whose engines do not
   * answer leaves a gap that the next reading shows; the others go on. What was recorded on somebody's demand meanwhile is newer: the clock did not go back.
   * @param always because engines are about to end, and counters and levels with them
   */
  async round(imvus: readonly Imvu[], say: (line: string) => void, always = false): Promise<void> {
    const sets = imvus.map(({ id }) => ({ id, before: this.known.get(id)?.recorded, set: this.read(id) }));
    for (const { set } of sets) set.catch(() => {});
    const waiting = sets.values();
    const writer = async () => {
      for (const { id, before, set } of waiting) await this.note(id, set, before, always).catch((error) => say(`no reading of ${id}: ${messageOf(error)}`));
    };
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, writer));
    const there = new Set(imvus.map(({ id }) => id));
    for (const id of this.known.keys()) if (!there.has(id)) this.known.delete(id);
  }

  private async note(imvu: ImvuId, reading: Promise<ReadingSet>, before: ReadingSet | undefined, always: boolean): Promise<void> {
    const set = await reading;
    await this.inTurn(imvu, async () => {
      if (this.known.get(imvu)?.recorded === before) await this.take(imvu, set, always);
    });
  }
}

interface Recorded {
  readonly index: number;
  readonly entry: ReadingSummary;
}
