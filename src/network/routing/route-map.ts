import type { NetworkDesired, Route } from "../../contract/index.ts";
import { Fault, type ImvuId, isWithinZone } from "../../kernel/index.ts";
import { addressOf } from "../nexus-net/addresses.ts";

/** One line of the gateway's map: `host/prefix/` → where it goes and under which rule. */
export interface RouteEntry {
  readonly [key: string]: string;
  readonly key: string;
  readonly value: string;
}

const ROLE_RANKS = { owner: 3, maintainer: 2, billing: 1, viewer: 1 } as const;

/** Least to most: a role passes where a rank not above its own is asked. */
export function rankOf(role: Route["role"]): number {
  return role === null ? 0 : ROLE_RANKS[role];
}

export function renderRoles(): string {
  return `${Object.entries(ROLE_RANKS)
    .map(([role, rank]) => `${role} ${rank}`)
    .join("\n")}\n`;
}

const HOST = /^[a-z0-9_]([a-z0-9._-]{0,251}[a-z0-9])?$/;
/** What a normalised path prefix may consist of; anything else could end the map's line or be read as another path. */
const PATH = /^\/[A-Za-z0-9._~/-]*$/;

/** The key ends in a slash, as does what is looked up, so that `/app` covers `/app` and `/app/x` but never `/apple`. */
export function routeKey(host: string, path: string): string {
  if (!HOST.test(host)) throw new Fault("BAD_ROUTE", `route host ${JSON.stringify(host)} cannot be rendered`);
  const dotted = path.split("/").some((segment) => segment === "." || segment === "..");
  if (!PATH.test(path) || path.includes("//") || dotted) throw new Fault("BAD_ROUTE", `route path ${JSON.stringify(path)} is not a normalised prefix`);
  return `${host}${path.endsWith("/") ? path : `${path}/`}`;
}

/** Fields, by `|`: class, address, port, rank, requests per minute (0: unlimited), IMVU, the key itself (what requests are counted by). */
export function routeValue(imvu: ImvuId, number: number, route: Route): string {
  if (!Number.isInteger(route.port) || route.port < 1 || route.port > 65_535) throw new Fault("BAD_ROUTE", `route port ${route.port}`);
  const address = addressOf(number);
  const rank = route.class === "restricted" ? Math.max(1, rankOf(route.role)) : 0;
  return [route.class, address, route.port, rank, route.ratePerMinute ?? 0, imvu, routeKey(route.host, route.path)].join("|");
}

export function imvuOfValue(value: string): string | undefined {
  return value.split("|")[5];
}

/** The map's lines of one IMVU, sorted by key. */
export function routeEntries(desired: NetworkDesired): readonly RouteEntry[] {
  const entries = desired.routes.map((route) => {
    if (!isWithinZone(route.host, desired.zone)) throw new Fault("BAD_ROUTE", `${route.host} is outside the zone ${desired.zone}`);
    return { key: routeKey(route.host, route.path), value: routeValue(desired.imvu, desired.number, route) };
  });
  entries.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  entries.forEach((entry, index) => {
    if (entry.key === entries[index - 1]?.key) throw new Fault("BAD_ROUTE", `${entry.key} is routed twice`);
  });
  return entries;
}

export function renderMap(entries: readonly RouteEntry[]): string {
  return entries.map(({ key, value }) => `${key} ${value}\n`).join("");
}

export function parseMap(text: string): readonly RouteEntry[] {
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const space = line.indexOf(" ");
      return { key: line.slice(0, space), value: line.slice(space + 1) };
    });
}

/** Equal as sets of lines; a key that stands twice is never equal. */
export function sameEntries(a: readonly RouteEntry[], b: readonly RouteEntry[]): boolean {
  return a.length === b.length && renderSorted(a) === renderSorted(b);
}

function renderSorted(entries: readonly RouteEntry[]): string {
  return entries
    .map(({ key, value }) => `${key} ${value}`)
    .sort()
    .join("\n");
}
