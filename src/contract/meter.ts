import type { ImvuId } from "../kernel/index.ts";

/**
 * The vocabulary of everything billable. A counter only grows within one (boot, epoch); a gauge is a level that
 * rating integrates over time (left rule: each level holds until the next reading of the same series). Bytes are those of the unit's link, each in one
 * resource: what private and restricted routes move, and in `network.in` and `network.out` everything else. `like`: tariffs from before it was told apart do not
 * name it, and price it as that one.
 */
export const RESOURCES = {
  "compute.cpu": { kind: "counter", base: "ns", unit: "CPU-second", decimals: 9, title: "CPU time" },
  "compute.memory": { kind: "gauge", base: "byte", unit: "GB-second", decimals: 12, title: "memory" },
  "compute.storage": { kind: "gauge", base: "byte", unit: "GB-second", decimals: 12, title: "storage" },
  "compute.io.read.operations": { kind: "counter", base: "operation", unit: "operation", decimals: 0, title: "read operations" },
  "compute.io.write.operations": { kind: "counter", base: "operation", unit: "operation", decimals: 0, title: "write operations" },
  "compute.io.read.bytes": { kind: "counter", base: "byte", unit: "GB", decimals: 9, title: "bytes read" },
  "compute.io.write.bytes": { kind: "counter", base: "byte", unit: "GB", decimals: 9, title: "bytes written" },
  "dns.answers": { kind: "counter", base: "answer", unit: "answer", decimals: 0, title: "DNS answers" },
  "mail.sent": { kind: "counter", base: "message", unit: "message", decimals: 0, title: "messages sent" },
  "mail.received": { kind: "counter", base: "message", unit: "message", decimals: 0, title: "messages received" },
  "mail.storage": { kind: "gauge", base: "byte", unit: "GB-second", decimals: 12, title: "mail storage" },
  "network.in": { kind: "counter", base: "byte", unit: "GB", decimals: 9, title: "bytes in" },
  "network.out": { kind: "counter", base: "byte", unit: "GB", decimals: 9, title: "bytes out" },
  "network.restricted.in": { kind: "counter", base: "byte", unit: "GB", decimals: 9, title: "bytes in, restricted routes", like: "network.in" },
  "network.restricted.out": { kind: "counter", base: "byte", unit: "GB", decimals: 9, title: "bytes out, restricted routes", like: "network.out" },
  "network.private.in": { kind: "counter", base: "byte", unit: "GB", decimals: 9, title: "bytes in, private routes", like: "network.in" },
  "network.private.out": { kind: "counter", base: "byte", unit: "GB", decimals: 9, title: "bytes out, private routes", like: "network.out" },
} as const satisfies Record<string, { kind: "counter" | "gauge"; base: string; unit: string; decimals: number; title: string; like?: string }>;

export type Resource = keyof typeof RESOURCES;
/** Those that are told apart from another one since tariffs were first published. */
export type LaterResource = { [R in Resource]: (typeof RESOURCES)[R] extends { like: Resource } ? R : never }[Resource];
export type FirstResource = Exclude<Resource, LaterResource>;

/** Undefined: it was in the vocabulary from the first. */
export function likeOf(resource: Resource): FirstResource | undefined {
  const known = RESOURCES[resource];
  return "like" in known ? known.like : undefined;
}

export const FIRST_RESOURCES: readonly FirstResource[] = (Object.keys(RESOURCES) as Resource[]).filter((resource): resource is FirstResource => likeOf(resource) === undefined);

/** One absolute value, read from an engine and never computed from an earlier one. */
export interface Reading {
  readonly resource: Resource;
  /** Decimal digits of a non-negative integer in the resource's base unit. */
  readonly value: string;
  /** Kernel boot id the counter lives in. */
  readonly boot: string;
  /** Changes whenever the engine's counter starts from zero again (cgroup inode, namespace inode, engine start). */
  readonly epoch: string;
}

/** Data of a `meter.reading` entry: all of one IMVU's series at one instant. */
export interface ReadingSet {
  readonly imvu: ImvuId;
  /** RFC 3339 instant at which the engines were read. */
  readonly at: string;
  readonly readings: readonly Reading[];
}

/**
 * Data of a `meter.reading` entry of the second form, an interval summary: sets of up to half an hour in one entry. Nothing in it is calculated: what is
 * told is what the engines said, and what is left out changes no month. All series are there at `at`.
 */
export interface ReadingSummary {
  readonly v: 2;
  readonly imvu: ImvuId;
  /** When the engines were first read for it. */
  readonly from: string;
  /** And last: the instant of each series' last word. */
  readonly at: string;
  /** Milliseconds after `from` of the instants at which gauges are told, and counters, before `at`. */
  readonly levels: readonly number[];
  readonly counters: readonly number[];
  readonly lives: readonly ReadingLife[];
}

/** The series of one (boot, epoch). */
export interface ReadingLife {
  readonly boot: string;
  readonly epoch: string;
  /** One word, the value at `at`; or, with a space between, one for each instant at which its kind is told and then that one. */
  readonly values: Readonly<Partial<Record<Resource, string>>>;
}

/** Both forms of a `meter.reading` entry's data. */
export type MeterReading = ReadingSet | ReadingSummary;
