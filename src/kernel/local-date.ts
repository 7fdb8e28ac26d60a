import { Fault } from "./fault.ts";
import { type TimeZone, UTC } from "./time-zone.ts";

const QUARTER_MS = 15 * 60_000;
const DAY_MS = 24 * 3_600_000;
/** No clock is further ahead of UTC, or behind it. */
export const AHEAD_MS_MAX = 14 * 3_600_000;
export const BEHIND_MS_MAX = 12 * 3_600_000;
const BEGINNINGS_KEPT_MAX = 16_384;

const clocks = new Map<TimeZone, Intl.DateTimeFormat>();
const begun = new Map<string, number>();

/** The date that a zone's clock shows at an instant, as a number that can be compared and counted on: midnight of the same date in UTC. */
export function dateIn(zone: TimeZone, epoch_ms: number): number {
  return Math.floor((zone === UTC ? epoch_ms : shownIn(zone, epoch_ms)) / DAY_MS) * DAY_MS;
}

/** What the clock shows, to the minute, read as if it were UTC's. */
function shownIn(zone: TimeZone, epoch_ms: number): number {
  let clock = clocks.get(zone);
  if (!clock) {
    clock = new Intl.DateTimeFormat("en-u-ca-gregory-nu-latn", { timeZone: zone, year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", hourCycle: "h23" });
    clocks.set(zone, clock);
  }
  const shown = Object.fromEntries(clock.formatToParts(epoch_ms).map(({ type, value }) => [type, Number(value)])) as Record<"year" | "month" | "day" | "hour" | "minute", number>;
  return Date.UTC(shown.year, shown.month - 1, shown.day, shown.hour, shown.minute);
}

/**
 * When a date begins in a zone: the first instant at which its clock shows that date, or a later one where the date was left out. So a midnight that does
 * not exist is the instant after it, and one that comes twice is the first of the two. Both are quarter-hours: a test holds all zones to that.
 */
export function beginningOf(zone: TimeZone, date: number): number {
  if (zone === UTC) return date;
  const key = `${zone} ${date}`;
  const known = begun.get(key);
  if (known !== undefined) return known;
  const at = firstAt(zone, date);
  if (begun.size >= BEGINNINGS_KEPT_MAX) begun.clear();
  begun.set(key, at);
  return at;
}

function firstAt(zone: TimeZone, date: number): number {
  const [early, late] = [date - AHEAD_MS_MAX, date + BEHIND_MS_MAX];
  const offset = shownIn(zone, early) - early;
  // Only around a change of the clock there is something to look for.
  if (shownIn(zone, late) - late === offset) return date - offset;
  for (let at = early; at <= late; at += QUARTER_MS) if (dateIn(zone, at) >= date) return at;
  throw new Fault("TIME_ZONE_CLOCK", `the clock of ${zone} does not reach ${new Date(date).toISOString().slice(0, 10)} within a day`, { hint: "use a newer Node" });
}

/** The last quarter-hour, before this instant, at which a month may have begun somewhere on Earth. */
export function lastTurn(epoch_ms: number): number {
  const before = new Date(epoch_ms - 1 + AHEAD_MS_MAX);
  const month = Date.UTC(before.getUTCFullYear(), before.getUTCMonth(), 1);
  return Math.min(Math.floor((epoch_ms - 1) / QUARTER_MS) * QUARTER_MS, month + BEHIND_MS_MAX);
}
