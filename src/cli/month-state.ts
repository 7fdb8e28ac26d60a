/** A month as a statement shows it: by UTC, or between the two instants that it says. */
interface Shown {
  readonly period: string;
  readonly start?: string;
  readonly end?: string;
  readonly closed: boolean;
  readonly index?: number;
  readonly readings: { readonly count: number };
}

export function instantsOf({ period, start, end }: Pick<Shown, "period" | "start" | "end">): { readonly start_ms: number; readonly end_ms: number } {
  const [year = 0, month = 0] = period.split("-").map(Number);
  return { start_ms: start === undefined ? Date.UTC(year, month - 1, 1) : Date.parse(start), end_ms: end === undefined ? Date.UTC(year, month, 1) : Date.parse(end) };
}

/** What its figures are worth: for good, so far, or nothing at all. */
export function stateOf(shown: Shown, now_ms: number): string {
  const { start_ms, end_ms } = instantsOf(shown);
  if (shown.closed) return `closed, ledger entry ${shown.index}`;
  if (now_ms <= start_ms) return "not begun";
  if (now_ms <= end_ms) return "not over: what it comes to so far";
  return shown.readings.count === 0 ? "over, and nothing was read in it" : "over, and not closed yet";
}
