import type { Evidence, Snapshot } from "../../contract/index.ts";
import { messageOf } from "../../kernel/index.ts";
import { allSubvolumes } from "../envelopes/subvolumes.ts";
import type { Captures, Place } from "./captures.ts";

/** The newest is read whatever it is; of the others as many as fit, each time beginning with another one. */
const READ_BYTES_MAX = 8 * 1024 ** 3;
const READ_MS_MAX = 9 * 60_000;

/**
 * Gate 12, asked of the volume: what the ledger names is there, nobody can write to it, and read again it is the same; nothing else lies
 * there; and the newest can be put back, for it was, beside. Of a unit without snapshots one is taken, put back and thrown away.
 */
export class Check {
  private readonly captures: Captures;
  private turn = 0;

  constructor(captures: Captures) {
    this.captures = captures;
  }

  async of(place: Place, mountPoint: string, told: readonly Snapshot[]): Promise<Evidence> {
    const signal = AbortSignal.timeout(READ_MS_MAX);
    try {
      const strangers = [...this.strangersAmong(await this.captures.names(place.number), told), ...foreignIn(await allSubvolumes(mountPoint))];
      const wrong = strangers.map((name) => `${name} lies on the volume, and no entry tells of it`);
      const read = this.readable(told);
      for (const snapshot of told) wrong.push(...(await this.captures.flaws(place, snapshot, read.includes(snapshot) ? "all" : "form", signal)));
      if (wrong.length > 0) return { verdict: "broken", detail: wrong.join("; ") };
      const newest = told.at(-1);
      const tried = newest ? await this.restoresOnTrial(place, newest, signal) : await this.capturesOnTrial(place, signal);
      if (tried.verdict !== "holds" || read.length === told.length) return tried;
      return { verdict: "unproven", detail: `${tried.detail}; of ${told.length} snapshots ${read.length} were read now (at most ${READ_BYTES_MAX} bytes): the others are there and read-only` };
    } catch (error) {
      return { verdict: "unproven", detail: `could not be looked at: ${messageOf(error)}` };
    }
  }

  private async restoresOnTrial(place: Place, newest: Snapshot, signal: AbortSignal): Promise<Evidence> {
    const { digest } = await this.captures.onTrial(place, this.captures.dataOf(place.number, newest.id), newest.document, signal);
    if (digest !== newest.digest) return { verdict: "broken", detail: `${newest.id} put back has the digest ${digest}, in the ledger stands ${newest.digest}` };
    return { verdict: "holds", detail: `every snapshot in the ledger is on the volume, read-only and with its digest, and there is no other; ${newest.id} (${newest.files} files, ${newest.bytes} bytes) was put back beside and is the same` };
  }

  private async capturesOnTrial(place: Place, signal: AbortSignal): Promise<Evidence> {
    const [taken, back] = await this.captures.forAMoment(place.number, async (captured) => {
      const document = NO_DOCUMENT;
      return [await this.captures.list(place, captured, document, signal), await this.captures.onTrial(place, captured, document, signal)] as const;
    });
    if (taken.digest !== back.digest) return { verdict: "broken", detail: `a capture taken now has the digest ${taken.digest}, put back ${back.digest}` };
    return { verdict: "holds", detail: `it has no snapshot; one that was taken now (${taken.files} files, ${taken.bytes} bytes) was put back beside, is the same, and was thrown away` };
  }

  /** Ids that the ledger does not tell. The next one may be at work: it has another name until it is whole. */
  private strangersAmong(names: readonly string[], told: readonly Snapshot[]): readonly string[] {
    const known = new Set(told.map(({ id }) => id));
    return names.filter((name) => !known.has(name) && !/^S\d+\.new$/.test(name)).map((name) => `snapshots/${name}`);
  }

  private readable(told: readonly Snapshot[]): readonly Snapshot[] {
    const [newest, ...others] = told.toReversed();
    if (!newest) return [];
    const chosen = [newest];
    let bytes = newest.bytes;
    this.turn += 1;
    for (const at of others.keys()) {
      const one = others[(at + this.turn) % others.length] as Snapshot;
      if (bytes + one.bytes > READ_BYTES_MAX) continue;
      bytes += one.bytes;
      chosen.push(one);
    }
    return chosen;
  }
}

/** Of a capture that is thrown away. */
const NO_DOCUMENT = "0".repeat(64) as Snapshot["document"];

/** Subvolumes in none of the places that have a meaning; scratch is this process's own while it is at work. */
function foreignIn(paths: readonly string[]): readonly string[] {
  return paths.filter((path) => !/^(?:data|snapshots)\//.test(path) && !new RegExp(`^scratch/[a-z0-9-]+-${process.pid}-\\d+(?:/|$)`).test(path));
}
