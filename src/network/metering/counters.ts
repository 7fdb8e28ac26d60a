import { namespaceNameOf, type Reading, type Site } from "../../contract/index.ts";
import { Fault, type ImvuId, imvuNumberOf } from "../../kernel/index.ts";
import { linkNameOf } from "../nexus-net/addresses.ts";
import { namespaceInode } from "../nexus-net/namespaces.ts";
import { receivedCounterOf, sentCounterOf } from "../nexus-net/router-rules.ts";
import type { RouterReading } from "./router.ts";

export function hasCounters(router: RouterReading | undefined, number: number): boolean {
  const names = [sentCounterOf(number), receivedCounterOf(number)];
  return names.every((name) => router?.bytes.has(name));
}

/**
 * IP bytes over the IMVU's link, in the IMVU's perspective: `in` is what it received. An IMVU without a link has no readings.
 * @param router reads the router as it is when it is asked, or later
 */
export async function readMeters(site: Site, router: () => Promise<RouterReading | undefined>, imvu: ImvuId): Promise<readonly Reading[]> {
  const number = imvuNumberOf(imvu);
  const inode = await namespaceInode(namespaceNameOf(site, number));
  if (inode === undefined) return [];
  const read = await router();
  const [received, sent, life] = [read?.bytes.get(receivedCounterOf(number)), read?.bytes.get(sentCounterOf(number)), read?.marks.get(linkNameOf(number))];
  if (received === undefined || sent === undefined || life === undefined) throw new Fault("METER_GONE", `the counters of ${imvu} are not in the router`, { retry: true });
  // Inodes of namespaces are used again: the link's own mark makes the epoch unique.
  const epoch = `${inode}-${life}`;
  return [
    { resource: "network.in", value: received, boot: site.boot, epoch },
    { resource: "network.out", value: sent, boot: site.boot, epoch },
  ];
}
