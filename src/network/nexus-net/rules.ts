import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { namespaceNameOf, routerNamespaceNameOf, type Site } from "../../contract/index.ts";
import { canonicalJson, type Json, run, runOk, writeFileAtomic } from "../../kernel/index.ts";
import { inside, legacyTables } from "./namespaces.ts";
import { CHAINS, numberIn, renderLinkRules, renderRouterRules, SETS, TABLE } from "./router-rules.ts";

type Home = Pick<Site, "homeId" | "dir">;

/** nft opens its file by name, which a socket on standard input does not allow: a file in the home, for a moment. */
async function loadFile(home: Home, namespace: string, text: string): Promise<void> {
  const path = join(home.dir, "run", `rules-${randomBytes(4).toString("hex")}.nft`);
  await writeFileAtomic(path, text);
  try {
    await runOk(inside(namespace, ["/usr/sbin/nft", "-f", path]));
  } finally {
    await rm(path, { force: true });
  }
}

/**
 * Makes the router's rules exactly ours again, in one transaction: foreign tables, chains and sets go, our chains and sets are
 * refilled, counters keep what they counted.
 */
export async function applyRouterRules(home: Home, numbers: readonly number[]): Promise<void> {
  const router = routerNamespaceNameOf(home);
  const { nftables } = JSON.parse(await runOk(inside(router, ["/usr/sbin/nft", "-j", "list", "ruleset"]))) as Listing;
  const named = (kind: string) => nftables.flatMap((item) => (item[kind] ? [item[kind]] : []));
  const ours = (body: Body) => body.family === "inet" && body.table === TABLE;
  const clear: string[] = [];
  for (const { family, name } of named("table")) if (family !== "inet" || name !== TABLE) clear.push(`delete table ${String(family)} ${String(name)}`);
  const t = `inet ${TABLE}`;
  const chains = named("chain").filter(ours).map((body) => String(body.name));
  clear.push(...chains.map((chain) => `flush chain ${t} ${chain}`));
  clear.push(...chains.filter((chain) => !CHAINS.includes(chain)).map((chain) => `delete chain ${t} ${chain}`));
  for (const kind of ["map", "set"] as const)
    for (const { name } of named(kind).filter(ours)) clear.push(`${SETS.includes(String(name)) ? "flush" : "delete"} ${kind} ${t} ${String(name)}`);
  await loadFile(home, router, [...clear, renderRouterRules(), ...numbers.map((number) => renderLinkRules(number, "add"))].join("\n"));
}

type Body = Record<string, Json>;
interface Listing {
  readonly nftables: readonly Record<string, Body>[];
}

export async function applyLinkRules(home: Home, number: number): Promise<void> {
  await loadFile(home, routerNamespaceNameOf(home), renderLinkRules(number, "add"));
}

/** Each line on its own: what is gone already is no obstacle for the rest. */
export async function removeLinkRules(home: Home, number: number): Promise<void> {
  const router = routerNamespaceNameOf(home);
  for (const line of renderLinkRules(number, "delete").split("\n").filter(Boolean)) await run(inside(router, ["/usr/sbin/nft", line]));
}

/**
 * The rules a namespace has, in a form that depends on their meaning alone: without handles, counts and the order of elements.
 */
export function canonicalRules(listing: string): readonly string[] {
  const { nftables } = JSON.parse(listing) as Listing;
  const lines: string[] = [];
  const rulesSeen = new Map<string, number>();
  for (const item of nftables) {
    const [kind, body] = Object.entries(item)[0] as [string, Body];
    if (kind === "metainfo") continue;
    const { handle: _handle, packets: _packets, bytes: _bytes, elem, ...kept } = body;
    if (kind === "rule") {
      // The order of rules within a chain is meaning.
      const chain = `${String(kept.family)} ${String(kept.table)} ${String(kept.chain)}`;
      const place = rulesSeen.get(chain) ?? 0;
      rulesSeen.set(chain, place + 1);
      lines.push(`rule ${chain} ${place} ${canonicalJson(kept)}`);
      continue;
    }
    lines.push(`${kind} ${canonicalJson(kept)}`);
    if (Array.isArray(elem)) for (const element of elem as readonly Json[]) lines.push(`element ${String(kept.table)} ${String(kept.name)} ${canonicalJson(element)}`);
  }
  return lines.sort();
}

async function listRules(namespace: string): Promise<readonly string[]> {
  return canonicalRules(await runOk(inside(namespace, ["/usr/sbin/nft", "-j", "list", "ruleset"])));
}

const expectedByText = new Map<string, readonly string[]>();
const EXPECTED_RENDERINGS_MAX = 16;

/** What the kernel makes of our rendering: loaded into a namespace of its own for a moment, so that one form is compared with the same form. */
async function expectedRules(home: Home, numbers: readonly number[]): Promise<readonly string[]> {
  const text = [renderRouterRules(), ...numbers.map((number) => renderLinkRules(number, "add"))].join("\n");
  const known = expectedByText.get(text);
  if (known) return known;
  const name = `nx${home.homeId}-x${randomBytes(3).toString("hex")}`;
  await runOk(["/usr/sbin/ip", "netns", "add", name]);
  try {
    await loadFile(home, name, text);
    const rules = await listRules(name);
    if (expectedByText.size >= EXPECTED_RENDERINGS_MAX) expectedByText.clear();
    expectedByText.set(text, rules);
    return rules;
  } finally {
    await run(["/usr/sbin/ip", "netns", "delete", name]);
  }
}

/**
 * What the router has beyond our rules, and what it lacks of them; empty: it is exactly as rendered. With `about` only what
 * concerns that IMVU or all of them: another's link may be in the making at this moment.
 */
export async function routerDrift(home: Home, numbers: readonly number[], about?: number): Promise<readonly string[]> {
  const router = routerNamespaceNameOf(home);
  const [live, expected, legacy] = await Promise.all([listRules(router), expectedRules(home, about === undefined ? numbers : [about]), legacyTables(router)]);
  const concerns = (line: string) => {
    if (about === undefined) return true;
    const owner = /^(?:element|counter) /.test(line) ? [...line.matchAll(/"([^"]+)"/g)].map(([, name = ""]) => numberIn(name)).find((number) => number !== undefined) : undefined;
    return owner === undefined || owner === about || !numbers.includes(owner);
  };
  return [...difference(live.filter(concerns), expected), ...(legacy ? [`foreign: iptables tables ${legacy.replaceAll("\n", ", ")}`] : [])];
}

export async function innerDrift(home: Home, number: number): Promise<readonly string[]> {
  const name = namespaceNameOf(home, number);
  const [live, legacy] = await Promise.all([listRules(name), legacyTables(name)]);
  return [...live.map((line) => `foreign in ${name}: ${line}`), ...(legacy ? [`foreign in ${name}: iptables tables ${legacy}`] : [])];
}

export async function clearInnerRules(home: Home, number: number): Promise<void> {
  await run(inside(namespaceNameOf(home, number), ["/usr/sbin/nft", "flush", "ruleset"]));
}

export function difference(live: readonly string[], expected: readonly string[]): readonly string[] {
  const [have, want] = [new Set(live), new Set(expected)];
  return [...live.filter((line) => !want.has(line)).map((line) => `foreign: ${line}`), ...expected.filter((line) => !have.has(line)).map((line) => `missing: ${line}`)];
}
