import { namespaceNameOf, type Reading, type Site } from "../../contract/index.ts";
import { Fault, type ImvuId, imvuNumberOf } from "../../kernel/index.ts";
import { linkNameOf } from "../nexus-net/addresses.ts";
import { namespaceInode } from "../nexus-net/namespaces.ts";
import { COUNTED_CLASSES, counterOf } from "../nexus-net/router-rules.ts";
import type { RouterReading } from "./router.ts";

export function hasCounters(router: RouterReading | undefined, number: number): boolean {
  return COUNTED_CLASSES.every((kind) => router?.bytes.has(counterOf("sent", number, kind)) && router.bytes.has(counterOf("received", number, kind)));
}

/**
 * IP bytes over the IMVU's link, each once, in the IMVU's perspective: `in` is what it received; by the class of the route, and what is of no private or
 * restricted one together. An IMVU without a link has no readings.
 * @param router reads the router as it is when it is asked, or later
 */
export async function readMeters(site: Site, router: () => Promise<RouterReading | undefined>, imvu: ImvuId): Promise<readonly Reading[]> {
  const number = imvuNumberOf(imvu);
  const inode = await namespaceInode(namespaceNameOf(site, number));
  if (inode === undefined) return [];
  const read = await router();
  const life = read?.marks.get(linkNameOf(number));
  if (read === undefined || life === undefined || !hasCounters(read, number)) throw new Fault("METER_GONE", `the counters of ${imvu} are not in the router`, { retry: true });
  // Inodes of namespaces are used again: the link's own mark makes the epoch unique.
  const epoch = `${inode}-${life}`;
  return COUNTED_CLASSES.flatMap((kind): readonly Reading[] => {
    const name = kind === undefined ? ("network" as const) : (`network.${kind}` as const);
    const value = (way: "sent" | "received") => read.bytes.get(counterOf(way, number, kind)) as string;
    return [
      { resource: `${name}.in`, value: value("received"), boot: site.boot, epoch },
      { resource: `${name}.out`, value: value("sent"), boot: site.boot, epoch },
    ];
  });
}
