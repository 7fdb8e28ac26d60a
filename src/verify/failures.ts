/** One thing that is not as it was written. */
export interface Failure {
  /** File, entry or command. */
  readonly what: string;
  readonly expected: string;
  readonly found: string;
}

/** Of how many things examined how many were good. */
export interface Tally {
  readonly good: number;
  readonly of: number;
}

/** A tally while it is being counted. */
export class Counter implements Tally {
  good = 0;
  of = 0;
}

export const FAILURES_KEPT_MAX = 100;
const FAILURE_CHARS_MAX = 300;

/** Collects failures in the order found; a bundle that is wrong everywhere does not fill the memory. */
export class Failures {
  readonly list: Failure[] = [];
  total = 0;

  /** Those of another list behind these. */
  addAll({ list, total }: Failures): void {
    for (const { what, expected, found } of list) this.add(what, expected, found);
    this.total += total - list.length;
  }

  add(what: string, expected: string, found: string): void {
    this.total += 1;
    if (this.list.length < FAILURES_KEPT_MAX) this.list.push({ what: short(what), expected: short(expected), found: short(found) });
  }
}

function short(text: string): string {
  return text.length > FAILURE_CHARS_MAX ? `${text.slice(0, FAILURE_CHARS_MAX - 3)}...` : text;
}
