import { statSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { namespaceNameOf, namespacePathOf, routerNamespaceNameOf, type Site } from "../../contract/index.ts";
import { Fault, run, runOk } from "../../kernel/index.ts";
import { addressOf, CALLER_OF_CLASS, INNER_LINK, linkNameOf, PREFIX_LENGTH, routerAddressOf } from "./addresses.ts";

type Home = Pick<Site, "homeId">;

/** Handle of the machine's own namespace, by which the gateway in the router's namespace listens on the machine's loopback. */
export function machineHandleOf(home: Home): string {
  return `nx${home.homeId}-host`;
}

/** Runs inside a namespace. */
export function inside(namespace: string, argv: readonly [string, ...string[]]): [string, ...string[]] {
  return ["/usr/bin/nsenter", `--net=${namespacePathOf(namespace)}`, "--", ...argv];
}

/** Inode of the namespace behind a name; undefined when the name is free or only a file without a namespace. */
export async function namespaceInode(name: string): Promise<string | undefined> {
  // At once, not awaited: the folder is in memory, and a meter asks for every unit there is.
  const [seen, folder] = [statSync(namespacePathOf(name), { throwIfNoEntry: false }), statSync("/run/netns", { throwIfNoEntry: false })];
  // A bind mount shows the namespace file system's device; what a half-made namespace leaves is a plain file on /run.
  return seen && folder && seen.dev !== folder.dev ? String(seen.ino) : undefined;
}

async function ensureNamespace(name: string): Promise<void> {
  if (await namespaceInode(name)) return;
  await run(["/usr/sbin/ip", "netns", "delete", name]);
  await runOk(["/usr/sbin/ip", "netns", "add", name]);
}

/** Values a new namespace may have inherited from the machine; nothing is forwarded here and IPv6 is off: the address plan is IPv4. */
const SETTINGS: readonly (readonly [string, string])[] = [
  ["net/ipv4/ip_forward", "0"],
  ["net/ipv4/conf/all/accept_redirects", "0"],
  ["net/ipv4/conf/all/send_redirects", "0"],
  ["net/ipv4/conf/all/accept_source_route", "0"],
  ["net/ipv4/conf/all/route_localnet", "0"],
  ["net/ipv6/conf/all/disable_ipv6", "1"],
  ["net/ipv6/conf/default/disable_ipv6", "1"],
];

async function applySettings(name: string): Promise<void> {
  for (const [key, value] of SETTINGS) {
    const path = join("/proc/sys", key);
    const ran = await run(inside(name, ["/usr/bin/tee", path]), { input: value });
    // A kernel without IPv6 has nothing to switch off.
    if (ran.code !== 0 && !key.startsWith("net/ipv6/")) throw new Fault("SYSCTL", `cannot set ${key} in ${name}: ${ran.stderr.trim()}`);
  }
}

export async function ensureRouter(home: Home): Promise<void> {
  const router = routerNamespaceNameOf(home);
  const fresh = (await namespaceInode(router)) === undefined;
  await ensureNamespace(router);
  if (fresh) await applySettings(router);
  await runOk(["/usr/sbin/ip", "-n", router, "link", "set", "lo", "up"]);
  for (const address of Object.values(CALLER_OF_CLASS)) await runOk(["/usr/sbin/ip", "-n", router, "address", "replace", `${address}/32`, "dev", "lo"]);
}

/** The handle must show the namespace of this very process: one left by another container of the same host does not. */
export async function ensureMachineHandle(home: Home): Promise<void> {
  const name = machineHandleOf(home);
  const own = String((await stat("/proc/self/ns/net")).ino);
  if ((await namespaceInode(name)) === own) return;
  await run(["/usr/sbin/ip", "netns", "delete", name]);
  await runOk(["/usr/sbin/ip", "netns", "attach", name, String(process.pid)]);
}

export interface LinkState {
  readonly [key: string]: string | boolean;
  readonly inode: string;
  /** Both ends are up and carry exactly their addresses, and the only way out is the router. */
  readonly wired: boolean;
}

interface IpAddress {
  readonly ifname?: string;
  readonly flags?: readonly string[];
  readonly addr_info?: readonly { readonly family: string; readonly local: string; readonly prefixlen: number; readonly scope: string }[];
}

async function ipJson<T>(namespace: string, args: readonly string[]): Promise<readonly T[]> {
  const ran = await run(["/usr/sbin/ip", "-j", "-n", namespace, ...args]);
  if (ran.code !== 0) return [];
  return JSON.parse(ran.stdout.toString("utf8") || "[]") as readonly T[];
}

function carries(links: readonly IpAddress[], name: string, address: string): boolean {
  const link = links.find((candidate) => candidate.ifname === name);
  const addresses = (link?.addr_info ?? []).filter((info) => info.family === "inet" || info.scope === "global").map((info) => `${info.local}/${info.prefixlen}`);
  return link?.flags?.includes("UP") === true && addresses.length === 1 && addresses[0] === `${address}/${PREFIX_LENGTH}`;
}

export async function observeLink(home: Home, number: number): Promise<LinkState | null> {
  const name = namespaceNameOf(home, number);
  const inode = await namespaceInode(name);
  if (inode === undefined) return null;
  const [outer, inner, routes] = await Promise.all([
    ipJson<IpAddress>(routerNamespaceNameOf(home), ["address", "show", "dev", linkNameOf(number)]),
    ipJson<IpAddress>(name, ["address", "show"]),
    ipJson<{ dst: string; gateway?: string }>(name, ["route", "show"]),
  ]);
  const ways = routes.filter((route) => route.gateway !== undefined);
  const others = inner.filter((link) => link.ifname !== undefined && link.ifname !== INNER_LINK && link.flags?.includes("UP") && link.ifname !== "lo");
  const wired =
    carries(outer, linkNameOf(number), routerAddressOf(number)) &&
    carries(inner, INNER_LINK, addressOf(number)) &&
    others.length === 0 &&
    ways.length === 1 && ways[0]?.dst === "default" && ways[0]?.gateway === routerAddressOf(number);
  return { inode, wired };
}

/** Makes the namespace and its link, or completes what a crash left half-made. An intact link is not touched. */
export async function ensureLink(home: Home, number: number, epoch: string): Promise<void> {
  const name = namespaceNameOf(home, number);
  const router = routerNamespaceNameOf(home);
  const fresh = (await namespaceInode(name)) === undefined;
  await ensureNamespace(name);
  if (fresh) await applySettings(name);
  await runOk(["/usr/sbin/ip", "-n", name, "link", "set", "lo", "up"]);
  if ((await observeLink(home, number))?.wired) return;
  const link = linkNameOf(number);
  await run(["/usr/sbin/ip", "-n", router, "link", "delete", link]);
  await run(["/usr/sbin/ip", "-n", name, "link", "delete", INNER_LINK]);
  await runOk(["/usr/sbin/ip", "-n", router, "link", "add", link, "type", "veth", "peer", "name", INNER_LINK, "netns", name]);
  // The alias marks the life of this link's counters: readings of different aliases are never subtracted from one another.
  await runOk(["/usr/sbin/ip", "-n", router, "-batch", "-"], {
    input: [`link set dev ${link} alias ${epoch}`, `address add ${routerAddressOf(number)}/${PREFIX_LENGTH} dev ${link}`, `link set dev ${link} up`, ""].join("\n"),
  });
  await runOk(["/usr/sbin/ip", "-n", name, "-batch", "-"], {
    input: [
      `address add ${addressOf(number)}/${PREFIX_LENGTH} dev ${INNER_LINK}`,
      `link set dev ${INNER_LINK} up`,
      `route add default via ${routerAddressOf(number)}`,
      "",
    ].join("\n"),
  });
}

export async function removeLink(home: Home, number: number): Promise<void> {
  const name = namespaceNameOf(home, number);
  await run(["/usr/sbin/ip", "-n", routerNamespaceNameOf(home), "link", "delete", linkNameOf(number)]);
  await removeNamespace(name);
}

/** Aliases of the router's ends by their names: the lives of the counters. */
export async function linkMarks(home: Home): Promise<ReadonlyMap<string, string>> {
  const links = await ipJson<{ ifname?: string; ifalias?: string }>(routerNamespaceNameOf(home), ["link", "show"]);
  return new Map(links.flatMap(({ ifname, ifalias }) => (ifname === undefined || ifalias === undefined ? [] : [[ifname, ifalias] as const])));
}

async function removeNamespace(name: string): Promise<void> {
  const ran = await run(["/usr/sbin/ip", "netns", "delete", name]);
  if (ran.code !== 0 && (await stat(namespacePathOf(name)).catch(() => undefined))) throw new Fault("NAMESPACE_BUSY", `cannot delete ${name}: ${ran.stderr.trim()}`);
}

/** Numbers of the IMVUs that have a namespace in this home, from the kernel. */
export async function namespaceNumbers(home: Home): Promise<readonly number[]> {
  const prefix = `nx${home.homeId}-`;
  const names = await readdir("/run/netns").catch(() => [] as string[]);
  return names
    .filter((name) => name.startsWith(prefix) && /^[1-9]\d{0,4}$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)))
    .sort((a, b) => a - b);
}

/** Everything of this home, found by its mark alone. */
export async function removeAllNamespaces(home: Home): Promise<void> {
  const names = await readdir("/run/netns").catch(() => [] as string[]);
  for (const name of names) if (name.startsWith(`nx${home.homeId}-`)) await removeNamespace(name);
}

/** True when somebody used iptables' legacy tables in the namespace: nft cannot see those. */
export async function legacyTables(namespace: string): Promise<string> {
  const ran = await run(inside(namespace, ["/usr/bin/cat", "/proc/net/ip_tables_names"]));
  return ran.code === 0 ? ran.stdout.toString("utf8").trim() : "";
}
