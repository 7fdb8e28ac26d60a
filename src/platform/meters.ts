import type { Fabric, Imvu, Reading, ReadingSet } from "../contract/index.ts";
import { asJson } from "../core/command/index.ts";
import { type Known, newsIn } from "../core/handshake/index.ts";
import type { Ledger } from "../core/ledger/index.ts";
import type { Clock, ImvuId } from "../kernel/index.ts";
import { messageOf, rfc3339 } from "../kernel/index.ts";

// biome-ignore lint/suspicious/noExplicitAny: a meter does not care what a fabric desires or observes.
type AnyFabric = Fabric<any, any>;

/** Units whose news is written at once. */
const SIDE_BY_SIDE = 16;

/** Asks every fabric for its absolute counters, side by side. A fabric that cannot answer is a fault: nothing is guessed. */
export async function readMeters(fabrics: readonly AnyFabric[], imvu: ImvuId): Promise<readonly Reading[]> {
  return (await Promise.all(fabrics.map((fabric) => fabric.meter(imvu)))).flat();
}

/** Readings into the ledger and, in the same transaction, into the table that statements are made from. */
export class Meters {
  private readonly fabrics: readonly AnyFabric[];
  private readonly ledger: Ledger;
  private readonly clock: Clock;
  private readonly known = new Map<ImvuId, Known>();

  constructor(fabrics: readonly AnyFabric[], ledger: Ledger, clock: Clock) {
    this.fabrics = fabrics;
    this.ledger = ledger;
    this.clock = clock;
  }

  /** Reads now, records it whatever it says, and returns the entry's index with it. */
  async record(imvu: ImvuId): Promise<{ readonly index: number; readonly set: ReadingSet }> {
    const set = await this.read(imvu);
    const index = await this.write(imvu, newsIn(this.known.get(imvu) ?? {}, set, true));
    return { index: index as number, set };
  }

  private async read(imvu: ImvuId): Promise<ReadingSet> {
    const readings = await readMeters(this.fabrics, imvu);
    return { imvu, at: rfc3339(this.clock.now()), readings };
  }

  /** @returns the last one's entry */
  private async write(imvu: ImvuId, sets: readonly ReadingSet[]): Promise<number | undefined> {
    if (sets.length === 0) return undefined;
    const entries = await this.ledger.append(sets.map((set) => ({ stream: imvu, type: "meter.reading" as const, actor: "platform", data: asJson(set) })), async (tx, appended) => {
      for (const [at, { readings, at: instant }] of sets.entries()) {
        await tx.run(
          `INSERT INTO reading (imvu, entry_index, resource, at, value, boot, epoch)
           SELECT $1, $2, resource, $3, value::numeric, boot, epoch FROM jsonb_to_recordset($4::jsonb) AS r(resource text, value text, boot text, epoch text)`,
          [imvu, appended[at]?.index, instant, JSON.stringify(readings)],
        );
      }
    });
    this.known.set(imvu, { recorded: sets.at(-1) as ReadingSet });
    return entries.at(-1)?.index;
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
    const known = this.known.get(imvu) ?? {};
    if (known.recorded !== before) return;
    const news = newsIn(known, set, always);
    if (news.length === 0) this.known.set(imvu, { ...known, held: set });
    else await this.write(imvu, news);
  }
}
