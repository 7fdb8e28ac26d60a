import { CALLER_OF_CLASS, linkNameOf, type MeteredClass, routerAddressOf } from "./addresses.ts";

export const TABLE = "nexus";

/** The port of its own gateway at which an IMVU's private routes are served. */
export const PRIVATE_PORT = 80;
const CLASSES = Object.keys(CALLER_OF_CLASS) as MeteredClass[];
export const COUNTED_CLASSES: readonly (MeteredClass | undefined)[] = [undefined, ...CLASSES];

export const CHAINS: readonly string[] = ["sending", "before", "arriving", "passing", "leaving", "receiving"];
/** Sets and maps. */
export const SETS: readonly string[] = [...COUNTED_CLASSES.flatMap((kind) => [mapOf("sent", kind), mapOf("received", kind)]), "links", "doors"];

/**
 * The router's rules, written so that loading them again changes nothing and keeps every counter: chains are flushed
 * and refilled, the table never. Only what the gateway asked for comes in, and nothing ever passes from one link to another.
 */
export function renderRouterRules(): string {
  const t = `inet ${TABLE}`;
  return [
    `add table ${t}`,
    ...COUNTED_CLASSES.flatMap((kind) => (["sent", "received"] as const).map((way) => `add map ${t} ${mapOf(way, kind)} { type ifname : counter; }`)),
    `add set ${t} links { type ifname; }`,
    `add set ${t} doors { type ifname . ipv4_addr; }`,
    `add chain ${t} sending { type filter hook prerouting priority raw - 10; policy accept; }`,
    `add chain ${t} before { type filter hook prerouting priority raw; policy accept; }`,
    `add chain ${t} arriving { type filter hook input priority filter; policy drop; }`,
    `add chain ${t} passing { type filter hook forward priority filter; policy drop; }`,
    `add chain ${t} leaving { type filter hook output priority filter; policy drop; }`,
    `add chain ${t} receiving { type filter hook postrouting priority srcnat; policy accept; }`,
    ...CHAINS.map((chain) => `flush chain ${t} ${chain}`),
    // Counted before anything is dropped: what the link carried, to the byte, and each byte once. "accept" ends the counting, and nothing else.
    ...CLASSES.map((kind) => `add rule ${t} sending ip daddr ${CALLER_OF_CLASS[kind]} counter name iifname map @${mapOf("sent", kind)} accept`),
    `add rule ${t} sending iifname . ip daddr @doors tcp dport ${PRIVATE_PORT} counter name iifname map @${mapOf("sent", "private")} accept`,
    `add rule ${t} sending counter name iifname map @${mapOf("sent")}`,
    `add rule ${t} before iifname "lo" accept`,
    `add rule ${t} before iifname != @links drop`,
    // A source that would not be answered through the link it came by is forged.
    `add rule ${t} before fib saddr . iif oif missing drop`,
    `add rule ${t} arriving iifname "lo" accept`,
    `add rule ${t} arriving ct state established,related accept`,
    `add rule ${t} arriving iifname . ip daddr @doors tcp dport ${PRIVATE_PORT} ct state new accept`,
    // No resolver answers there yet: said at once, or every program that looks up a name would wait for its timeout.
    `add rule ${t} arriving iifname . ip daddr @doors udp dport 53 reject with icmp port-unreachable`,
    `add rule ${t} arriving iifname . ip daddr @doors tcp dport 53 reject with tcp reset`,
    // Nothing passes, to whomever; whoever tries is told so.
    `add rule ${t} passing iifname @links reject with icmpx admin-prohibited`,
    `add rule ${t} leaving oifname "lo" accept`,
    `add rule ${t} leaving oifname @links accept`,
    ...CLASSES.map((kind) => `add rule ${t} receiving ip saddr ${CALLER_OF_CLASS[kind]} counter name oifname map @${mapOf("received", kind)} accept`),
    `add rule ${t} receiving oifname . ip saddr @doors tcp sport ${PRIVATE_PORT} counter name oifname map @${mapOf("received", "private")} accept`,
    `add rule ${t} receiving counter name oifname map @${mapOf("received")}`,
    "",
  ].join("\n");
}

type Way = "sent" | "received";

function mapOf(way: Way, kind?: MeteredClass): string {
  return kind === undefined ? way : `${kind}_${way}`;
}

/** Of an IMVU's bytes each way: of its restricted or private routes, or of everything else. */
export function counterOf(way: Way, number: number, kind?: MeteredClass): string {
  return `${kind === undefined ? "" : `${kind}-`}${way}-${number}`;
}

/** Of a counter's name, or a link's: the IMVU's number. */
export function numberIn(name: string): number | undefined {
  const found = /^(?:v|(?:[a-z]+-)?(?:sent|received)-)([1-9]\d*)$/.exec(name)?.[1];
  return found === undefined ? undefined : Number(found);
}

/** What one IMVU adds to the table. `add` of what is there already is no error and keeps the counters' values. */
export function renderLinkRules(number: number, verb: "add" | "delete"): string {
  const t = `inet ${TABLE}`;
  const link = `"${linkNameOf(number)}"`;
  const counted = COUNTED_CLASSES.flatMap((kind) => (["sent", "received"] as const).map((way) => ({ map: mapOf(way, kind), counter: counterOf(way, number, kind) })));
  const counters = counted.map(({ counter }) => `${verb} counter ${t} ${counter}`);
  const elements = [
    ...counted.map(({ map, counter }) => `${verb} element ${t} ${map} { ${link} : "${counter}" }`),
    `${verb} element ${t} links { ${link} }`,
    `${verb} element ${t} doors { ${link} . ${routerAddressOf(number)} }`,
  ];
  return [...(verb === "add" ? [...counters, ...elements] : [...elements, ...counters]), ""].join("\n");
}
