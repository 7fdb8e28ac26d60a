import { accept, type Outcome, quoteForPeople, refuse } from "../../kernel/index.ts";

/** A calendar month in UTC: the instants start < t ≤ end, in milliseconds since the Unix epoch. */
export interface Period {
  /** `2026-11` */
  readonly name: string;
  readonly start_ms: number;
  readonly end_ms: number;
}

export function parsePeriod(text: unknown): Outcome<Period> {
  const match = typeof text === "string" ? /^(20\d\d|2[1-9]\d\d)-(0[1-9]|1[0-2])$/.exec(text) : null;
  if (!match) {
    const seen = typeof text === "string" ? quoteForPeople(text) : typeof text;
    return refuse("usage", "BAD_PERIOD", `month ${seen}: is not a calendar month`, "use YYYY-MM, for example 2026-11");
  }
  return accept(monthOf(Number(match[1]), Number(match[2]) - 1));
}

/** The month an instant belongs to; a month's last instant is the next month's midnight. */
export function periodOf(epoch_ms: number): Period {
  const inside = new Date(epoch_ms - 1);
  return monthOf(inside.getUTCFullYear(), inside.getUTCMonth());
}

function monthOf(year: number, month: number): Period {
  const start_ms = Date.UTC(year, month, 1);
  return { name: new Date(start_ms).toISOString().slice(0, 7), start_ms, end_ms: Date.UTC(year, month + 1, 1) };
}
