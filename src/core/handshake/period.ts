import { accept, beginningOf, dateIn, type Outcome, quoteForPeople, refuse, type TimeZone, UTC } from "../../kernel/index.ts";

/** A calendar month, or a day, of some zone's clock: the instants start < t ≤ end, in milliseconds since the Unix epoch. */
export interface Period {
  /** `2026-11` */
  readonly name: string;
  readonly start_ms: number;
  readonly end_ms: number;
}

export function parsePeriod(text: unknown, zone: TimeZone = UTC): Outcome<Period> {
  const match = typeof text === "string" ? /^(20\d\d|2[1-9]\d\d)-(0[1-9]|1[0-2])$/.exec(text) : null;
  if (!match) {
    const seen = typeof text === "string" ? quoteForPeople(text) : typeof text;
    return refuse("usage", "BAD_PERIOD", `month ${seen}: is not a calendar month`, "use YYYY-MM, for example 2026-11");
  }
  return accept(monthOf(Number(match[1]), Number(match[2]) - 1, zone));
}

/** The month an instant belongs to; a month's last instant is the next month's beginning. */
export function periodOf(epoch_ms: number, zone: TimeZone = UTC): Period {
  const date = new Date(dateIn(zone, epoch_ms - 1));
  const shown = monthOf(date.getUTCFullYear(), date.getUTCMonth(), zone);
  // Where a clock was set back over midnight it shows the old month once more, which is over.
  return epoch_ms > shown.end_ms ? periodAfter(shown, zone) : shown;
}

export function periodAfter({ name }: Period, zone: TimeZone = UTC): Period {
  return monthOf(Number(name.slice(0, 4)), Number(name.slice(5)), zone);
}

/** The day an instant belongs to, by the same rule. */
export function dayOf(epoch_ms: number, zone: TimeZone = UTC): Period {
  const shown = dayFrom(dateIn(zone, epoch_ms - 1), zone);
  return epoch_ms > shown.end_ms ? dayFrom(Date.parse(`${shown.name}T00:00:00Z`) + DAY_MS, zone) : shown;
}

const DAY_MS = 24 * 3_600_000;

function monthOf(year: number, month: number, zone: TimeZone): Period {
  const date = Date.UTC(year, month, 1);
  return { name: new Date(date).toISOString().slice(0, 7), start_ms: beginningOf(zone, date), end_ms: beginningOf(zone, Date.UTC(year, month + 1, 1)) };
}

function dayFrom(date: number, zone: TimeZone): Period {
  return { name: new Date(date).toISOString().slice(0, 10), start_ms: beginningOf(zone, date), end_ms: beginningOf(zone, date + DAY_MS) };
}
