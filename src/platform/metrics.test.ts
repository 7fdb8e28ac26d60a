import assert from "node:assert/strict";
import { test } from "node:test";
import { Metrics, type MetricsSources } from "./metrics.ts";

const verdicts = (...denied: number[]) => Array.from({ length: 17 }, (_, at) => ({ gate: at + 1, verdict: denied.includes(at + 1) ? ("deny" as const) : ("pass" as const) }));

function read(metrics: Metrics, witnesses: { list: readonly { name: string; behind: number }[]; present: number }) {
  const seen: { published?: () => void } = {};
  metrics.read({
    ledger: { size: () => 12, publishedSize: () => 10, queued: () => 2, watch: (fn: () => void) => { seen.published = fn; return () => {}; } },
    engines: { views: () => [{ name: "postgres", state: "running" }, { name: "knot", state: "failed" }] },
    witnesses: { witnessing: () => witnesses },
  } as unknown as MetricsSources);
  return seen;
}

async function lines(metrics: Metrics): Promise<readonly string[]> {
  const { type, text } = await metrics.page();
  assert.match(type, /^text\/plain/);
  return text.split("\n").filter((line) => line.startsWith("nexus_"));
}

test("the platform's figures, in Prometheus' own form", async () => {
  let now = 1_000_000;
  const metrics = new Metrics({ now: () => now });
  const seen = read(metrics, { list: [{ name: "w.example/1", behind: 3 }], present: 1 });
  now += 5_000;
  seen.published?.();
  now += 2_500;
  metrics.onCommit(20, 8);
  metrics.onCommit(1, 3_000);
  metrics.onJudged(verdicts());
  metrics.onJudged(verdicts(1, 16));
  const page = await lines(metrics);
  for (const line of [
    "nexus_ledger_entries 12", "nexus_ledger_published_entries 10", "nexus_ledger_queue_entries 2", "nexus_ledger_checkpoint_age_seconds 2.5",
    'nexus_ledger_commit_seconds_bucket{le="0.01"} 1', 'nexus_ledger_commit_seconds_bucket{le="+Inf"} 2', "nexus_ledger_commit_seconds_count 2", "nexus_ledger_batch_entries_sum 21",
    'nexus_commands_total{outcome="accepted"} 1', 'nexus_commands_total{outcome="refused"} 1', 'nexus_gate_denials_total{gate="1"} 1', 'nexus_gate_denials_total{gate="16"} 1',
    'nexus_engine_up{engine="postgres"} 1', 'nexus_engine_up{engine="knot"} 0', "nexus_witnesses_present 1", 'nexus_witness_behind_entries{witness="w.example/1"} 3',
  ]) assert.ok(page.includes(line), `${line} is not in\n${page.join("\n")}`);
});

test("a platform without witnesses has no figures of them, and every name is explained", async () => {
  const metrics = new Metrics({ now: () => 0 });
  read(metrics, { list: [], present: 0 });
  const { text } = await metrics.page();
  assert.doesNotMatch(text, /nexus_witness/);
  for (const [, name] of text.matchAll(/^# TYPE (\S+)/gm)) assert.match(text, new RegExp(`^# HELP ${name} \\S`, "m"));
});
