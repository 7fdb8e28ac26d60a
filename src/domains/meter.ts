import type { Reading, Site } from "../contract/index.ts";
import { Fault, type ImvuId, togetherOf } from "../kernel/index.ts";
import type { Authority } from "./dns-authority/authority.ts";

/**
 * Answers by the DNS server's own count, asked once about all zones of those who ask together.
 * @param start names the server's present process, in whose life its counters began
 */
export function domainsMeter(site: Pick<Site, "boot">, authority: Pick<Authority, "answers">, zoneOf: (imvu: ImvuId) => string, start: () => Promise<string>): (imvu: ImvuId) => Promise<readonly Reading[]> {
  const readingOf = togetherOf(async (zones: readonly string[]) => {
    const epoch = await start();
    const counted = await authority.answers(zones);
    // Counts of one process under the name of another would be counted twice.
    if ((await start()) !== epoch) throw new Fault("METER_MOVED", "the DNS server started anew while it was read", { retry: true });
    return new Map([...counted].map(([zone, answers]): [string, Reading] => [zone, { resource: "dns.answers", value: String(answers), boot: site.boot, epoch }]));
  });
  return async (imvu) => {
    const reading = await readingOf(zoneOf(imvu));
    if (!reading) throw new Fault("METER_GONE", `the DNS server does not count ${zoneOf(imvu)}`, { retry: true, hint: "nexus logs knot" });
    return [reading];
  };
}
