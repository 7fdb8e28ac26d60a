import { join } from "node:path";
import { type Evidence, type GateNumber, type NetworkDesired, namespaceNameOf, type Site } from "../contract/index.ts";
import { type ImvuId, imvuIdOf, imvuNumberOf, runOk } from "../kernel/index.ts";
import type { Gateway } from "./gateways/gateway.ts";
import { addressOf, routerAddressOf } from "./nexus-net/addresses.ts";
import { readBandwidth, rateHolds } from "./nexus-net/bandwidth.ts";
import { inside, namespaceInode, namespaceNumbers } from "./nexus-net/namespaces.ts";
import { innerDrift, routerDrift } from "./nexus-net/rules.ts";
import { imvuOfValue, type RouteEntry, routeEntries } from "./routing/route-map.ts";

export const NETWORK_PROBES = [2, 7, 8, 11, 14, 15] as const satisfies readonly GateNumber[];

export interface ProbeDeps {
  readonly site: Site;
  readonly gateway: Gateway;
  readonly desiredOf?: (imvu: ImvuId) => NetworkDesired | undefined;
}

const NEIGHBOURS_TRIED_MAX = 8;
/** A port each neighbour certainly has something behind, or nothing: both answers would prove that packets pass. */
const PORTS_TRIED = [80, 443, 8080];
const SHOWN_MAX = 5;

const holds = (detail: string): Evidence => ({ verdict: "holds", detail });
const broken = (detail: string): Evidence => ({ verdict: "broken", detail });
const unproven = (detail: string): Evidence => ({ verdict: "unproven", detail });

function shown(lines: readonly string[]): string {
  return lines.slice(0, SHOWN_MAX).join("; ") + (lines.length > SHOWN_MAX ? `; and ${lines.length - SHOWN_MAX} more` : "");
}

export async function probeNetwork(deps: ProbeDeps, gate: GateNumber, imvu: ImvuId | undefined): Promise<Evidence> {
  const all = await namespaceNumbers(deps.site);
  const asked = imvu ? [imvuNumberOf(imvu)] : all;
  if (gate === 2) return await probeIsolation(deps, asked, all);
  if (gate === 7 || gate === 15) return await probeRates(deps, asked);
  if (gate === 8) return await probePaths(deps, asked, all, imvu === undefined);
  if (gate === 14) return await probeRedirection(deps, asked, imvu === undefined);
  if (gate === 11) return await probeOrphans(deps, asked, all, imvu === undefined);
  return unproven(`the network cannot tell about gate ${gate}`);
}

/** Real connections from inside each IMVU: to its neighbours, and to its neighbours' ends of the router. */
async function probeIsolation(deps: ProbeDeps, asked: readonly number[], all: readonly number[]): Promise<Evidence> {
  const { site } = deps;
  let tried = 0;
  let alone = 0;
  for (const number of asked) {
    const name = namespaceNameOf(site, number);
    if ((await namespaceInode(name)) === undefined) return broken(`${imvuIdOf(number)} has no network namespace of its own`);
    const others = neighboursOf(number, all);
    if (others.length === 0) alone += 1;
    const ports = (other: number) => [...new Set([...PORTS_TRIED, ...(deps.desiredOf?.(imvuIdOf(other))?.routes.map(({ port }) => port) ?? [])])];
    const targets = others.flatMap((other) => [...ports(other).map((port) => `${addressOf(other)}:${port}`), `${routerAddressOf(other)}:80`]);
    // Its own gateway answers, or else the silence of the others would prove nothing.
    const control = `${routerAddressOf(number)}:80`;
    const answers = JSON.parse(
      await runOk(inside(name, [process.execPath, "--no-warnings", join(import.meta.dirname, "nexus-net", "reach.ts"), control, ...targets])),
    ) as Readonly<Record<string, string>>;
    const reached = targets.filter((target) => answers[target] === "connected" || answers[target] === "ECONNREFUSED" || answers[target] === "ECONNRESET");
    if (reached.length > 0) return broken(`from inside ${imvuIdOf(number)} these answered: ${shown(reached)}`);
    if (answers[control] !== "connected") return unproven(`from inside ${imvuIdOf(number)} not even its own gateway ${control} answers (${answers[control]})`);
    tried += targets.length;
  }
  if (tried === 0) return unproven(alone > 0 ? "there is no second IMVU to be isolated from" : "there is no IMVU");
  return holds(`${tried} connections from inside ${asked.length} IMVU(s) to others' addresses and router ends: none answered`);
}

/** The next ones by number, in a circle. */
function neighboursOf(number: number, all: readonly number[]): readonly number[] {
  return [...all.filter((other) => other > number), ...all.filter((other) => other < number)].slice(0, NEIGHBOURS_TRIED_MAX);
}

async function probePaths(deps: ProbeDeps, asked: readonly number[], all: readonly number[], whole: boolean): Promise<Evidence> {
  const first = asked[0];
  if (!whole && (first === undefined || !all.includes(first))) return broken(`${first === undefined ? "it" : imvuIdOf(first)} has no network`);
  const drift = [...(await routerDrift(deps.site, all, whole ? undefined : first)), ...(await Promise.all(asked.map((number) => innerDrift(deps.site, number)))).flat()];
  if (drift.length > 0) return broken(`the kernel's rules are not as rendered: ${shown(drift)}`);
  const routes = await probeRedirection(deps, asked, whole);
  if (routes.verdict !== "holds") return routes;
  return holds(`the kernel's rules in the router and ${asked.length} namespace(s) equal the rendered ones; ${routes.detail}`);
}

function compare(live: readonly RouteEntry[], wanted: readonly RouteEntry[], where: string): readonly string[] {
  const line = ({ key, value }: RouteEntry) => `${key} ${value}`;
  const [have, want] = [live.map(line), wanted.map(line)];
  const twice = have.filter((entry, index) => have.indexOf(entry) !== index);
  return [
    ...have.filter((entry) => !want.includes(entry)).map((entry) => `${where} has ${entry}`),
    ...want.filter((entry) => !have.includes(entry)).map((entry) => `${where} lacks ${entry}`),
    ...twice.map((entry) => `${where} has twice ${entry}`),
  ];
}

async function probeRedirection(deps: ProbeDeps, asked: readonly number[], whole: boolean): Promise<Evidence> {
  const live = await deps.gateway.liveRoutes();
  if (!live) return unproven("the gateway does not run");
  if (!deps.desiredOf) return unproven("what the owners signed is not known here");
  const stored = await deps.gateway.storedRoutes();
  const ids = asked.map(imvuIdOf);
  const wanted = ids.flatMap((id) => {
    const desired = deps.desiredOf?.(id);
    return desired ? routeEntries(desired) : [];
  });
  const keys = new Set(wanted.map(({ key }) => key));
  // A foreign line on one of its keys is about it too, whatever IMVU the line names.
  const about = (entry: RouteEntry) => whole || ids.some((id) => id === imvuOfValue(entry.value)) || keys.has(entry.key);
  const wrong = [...compare(live.filter(about), wanted, "the gateway"), ...compare(stored.filter(about), wanted, "the route file")];
  return wrong.length > 0 ? broken(shown(wrong)) : holds(`${wanted.length} live route(s) equal the signed ones`);
}

/** Every namespace was ordered, and all that is around it is as the order renders it. */
async function probeOrphans(deps: ProbeDeps, asked: readonly number[], all: readonly number[], whole: boolean): Promise<Evidence> {
  if (!deps.desiredOf) return unproven("what was ordered is not known here");
  const orphans = asked.filter((number) => all.includes(number) && !deps.desiredOf?.(imvuIdOf(number)));
  if (orphans.length > 0) return broken(`${orphans.map(imvuIdOf).join(", ")}: a network that nobody ordered`);
  return await probePaths(deps, asked, all, whole);
}

/** Neither less than agreed (gate 15) nor more (gate 7). */
async function probeRates(deps: ProbeDeps, asked: readonly number[]): Promise<Evidence> {
  if (!deps.desiredOf) return unproven("what the owners agreed to is not known here");
  let read = 0;
  for (const number of asked) {
    const desired = deps.desiredOf(imvuIdOf(number));
    if (!desired) continue;
    const rates = await readBandwidth(deps.site, number);
    for (const [way, rate] of Object.entries(rates))
      if (!rateHolds(rate, desired.bandwidthBps)) return broken(`${imvuIdOf(number)} ${way}: the kernel says ${rate ?? "no limit"} bit/s, agreed are ${desired.bandwidthBps}`);
    read += 1;
  }
  return read === 0 ? unproven("there is no IMVU") : holds(`rates both ways of ${read} IMVU(s), read back from the kernel, are the agreed ones`);
}
