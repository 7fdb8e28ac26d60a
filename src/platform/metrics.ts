import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Verdict } from "../contract/index.ts";
import type { Ledger } from "../core/ledger/index.ts";
import type { Clock } from "../kernel/index.ts";
import type { Collector } from "../witness/index.ts";
import type { RunningEngines } from "./supervision/index.ts";

export interface MetricsSources {
  readonly ledger: Pick<Ledger, "size" | "publishedSize" | "queued" | "watch">;
  readonly engines: Pick<RunningEngines, "views">;
  readonly witnesses: Pick<Collector, "witnessing">;
}

/**
 * Figures of the platform as a whole, as Prometheus reads them. No label names an IMVU, an identity or a command: whoever may look at the
 * machine's figures learns nothing of those who live on it (gate 16).
 */
export class Metrics {
  private readonly registry = new Registry();
  private readonly clock: Clock;
  private readonly commits: Histogram;
  private readonly batches: Histogram;
  private readonly commands: Counter;
  private readonly denials: Counter;
  private published_ms: number;

  constructor(clock: Clock) {
    const registers = [this.registry];
    this.clock = clock;
    this.published_ms = clock.now();
    collectDefaultMetrics({ register: this.registry });
    this.commits = new Histogram({ name: "nexus_ledger_commit_seconds", help: "From a batch's first statement to its COMMIT", buckets: [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2], registers });
    this.batches = new Histogram({ name: "nexus_ledger_batch_entries", help: "Entries that were committed together", buckets: [1, 4, 16, 64, 256, 1_024, 4_096], registers });
    this.commands = new Counter({ name: "nexus_commands_total", help: "Commands that were judged and written down since the start", labelNames: ["outcome"], registers });
    this.denials = new Counter({ name: "nexus_gate_denials_total", help: "Denials since the start, by gate; one command may be denied by several", labelNames: ["gate"], registers });
  }

  readonly onCommit = (entries: number, taken_ms: number): void => {
    this.commits.observe(taken_ms / 1_000);
    this.batches.observe(entries);
  };

  readonly onJudged = (verdicts: readonly Verdict[]): void => {
    const denied = verdicts.filter(({ verdict }) => verdict === "deny");
    this.commands.inc({ outcome: denied.length === 0 ? "accepted" : "refused" });
    for (const { gate } of denied) this.denials.inc({ gate: String(gate) });
  };

  /** What is asked when somebody looks. */
  read({ ledger, engines, witnesses }: MetricsSources): void {
    const registers = [this.registry];
    const clock = this.clock;
    const gauge = (name: string, help: string, value: () => number) =>
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(value());
        },
      });
    ledger.watch(() => {
      this.published_ms = clock.now();
    });
    gauge("nexus_ledger_entries", "Committed entries", () => ledger.size());
    gauge("nexus_ledger_published_entries", "Entries of the newest checkpoint", () => ledger.publishedSize());
    gauge("nexus_ledger_queue_entries", "Entries that wait to be committed", () => ledger.queued());
    gauge("nexus_ledger_checkpoint_age_seconds", "Since the newest checkpoint was published; a log without news grows old too", () => Math.max(0, clock.now() - this.published_ms) / 1_000);
    new Gauge({
      name: "nexus_engine_up",
      help: "1 while the engine runs",
      labelNames: ["engine"],
      registers,
      collect() {
        for (const { name, state } of engines.views()) this.set({ engine: name }, state === "running" ? 1 : 0);
      },
    });
    const { list } = witnesses.witnessing();
    if (list.length === 0) return;
    gauge("nexus_witnesses_present", "Witnesses whose cosignatures the newest checkpoint carries", () => witnesses.witnessing().present);
    new Gauge({
      name: "nexus_witness_behind_entries",
      help: "Entries that a witness has not cosigned yet",
      labelNames: ["witness"],
      registers,
      collect() {
        for (const { name, behind } of witnesses.witnessing().list) this.set({ witness: name }, behind);
      },
    });
  }

  async page(): Promise<{ readonly type: string; readonly text: string }> {
    return { type: this.registry.contentType, text: await this.registry.metrics() };
  }
}
