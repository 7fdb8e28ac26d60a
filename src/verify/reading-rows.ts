import { type MeterReading, RESOURCES, type Resource } from "../contract/index.ts";
import { type Period, toldIn } from "../core/handshake/index.ts";
import { Fault } from "../kernel/index.ts";

interface Row {
  readonly index: number;
  readonly at_ms: number;
  readonly value: string;
  readonly counts: boolean;
}

interface Series {
  readonly resource: Resource;
  readonly boot: string;
  readonly epoch: string;
  /** The last one at or before the month's beginning, all in it, and of a gauge the first one after it. */
  readonly rows: Row[];
  over: boolean;
  fallen: boolean;
}

/**
 * A month's readings as rows for a spreadsheet, each value that the log tells at the instant at which it counts: enough to make every quantity of the
 * month's statement again with subtraction and multiplication alone (docs/infra-core/handshake.md says how). Nothing in them is calculated.
 */
export class ReadingRows {
  private readonly period: Pick<Period, "start_ms" | "end_ms">;
  private readonly series = new Map<string, Series>();
  private latest_ms = Number.NEGATIVE_INFINITY;

  constructor(period: Pick<Period, "start_ms" | "end_ms">) {
    this.period = period;
  }

  /** In ledger order, from the unit's first. Throws Fault READING_MALFORMED for what is none. */
  add(index: number, reading: MeterReading): void {
    const told = toldIn(reading);
    if (!told.ok) throw new Fault("READING_MALFORMED", `entry ${index}: ${told.message}`, { hint: "nexus ledger fsck" });
    const earliest_ms = this.latest_ms;
    for (const { name, series: all } of told.value.lives) {
      const [, boot = "", epoch = ""] = /^boot (.*) epoch (.*)$/.exec(name) ?? [];
      for (const { resource, at_ms: times, values } of all) {
        const key = `${resource} ${name}`;
        const series = this.series.get(key) ?? { resource, boot, epoch, rows: [], over: false, fallen: false };
        this.series.set(key, series);
        for (const [nth, value] of values.entries()) this.take(series, index, Math.max(times[nth] as number, earliest_ms), value);
      }
    }
    this.latest_ms = Math.max(told.value.at_ms, this.latest_ms);
  }

  /** RFC 4180: the series one after the other, each in the order in which it was read. */
  csv(): string {
    const { start_ms, end_ms } = this.period;
    const head = ["series", "resource", "kind", "base unit", "boot", "epoch", "ledger entry", "counts at", `milliseconds after ${new Date(start_ms).toISOString()} (the month has ${end_ms - start_ms})`, "value", "counts"];
    const used = [...this.series.values()].filter(({ rows }) => rows.length > 0);
    const rows = used.flatMap(({ resource, boot, epoch, rows }, at) => rows.map(({ index, at_ms, value, counts }) => [String(at + 1), resource, RESOURCES[resource].kind, RESOURCES[resource].base, boot, epoch, String(index), new Date(at_ms).toISOString(), String(at_ms - start_ms), value, counts ? "yes" : "no"]));
    return [head, ...rows].map((row) => `${row.map(quoted).join(",")}\r\n`).join("");
  }

  private take(series: Series, index: number, at_ms: number, value: string): void {
    const { start_ms, end_ms } = this.period;
    const isCounter = RESOURCES[series.resource].kind === "counter";
    if (series.over) return;
    series.over = at_ms > end_ms;
    if (series.over && isCounter) return;
    // What was lost can only be guessed: such a series counts no more.
    series.fallen ||= isCounter && BigInt(value) < BigInt(series.rows.at(-1)?.value ?? 0);
    if (at_ms <= start_ms) series.rows.length = 0;
    series.rows.push({ index, at_ms, value, counts: !series.fallen });
  }
}

/** Names of boots and epochs come from engines; entries of the first form keep them to no alphabet. */
function quoted(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
