import { namespaceNameOf, routerNamespaceNameOf, type Site } from "../../contract/index.ts";
import { run, runOk } from "../../kernel/index.ts";
import { INNER_LINK, linkNameOf } from "./addresses.ts";

const CLASS = "1:1";
const BITS_PER_BYTE = 8;
/** A bucket of 2 ms at the rate, and never under a few full frames: smaller ones cannot reach the rate. */
const BURST_MS = 2;
const BURST_BYTES_MIN = 65_536;
/** Bytes a class sends in its turn; the automatic value warns and is far too large at 1 Gbit/s. */
const QUANTUM_BYTES = 3_000;

export interface Rates {
  readonly [key: string]: number | null;
  /** Bits per second towards the IMVU; null: no limit stands. */
  readonly inwards: number | null;
  readonly outwards: number | null;
}

export function bandwidthArgv(namespace: string, link: string, bandwidthBps: number): readonly (readonly [string, ...string[]])[] {
  const burst = String(Math.max(BURST_BYTES_MIN, Math.ceil((bandwidthBps / BITS_PER_BYTE / 1_000) * BURST_MS)));
  const rate = `${bandwidthBps}bit`;
  const tc = ["/usr/sbin/tc", "-n", namespace] as const;
  return [
    [...tc, "qdisc", "add", "dev", link, "root", "handle", "1:", "htb", "default", "1"],
    [...tc, "class", "replace", "dev", link, "parent", "1:", "classid", CLASS, "htb", "rate", rate, "ceil", rate, "burst", burst, "cburst", burst, "quantum", String(QUANTUM_BYTES)],
  ];
}

function ends(home: Pick<Site, "homeId">, number: number): readonly (readonly [namespace: string, link: string])[] {
  return [
    [routerNamespaceNameOf(home), linkNameOf(number)],
    [namespaceNameOf(home, number), INNER_LINK],
  ];
}

interface Qdisc {
  readonly kind: string;
  readonly handle: string;
  readonly root?: boolean;
  readonly options?: { readonly default?: string };
}

async function shaped(namespace: string, link: string): Promise<boolean> {
  const ran = await run(["/usr/sbin/tc", "-j", "-n", namespace, "qdisc", "show", "dev", link]);
  if (ran.code !== 0) return false;
  const qdiscs = JSON.parse(ran.stdout.toString("utf8") || "[]") as readonly Qdisc[];
  return qdiscs.length === 1 && qdiscs[0]?.kind === "htb" && qdiscs[0].handle === "1:" && /^(0x)?1$/.test(String(qdiscs[0].options?.default));
}

/** HTB on both ends: what leaves the router is what the IMVU receives, what leaves its own end is what it sends. */
export async function applyBandwidth(home: Pick<Site, "homeId">, number: number, bandwidthBps: number): Promise<void> {
  for (const [namespace, link] of ends(home, number)) {
    const [qdisc, htbClass] = bandwidthArgv(namespace, link, bandwidthBps) as readonly [readonly [string, ...string[]], readonly [string, ...string[]]];
    if (!(await shaped(namespace, link))) {
      await run(["/usr/sbin/tc", "-n", namespace, "qdisc", "delete", "dev", link, "root"]);
      await runOk(qdisc);
    }
    await runOk(htbClass);
  }
}

export async function readBandwidth(home: Pick<Site, "homeId">, number: number): Promise<Rates> {
  const [inwards, outwards] = await Promise.all(ends(home, number).map(([namespace, link]) => readRate(namespace, link)));
  return { inwards: inwards ?? null, outwards: outwards ?? null };
}

async function readRate(namespace: string, link: string): Promise<number | null> {
  if (!(await shaped(namespace, link))) return null;
  const ran = await run(["/usr/sbin/tc", "-n", namespace, "class", "show", "dev", link]);
  return ran.code === 0 ? parseRate(ran.stdout.toString("utf8")) : null;
}

const SCALE: Readonly<Record<string, number>> = { "": 1, K: 1e3, M: 1e6, G: 1e9, T: 1e12 };

/** tc prints at least four digits and cuts the rest off; the lower of rate and ceiling is what holds. */
export function parseRate(text: string): number | null {
  const found = /class htb 1:1 root .*?rate (\d+)([KMGT]?)bit ceil (\d+)([KMGT]?)bit/.exec(text);
  if (!found) return null;
  const [, rate, rateScale, ceil, ceilScale] = found;
  return Math.min(Number(rate) * (SCALE[rateScale ?? ""] ?? 1), Number(ceil) * (SCALE[ceilScale ?? ""] ?? 1));
}

/** True when what tc printed is `bandwidthBps` with its last digits cut off. */
export function rateHolds(read: number | null, bandwidthBps: number): boolean {
  return read !== null && read <= bandwidthBps && read > bandwidthBps - bandwidthBps / 1_000 - BITS_PER_BYTE;
}
