import { routerNamespaceNameOf, type Site } from "../../contract/index.ts";
import { run } from "../../kernel/index.ts";
import { inside, linkMarks } from "../nexus-net/namespaces.ts";
import { TABLE } from "../nexus-net/router-rules.ts";

/** What the router has counted for all IMVUs, and the marks of its links: the lives of the counters. */
export interface RouterReading {
  /** Bytes by the counter's name. */
  readonly bytes: ReadonlyMap<string, string>;
  readonly marks: ReadonlyMap<string, string>;
}

/** Two processes, however many IMVUs there are. Undefined where there is no router, or none with our table. */
export async function readRouter(site: Site): Promise<RouterReading | undefined> {
  const [listed, marks] = await Promise.all([run(inside(routerNamespaceNameOf(site), ["/usr/sbin/nft", "list", "counters", "table", "inet", TABLE])), linkMarks(site)]);
  if (listed.code !== 0) return undefined;
  const found = listed.stdout.toString("utf8").matchAll(/counter (\S+) \{\s+packets \d+ bytes (\d+)/g);
  return { bytes: new Map([...found].map(([, name = "", bytes = ""]) => [name, bytes])), marks };
}
