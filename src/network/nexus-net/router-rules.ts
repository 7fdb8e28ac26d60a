import { linkNameOf, routerAddressOf } from "./addresses.ts";

export const TABLE = "nexus";

export const CHAINS: readonly string[] = ["before", "arriving", "passing", "leaving", "after"];
/** Sets and maps. */
export const SETS: readonly string[] = ["sent", "received", "links", "doors"];

/**
 * The router's rules, written so that loading them again changes nothing and keeps every counter: chains are flushed
 * and refilled, the table never. Only what the gateway asked for comes in, and nothing ever passes from one link to another.
 */
export function renderRouterRules(): string {
  const t = `inet ${TABLE}`;
  return [
    `add table ${t}`,
    `add map ${t} sent { type ifname : counter; }`,
    `add map ${t} received { type ifname : counter; }`,
    `add set ${t} links { type ifname; }`,
    `add set ${t} doors { type ifname . ipv4_addr; }`,
    `add chain ${t} before { type filter hook prerouting priority raw; policy accept; }`,
    `add chain ${t} arriving { type filter hook input priority filter; policy drop; }`,
    `add chain ${t} passing { type filter hook forward priority filter; policy drop; }`,
    `add chain ${t} leaving { type filter hook output priority filter; policy drop; }`,
    `add chain ${t} after { type filter hook postrouting priority srcnat; policy accept; }`,
    ...CHAINS.map((chain) => `flush chain ${t} ${chain}`),
    // Counted before anything is dropped: what the link carried, to the byte.
    `add rule ${t} before counter name iifname map @sent`,
    `add rule ${t} before iifname "lo" accept`,
    `add rule ${t} before iifname != @links drop`,
    // A source that would not be answered through the link it came by is forged.
    `add rule ${t} before fib saddr . iif oif missing drop`,
    `add rule ${t} arriving iifname "lo" accept`,
    `add rule ${t} arriving ct state established,related accept`,
    `add rule ${t} arriving iifname . ip daddr @doors tcp dport 80 ct state new accept`,
    // No resolver answers there yet: said at once, or every program that looks up a name would wait for its timeout.
    `add rule ${t} arriving iifname . ip daddr @doors udp dport 53 reject with icmp port-unreachable`,
    `add rule ${t} arriving iifname . ip daddr @doors tcp dport 53 reject with tcp reset`,
    // Nothing passes, to whomever; whoever tries is told so.
    `add rule ${t} passing iifname @links reject with icmpx admin-prohibited`,
    `add rule ${t} leaving oifname "lo" accept`,
    `add rule ${t} leaving oifname @links accept`,
    `add rule ${t} after counter name oifname map @received`,
    "",
  ].join("\n");
}

export function sentCounterOf(number: number): string {
  return `sent-${number}`;
}

export function receivedCounterOf(number: number): string {
  return `received-${number}`;
}

/** What one IMVU adds to the table. `add` of what is there already is no error and keeps the counters' values. */
export function renderLinkRules(number: number, verb: "add" | "delete"): string {
  const t = `inet ${TABLE}`;
  const link = `"${linkNameOf(number)}"`;
  const counters = [sentCounterOf(number), receivedCounterOf(number)].map((name) => `${verb} counter ${t} ${name}`);
  const elements = [
    `${verb} element ${t} sent { ${link} : "${sentCounterOf(number)}" }`,
    `${verb} element ${t} received { ${link} : "${receivedCounterOf(number)}" }`,
    `${verb} element ${t} links { ${link} }`,
    `${verb} element ${t} doors { ${link} . ${routerAddressOf(number)} }`,
  ];
  return [...(verb === "add" ? [...counters, ...elements] : [...elements, ...counters]), ""].join("\n");
}
