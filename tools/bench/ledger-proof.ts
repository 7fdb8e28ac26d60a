import { randomInt } from "node:crypto";
import { memoryUsage } from "node:process";
import type { Client } from "pg";
import type { NewEntry } from "../../src/contract/index.ts";
import type { Ledger } from "../../src/core/ledger/index.ts";
import { BenchDatabase } from "./bench-database.ts";
import { type Figure, median, type Part, round } from "./report.ts";

/** `NEXUS_BENCH_ENTRIES=10000000 ./nexus bench ledger-proof` is the figure of the goal; by default a tenth of it, for filling takes minutes. */
const ENTRIES = Number(process.env.NEXUS_BENCH_ENTRIES ?? 1_000_000);
const REQUEST_ENTRIES = 1_000;
const REQUESTS_AT_ONCE = 8;
const PROOFS = 20_000;
const OPENINGS = 7;

export const ledgerProof: Part = {
  name: "ledger-proof",
  title: "Ledger: proofs and start-up",
  about: `A log of ${ENTRIES.toLocaleString("en")} entries (\`NEXUS_BENCH_ENTRIES\`), filled through the real ledger. ${PROOFS.toLocaleString("en")} inclusion proofs of entries drawn at random to the whole tree, one after the other, against fetching one random entry's leaf by its index, in turn; and openLedger, from nothing to a ledger that appends, against connecting and asking for the last index.`,
  async measure() {
    await using database = await BenchDatabase.start();
    const filling = await database.ledger();
    const seconds = await fill(filling);
    await filling.close();
    const raw = await database.owner();
    try {
      await raw.query("ANALYZE ledger_entry; ANALYZE ledger_node; CHECKPOINT").catch(() => {});
      return [...(await openings(database, seconds)), ...(await proofs(database, raw))];
    } finally {
      await raw.end();
    }
  },
};

async function fill(ledger: Ledger): Promise<number> {
  const began = performance.now();
  let next = 0;
  const filler = async () => {
    for (let from = next; from < ENTRIES; from = next) {
      next = Math.min(from + REQUEST_ENTRIES, ENTRIES);
      const entries = Array.from({ length: next - from }, (_, n): NewEntry => ({ stream: `IMVU-${(from / REQUEST_ENTRIES) % 64}`, type: "meter.reading", actor: "platform", data: { n: from + n } }));
      await ledger.append(entries);
    }
  };
  await Promise.all(Array.from({ length: REQUESTS_AT_ONCE }, filler));
  await ledger.receipt(ledger.size() - 1);
  return (performance.now() - began) / 1_000;
}

async function openings(database: BenchDatabase, filled_seconds: number): Promise<readonly Figure[]> {
  const [ours, raw]: [number[], number[]] = [[], []];
  for (let at = 0; at < OPENINGS; at += 1) {
    const began = performance.now();
    const ledger = await database.ledger();
    ours.push(performance.now() - began);
    if (ledger.size() !== ENTRIES) throw new TypeError(`${ledger.size()} entries`);
    await ledger.close();
    const asked = performance.now();
    const client = await database.owner();
    await client.query("SELECT max(index) FROM ledger_entry");
    raw.push(performance.now() - asked);
    await client.end();
  }
  const ms = median(ours);
  return [
    { name: "filling the log, requests of 1,000 entries", ours: round(ENTRIES / filled_seconds, 0), baseline: null, unit: "/s", ratio: null, goal: "", met: true },
    { name: "openLedger / connecting and asking for the last index", ours: round(ms, 1), baseline: round(median(raw), 1), unit: "ms", ratio: round(median(ours.map((value, at) => value / (raw[at] ?? 1)))), goal: "under 2000 ms", met: ms < 2_000 },
  ];
}

async function proofs(database: BenchDatabase, client: Client): Promise<readonly Figure[]> {
  const ledger = await database.ledger();
  try {
    const [ours, raw]: [number[], number[]] = [[], []];
    let settled = 0;
    for (let n = 0; n < PROOFS; n += 1) {
      if (n === PROOFS / 4) settled = rssBytes();
      const [mine, theirs] = [randomInt(ENTRIES), randomInt(ENTRIES)];
      const began = performance.now();
      await ledger.inclusionProof(mine, ENTRIES);
      const proved = performance.now();
      await client.query("SELECT leaf FROM ledger_entry WHERE index = $1", [theirs]);
      ours.push(proved - began);
      raw.push(performance.now() - proved);
    }
    const grown = rssBytes() - settled;
    const slow = [...ours].sort((a, b) => a - b)[Math.floor(PROOFS * 0.99)] ?? Number.NaN;
    const ms = median(ours);
    return [
      { name: "an inclusion proof, median / one leaf by its index", ours: round(ms, 3), baseline: round(median(raw), 3), unit: "ms", ratio: round(ms / median(raw)), goal: "under 1 ms", met: ms < 1 },
      { name: "the same, 99th percentile", ours: round(slow, 3), baseline: null, unit: "ms", ratio: null, goal: "", met: true },
      { name: "growth of memory over the last three quarters of them, RSS", ours: round(grown / 1024 ** 2, 1), baseline: null, unit: "MiB", ratio: null, goal: "flat: under 16 MiB", met: grown < 16 * 1024 ** 2 },
    ];
  } finally {
    await ledger.close();
  }
}

/** After a collection where the process allows one: what is held, not what waits to be collected. */
function rssBytes(): number {
  globalThis.gc?.();
  return memoryUsage.rss();
}
