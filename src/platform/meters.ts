import type { Fabric, Imvu, Reading, ReadingSet } from "../contract/index.ts";
import { asJson } from "../core/command/index.ts";
import type { Ledger } from "../core/ledger/index.ts";
import type { Clock, ImvuId } from "../kernel/index.ts";
import { messageOf, rfc3339 } from "../kernel/index.ts";

// biome-ignore lint/suspicious/noExplicitAny: a meter does not care what a fabric desires or observes.
type AnyFabric = Fabric<any, any>;

/** Asks every fabric for its absolute counters, side by side. A fabric that cannot answer is a fault: nothing is guessed. */
export async function readMeters(fabrics: readonly AnyFabric[], imvu: ImvuId): Promise<readonly Reading[]> {
  return (await Promise.all(fabrics.map((fabric) => fabric.meter(imvu)))).flat();
}

/** Readings into the ledger and, in the same transaction, into the table that statements are made from. */
export class Meters {
  private readonly fabrics: readonly AnyFabric[];
  private readonly ledger: Ledger;
  private readonly clock: Clock;

  constructor(fabrics: readonly AnyFabric[], ledger: Ledger, clock: Clock) {
    this.fabrics = fabrics;
    this.ledger = ledger;
    this.clock = clock;
  }

  /** Reads now and returns the entry's index with what it says. */
  async record(imvu: ImvuId): Promise<{ readonly index: number; readonly set: ReadingSet }> {
    const readings = await readMeters(this.fabrics, imvu);
    const set: ReadingSet = { imvu, at: rfc3339(this.clock.now()), readings };
    const [entry] = await this.ledger.append([{ stream: imvu, type: "meter.reading", actor: "platform", data: asJson(set) }], async (tx, [appended]) => {
      const index = appended?.index;
      await tx.run(
        `INSERT INTO reading (imvu, entry_index, resource, at, value, boot, epoch)
         SELECT $1, $2, resource, $3, value::numeric, boot, epoch FROM jsonb_to_recordset($4::jsonb) AS r(resource text, value text, boot text, epoch text)`,
        [imvu, index, set.at, JSON.stringify(readings)],
      );
    });
    return { index: (entry as { index: number }).index, set };
  }

  /** One round over all units. A unit whose engines do not answer leaves a gap that the next reading shows; the others go on. */
  async round(imvus: readonly Imvu[], say: (line: string) => void): Promise<void> {
    for (const imvu of imvus) await this.record(imvu.id).catch((error) => say(`no reading of ${imvu.id}: ${messageOf(error)}`));
  }
}
