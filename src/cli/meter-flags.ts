import type { revenueCsv } from "../verify/index.ts";

type Flagged = Pick<Parameters<typeof revenueCsv>[0], "flags" | "flagged">;

/** What was odd about a month's readings, a sentence each. */
export function flagLines({ flags, flagged }: Flagged): readonly string[] {
  const more = (flagged ?? flags.length) - flags.length;
  return [...flags.map(sentence), ...(more > 0 ? [`and ${more} more, in the readings themselves`] : [])];
}

function sentence({ what, index, series, was, now }: Flagged["flags"][number]): string {
  if (what === "gap") return `entry ${index}: no reading from ${was} to ${now}; billed as measured before and after`;
  if (what === "clock") return `entry ${index}: the clock went back to ${now}; it counts at ${was}`;
  return `entry ${index}: ${series} fell from ${was} to ${now}; it counts up to the fall`;
}
