import type { Imvu } from "../contract/index.ts";
import type { FoundDrift } from "../core/command/index.ts";

/** Each is in the ledger; a letter need not hold more. */
const NAMED_MAX = 20;

/** What is written to a unit's owner when its meters were tampered with. */
export function driftNotice({ id, name }: Pick<Imvu, "id" | "name">, found: readonly FoundDrift[]): { readonly subject: string; readonly text: string } {
  const more = found.length - NAMED_MAX;
  return {
    subject: `${id}: ${found.length === 1 ? "a meter was" : `${found.length} meters were`} set back`,
    text: [
      `Counters of ${name} (${id}) say less than they did. An engine does not do that by itself: somebody with power over the machine set them back.`,
      "",
      ...found.slice(0, NAMED_MAX).map(({ index, series, was, now, at }) => `  entry ${index}: ${series} fell from ${was} to ${now}, read at ${at}`),
      ...(more > 0 ? [`  and ${more} more`] : []),
      "",
      "What such a counter counts from there on is not billed, until its engine begins another. The month's statement flags it:",
      "",
      `  nexus statement show --imvu-id ${id}`,
      "",
    ].join("\n"),
  };
}
