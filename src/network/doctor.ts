import { type Finding, routerNamespaceNameOf, type Site } from "../contract/index.ts";
import { messageOf, run } from "../kernel/index.ts";
import type { Gateway } from "./gateways/gateway.ts";
import { namespaceInode, namespaceNumbers } from "./nexus-net/namespaces.ts";
import { routerDrift } from "./nexus-net/rules.ts";

const TOOLS: readonly (readonly [what: string, argv: readonly [string, ...string[]], pack: string])[] = [
  ["haproxy", ["/usr/sbin/haproxy", "-v"], "haproxy"],
  ["nft", ["/usr/sbin/nft", "--version"], "nftables"],
  ["ip", ["/usr/sbin/ip", "-V"], "iproute2"],
  ["tc", ["/usr/sbin/tc", "-V"], "iproute2"],
  ["openssl", ["/usr/bin/openssl", "version"], "openssl"],
  ["nsenter", ["/usr/bin/nsenter", "--version"], "util-linux"],
];

export async function examineNetwork(site: Site, gateway: Gateway): Promise<readonly Finding[]> {
  const tools = await Promise.all(
    TOOLS.map(async ([what, argv, pack]): Promise<Finding> => {
      const answer = await run(argv).then(
        (ran) => ({ ok: ran.code === 0, detail: ran.stdout.toString("utf8").split("\n")[0] ?? "" }),
        (error: unknown) => ({ ok: false, detail: messageOf(error) }),
      );
      return { what, ...answer, hint: answer.ok ? "" : `apt-get install ${pack}` };
    }),
  );
  return [...tools, await examineRouter(site), await examineGateway(gateway)];
}

async function examineRouter(site: Site): Promise<Finding> {
  const what = "router";
  const hint = "nexus down && nexus up";
  if ((await namespaceInode(routerNamespaceNameOf(site))) === undefined) return { what, ok: false, detail: "its network namespace does not exist", hint: "nexus up" };
  const numbers = await namespaceNumbers(site);
  const drift = await routerDrift(site, numbers);
  return drift.length === 0
    ? { what, ok: true, detail: `rules as rendered for ${numbers.length} IMVU(s)`, hint: "" }
    : { what, ok: false, detail: drift.slice(0, 3).join("; "), hint };
}

async function examineGateway(gateway: Gateway): Promise<Finding> {
  const live = await gateway.liveRoutes();
  return live ? { what: "gateway", ok: true, detail: `${live.length} route(s) live`, hint: "" } : { what: "gateway", ok: false, detail: "HAProxy does not answer on its socket", hint: "nexus up" };
}
