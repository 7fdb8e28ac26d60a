import { quoteForPeople } from "./ids.ts";
import { accept, type Outcome, refuse } from "./refusal.ts";
import { PLACES } from "./time-zone-names.ts";

declare const brand: unique symbol;
/** `Europe/Berlin`: a place of the IANA time zone database, or `UTC`. */
export type TimeZone = string & { readonly [brand]: "TimeZone" };

export const UTC = "UTC" as TimeZone;

const NAMES: ReadonlyMap<string, TimeZone> = new Map(
  [UTC, ...Object.entries(PLACES).flatMap(([area, places]) => places.split(" ").map((place) => `${area}/${place}`))].map((name) => [name.toLowerCase(), name as TimeZone]),
);

/**
 * One spelling of each zone: the name in zone.tab. Offsets, abbreviations and older names of the same place are refused, so that what was signed once
 * reads the same on every machine, whichever of the names its own library prefers.
 */
export function parseTimeZone(text: unknown): Outcome<TimeZone> {
  const seen = typeof text === "string" ? quoteForPeople(text) : typeof text;
  const name = typeof text === "string" ? NAMES.get(text.toLowerCase()) : undefined;
  if (name === undefined) return refuse("usage", "BAD_TIME_ZONE", `time zone ${seen}: is not a place of the IANA time zone database (zone.tab), nor UTC`, "use a name like Europe/Berlin; an offset is none, because it knows no summer time");
  if (name !== text) return refuse("usage", "BAD_TIME_ZONE", `time zone ${seen}: is spelt otherwise`, `use ${name}`);
  if (!isKnownHere(name)) return refuse("usage", "BAD_TIME_ZONE", `time zone ${seen}: this machine's Node does not know its clock`, "use a newer Node");
  return accept(name);
}

export function timeZones(): readonly TimeZone[] {
  return [...NAMES.values()];
}

const here = new Map<TimeZone, boolean>();

function isKnownHere(zone: TimeZone): boolean {
  const before = here.get(zone);
  if (before !== undefined) return before;
  let known = true;
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
  } catch {
    known = false;
  }
  here.set(zone, known);
  return known;
}
