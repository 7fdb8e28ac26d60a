import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import test from "node:test";
import { fileURLToPath } from "node:url";
import type { Ledger, } from "../../src/core/ledger/index.ts";
import type { Store } from "../../src/core/store/index.ts";
import { type ImvuId, sleep } from "../../src/kernel/index.ts";
import { Closing } from "../../src/platform/closing.ts";
import { trialBalance } from "../../src/platform/journal.ts";
import { Meters } from "../../src/platform/meters.ts";
import { Openings } from "../../src/platform/openings.ts";
import { RatingPool } from "../../src/platform/rating-pool.ts";
import { revenueCheck } from "../../src/platform/revenue-check.ts";
import { FaultyStore } from "../harness/faulty-store.ts";
import { LedgerHouse } from "../harness/ledger-house.ts";
import { AFTER_NOVEMBER, counting, notAsTold, publishTariff, turnedClock, Units } from "../harness/metered-units.ts";

/** A month's closing is a reading, a rating and a transaction: it dies at each of them, and two processes try it at once. */
const house = await LedgerHouse.start();
const { site, store } = house;
const units = new Units(store);
const newUnit = () => units.add();
test.after(() => house[Symbol.asyncDispose]());
const PROCESS = new URL("../harness/closing-process.ts", import.meta.url);
const INSTANTS = ["before BEGIN", "after INSERT", "before COMMIT", "COMMIT sent, not persisted", "COMMIT sent, persisted anyway"] as const;

test.before(async () => {
  const { ledger } = await world(store);
  await publishTariff(ledger);
  await ledger.close();
});

async function world(on: Store) {
  const clock = turnedClock();
  const ledger = await house.open("closing.example/nexus", on, clock);
  const meters = new Meters([counting(() => "1000000000")], ledger, clock);
  const said: string[] = [];
  const openings = new Openings(site.dir);
  return { clock, ledger, meters, said, closing: () => new Closing({ store: on, ledger, meters, openings, clock, raters: () => new RatingPool({ site }, openings), say: (line) => void said.push(line) }) };
}

async function typesOf(ledger: Ledger, imvu: ImvuId): Promise<string[]> {
  const types: string[] = [];
  for await (const { type } of ledger.entries({ stream: imvu })) types.push(type);
  return types;
}

/** Closed once, whole, and equal for whoever makes it again. */
async function closedOnce(ledger: Ledger, unit: ImvuId): Promise<void> {
  const types = await typesOf(ledger, unit);
  assert.deepEqual(types.filter((type) => type !== "meter.reading"), ["statement.closed"], types.join());
  const rows = await store.snapshot((tx) => tx.query<{ statements: number; booked: number }>("SELECT (SELECT count(*) FROM statement WHERE imvu = $1) AS statements, (SELECT count(DISTINCT entry_index) FROM journal WHERE imvu = $1) AS booked", [unit]));
  assert.deepEqual(rows, [{ statements: 1, booked: 1 }]);
  assert.deepEqual(await notAsTold(store, ledger, ["reading", "statement", "journal"]), []);
  assert.deepEqual((await revenueCheck(ledger, [{ id: unit }])).failures, []);
  assert.equal((await store.snapshot(trialBalance)).unbalanced, 0);
}

/** What a closing writes: the reading after the month's end, the checkpoint over it, the statement. A death with the statement's own checkpoint comes last. */
for (const [after, step] of ["first", "second", "third", "fourth"].entries())
  for (const instant of INSTANTS)
    test(`a platform that dies in the ${step} transaction of its closing, ${instant}, leaves nothing half, and the next one closes the month, once`, async () => {
      const faulty = new FaultyStore(store);
      const before = await world(faulty);
      const unit = await newUnit();
      await before.meters.record(unit);
      await before.ledger.receipt(before.ledger.size() - 1);
      before.clock.at = AFTER_NOVEMBER;
      faulty.strike({ after, instant, dies: true });
      before.closing().round().catch(() => {});
      for (const until = Date.now() + 15_000; !faulty.struck; await sleep(5)) assert.ok(Date.now() < until, "the death");
      const { clock, ledger, closing, said } = await world(store);
      try {
        clock.at = AFTER_NOVEMBER + 60_000;
        const had = (await typesOf(ledger, unit)).includes("statement.closed");
        assert.equal(await closing().round(), had ? 0 : 1, said.join());
        await closedOnce(ledger, unit);
      } finally {
        await ledger.close();
      }
    });

interface Closer {
  readonly child: ChildProcess;
  readonly lines: string[];
  readonly ended: Promise<unknown>;
}
function closer(now_ms: number): Closer {
  const child = spawn(process.execPath, [fileURLToPath(PROCESS), JSON.stringify(site), String(now_ms)], { stdio: ["ignore", "pipe", "inherit"] });
  const lines: string[] = [];
  child.stdout.on("data", (chunk: Buffer) => lines.push(...chunk.toString().trimEnd().split("\n")));
  return { child, lines, ended: once(child, "close") };
}
const closedBy = ({ lines }: Closer) => lines.flatMap((line) => /^closed (\d+)$/.exec(line)?.[1] ?? []).map(BigInt);

test("two processes that close at the same time: one writes at a time, and the month is closed once", async () => {
  const { ledger, meters } = await world(store);
  const unit = await newUnit();
  await meters.record(unit);
  await ledger.close();
  const two = [closer(AFTER_NOVEMBER), closer(AFTER_NOVEMBER)];
  await Promise.all(two.map(({ ended }) => ended));
  assert.deepEqual(two.flatMap(closedBy).sort(), [0n, 1n], JSON.stringify(two.map(({ lines }) => lines)));
  const after = await world(store);
  try {
    await closedOnce(after.ledger, unit);
  } finally {
    await after.ledger.close();
  }
});

test("a process that would close while another platform has the log open is refused, and writes nothing", async () => {
  const { clock, ledger, meters, closing } = await world(store);
  try {
    const unit = await newUnit();
    await meters.record(unit);
    const size = ledger.size();
    const other = closer(AFTER_NOVEMBER);
    await other.ended;
    assert.match(other.lines.at(-1) ?? "", /^refused LEDGER_IN_USE /);
    assert.equal(ledger.size(), size);
    clock.at = AFTER_NOVEMBER;
    assert.equal(await closing().round(), 1);
    await closedOnce(ledger, unit);
  } finally {
    await ledger.close();
  }
});

test("a process that is killed at any moment of its closing leaves the month whole: closed, or to be closed", async () => {
  let [early, late] = [0, 0];
  for (let wait_ms = 0; wait_ms <= 600; wait_ms += 60) {
    const { ledger, meters } = await world(store);
    const unit = await newUnit();
    await meters.record(unit);
    await ledger.close();
    const doomed = closer(AFTER_NOVEMBER);
    for (const until = Date.now() + 30_000; !doomed.lines.includes("closing"); await sleep(1)) assert.ok(Date.now() < until, doomed.lines.join());
    await sleep(wait_ms);
    doomed.child.kill("SIGKILL");
    await doomed.ended;
    const after = await world(store);
    try {
      const had = (await typesOf(after.ledger, unit)).includes("statement.closed");
      after.clock.at = AFTER_NOVEMBER + 60_000;
      assert.equal(await after.closing().round(), had ? 0 : 1, after.said.join());
      await closedOnce(after.ledger, unit);
      if (had) late += 1;
      else early += 1;
    } finally {
      await after.ledger.close();
    }
  }
  assert.ok(early > 0 && late > 0, `${early} were killed before it was closed and ${late} after: the moments say nothing`);
});
