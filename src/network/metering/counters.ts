import { namespaceNameOf, type Reading, routerNamespaceNameOf, type Site } from "../../contract/index.ts";
import { Fault, type ImvuId, imvuNumberOf, run } from "../../kernel/index.ts";
import { inside, linkEpoch, namespaceInode } from "../nexus-net/namespaces.ts";
import { receivedCounterOf, sentCounterOf, TABLE } from "../nexus-net/router-rules.ts";

async function counterBytes(site: Site, name: string): Promise<string | undefined> {
  const ran = await run(inside(routerNamespaceNameOf(site), ["/usr/sbin/nft", "list", "counter", "inet", TABLE, name]));
  if (ran.code !== 0) return undefined;
  return /packets \d+ bytes (\d+)/.exec(ran.stdout.toString("utf8"))?.[1];
}

export async function hasCounters(site: Site, number: number): Promise<boolean> {
  const values = await Promise.all([counterBytes(site, sentCounterOf(number)), counterBytes(site, receivedCounterOf(number))]);
  return values.every((value) => value !== undefined);
}

/** IP bytes over the IMVU's link, in the IMVU's perspective: `in` is what it received. An IMVU without a link has no readings. */
export async function readMeters(site: Site, imvu: ImvuId): Promise<readonly Reading[]> {
  const number = imvuNumberOf(imvu);
  const [inode, life, received, sent] = await Promise.all([
    namespaceInode(namespaceNameOf(site, number)),
    linkEpoch(site, number),
    counterBytes(site, receivedCounterOf(number)),
    counterBytes(site, sentCounterOf(number)),
  ]);
  if (inode === undefined) return [];
  if (received === undefined || sent === undefined || life === undefined) throw new Fault("METER_GONE", `the counters of ${imvu} are not in the router`, { retry: true });
  // Inodes of namespaces are used again: the link's own mark makes the epoch unique.
  const epoch = `${inode}-${life}`;
  return [
    { resource: "network.in", value: received, boot: site.boot, epoch },
    { resource: "network.out", value: sent, boot: site.boot, epoch },
  ];
}
