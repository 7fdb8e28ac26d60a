import type { Evidence } from "../contract/index.ts";
import { type Clock, type ImvuId, rfc3339 } from "../kernel/index.ts";

/** What was true a day ago is no evidence any more. */
const EVIDENCE_MS_MAX = 24 * 3_600_000;

/**
 * Exits that were rehearsed for gate 13. A rehearsal copies a unit and starts engines, so a member asks for it and one runs at a time;
 * whoever asks the gate is told of the newest.
 */
export class Rehearsals {
  private readonly clock: Clock;
  private readonly newest = new Map<ImvuId, { readonly at_ms: number; readonly said: Evidence }>();
  private last: Promise<unknown> = Promise.resolve();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  async run(imvu: ImvuId, rehearse: () => Promise<Evidence>): Promise<Evidence> {
    const mine = this.last.then(rehearse, rehearse);
    this.last = mine.catch(() => {});
    const said = await mine;
    this.newest.set(imvu, { at_ms: this.clock.now(), said });
    return said;
  }

  evidence(imvu: ImvuId): Evidence {
    const known = this.newest.get(imvu);
    if (!known || this.clock.now() - known.at_ms > EVIDENCE_MS_MAX) return { verdict: "unproven", detail: `no exit was rehearsed in the last day; a member asks for it: nexus verify gates --imvu-id ${imvu} --rehearse` };
    return { ...known.said, detail: `${known.said.detail} (${rfc3339(known.at_ms)})` };
  }
}
