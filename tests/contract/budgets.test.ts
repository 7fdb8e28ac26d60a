import assert from "node:assert/strict";
import { join } from "node:path";
import test from "node:test";
import { RESOURCES } from "../../src/contract/index.ts";
import { type BudgetReached, reachedOf } from "../../src/core/command/index.ts";
import type { DEFAULT_PRICES_V1 } from "../../src/core/handshake/index.ts";
import { createIdentityKey } from "../../src/core/identity/index.ts";
import type { Ledger } from "../../src/core/ledger/index.ts";
import type { Store } from "../../src/core/store/index.ts";
import { type ImvuId, sleep } from "../../src/kernel/index.ts";
import { Budgets } from "../../src/platform/budgets.ts";
import { Openings } from "../../src/platform/openings.ts";
import { Meters } from "../../src/platform/meters.ts";
import { Notices } from "../../src/platform/notices.ts";
import { FaultyStore } from "../harness/faulty-store.ts";
import { LedgerHouse } from "../harness/ledger-house.ts";
import { accepted, counting, notAsTold, publishTariff, turnedClock, Units } from "../harness/metered-units.ts";

/** Budgets on the real store and the real log. Only the counter is the test's, and the clock; a message costs 1.00 and nothing else anything. */
const house = await LedgerHouse.start();
const { site, store } = house;
const units = new Units(store);
test.after(() => house[Symbol.asyncDispose]());
const HOUR_MS = 3_600_000;
const BEGIN = Date.UTC(2026, 10, 2);
const PRICES = { ...Object.fromEntries(Object.keys(RESOURCES).map((resource) => [resource, "0.000000000"])), "mail.sent": "1.000000000" } as typeof DEFAULT_PRICES_V1;
const owner = createIdentityKey();

async function world(on: Store) {
  const clock = turnedClock(BEGIN);
  const ledger = await house.open("budgets.example/nexus", on, clock);
  if (ledger.size() === 0) await publishTariff(ledger, PRICES);
  const sent = new Map<ImvuId, number>();
  const meters = new Meters([counting((imvu, resource) => (resource === "mail.sent" ? String(sent.get(imvu) ?? 0) : "0"))], ledger, clock);
  const told: ImvuId[] = [];
  const said: string[] = [];
  const budgets = () => new Budgets({ store: on, ledger, openings: new Openings(site.dir), clock, onReached: (imvu) => void told.push(imvu), say: (line) => void said.push(line) });
  /** So many messages in all by this instant. */
  const use = async (imvu: ImvuId, messages: number, at_ms: number) => {
    clock.at = at_ms;
    sent.set(imvu, messages);
    await meters.record(imvu);
  };
  return { clock, ledger, budgets, use, told, said };
}

const newUnit = () => units.add();

/** As an accepted command sets it: its entry, and its row in the same transaction. */
async function set(ledger: Ledger, imvu: ImvuId, amount: string, thresholds: number[], at_ms: number): Promise<void> {
  await accepted(ledger, owner, at_ms, "imvu.budget.set", imvu, { amount, currency: "EUR", thresholds }, async (tx, { index }) => {
    await tx.run("DELETE FROM budget WHERE imvu = $1", [imvu]);
    await tx.run("INSERT INTO budget (imvu, amount, currency, thresholds, entry_index) VALUES ($1, $2, 'EUR', $3, $4)", [imvu, amount, thresholds, index]);
  });
}

const reached = async (imvu: ImvuId) => (await store.snapshot((tx) => reachedOf(tx, imvu))).map(({ period, what, percent, usage }) => `${period} ${what} ${percent} ${usage.replace(/\.0+$/, "")}`);
async function inLog(ledger: Ledger, imvu: ImvuId): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of ledger.entries({ stream: imvu })) {
    if (entry.type !== "budget.reached") continue;
    const { period, what, percent, usage } = entry.data as unknown as BudgetReached;
    found.push(`${period} ${what} ${percent} ${usage.replace(/\.0+$/, "")}`);
  }
  return found;
}
const replayed = (ledger: Ledger) => notAsTold(store, ledger, ["budget", "budget_reached"]);

test("each threshold is written down once a month, the forecast once, and a budget that is set anew is compared anew", async () => {
  const { ledger, budgets, use, told, said } = await world(store);
  try {
    const unit = await newUnit();
    await use(unit, 0, BEGIN);
    await set(ledger, unit, "100.00", [50, 80, 100], BEGIN);
    const one = budgets();
    assert.equal(await one.round(), 0, said.join());
    await use(unit, 49, BEGIN + HOUR_MS);
    assert.equal(await one.round(), 0, "49 of 100, and an hour says nothing of a month");
    await use(unit, 50, BEGIN + 2 * HOUR_MS);
    assert.equal(await one.round(), 1);
    await use(unit, 79, BEGIN + 25 * HOUR_MS);
    assert.equal(await one.round(), 1, "by the month's end it is more than 100");
    assert.deepEqual((await reached(unit)).map((line) => line.split(" ").slice(1, 3).join(" ")), ["usage 50", "forecast 100"]);
    await use(unit, 150, BEGIN + 26 * HOUR_MS);
    assert.equal(await one.round(), 2, "both thresholds that were passed at once");
    assert.deepEqual([await one.round(), await budgets().round()], [0, 0], "nor one that starts anew");
    await set(ledger, unit, "200.00", [75], BEGIN + 26 * HOUR_MS);
    assert.equal(await one.round(), 2);
    await use(unit, 155, Date.UTC(2026, 11, 1, 1));
    assert.equal(await one.round(), 0, "another month begins from what the last one ended with");
    await use(unit, 305, Date.UTC(2026, 11, 1, 2));
    assert.equal(await one.round(), 1);
    const all = await reached(unit);
    assert.deepEqual(all.filter((line) => line.includes("usage")), ["2026-11 usage 50 50", "2026-11 usage 80 150", "2026-11 usage 100 150", "2026-11 usage 75 150", "2026-12 usage 75 155"]);
    assert.deepEqual([await inLog(ledger, unit), await replayed(ledger), said], [all, [], []]);
    assert.ok(told.length >= 5 && told.every((imvu) => imvu === unit));
  } finally {
    await ledger.close();
  }
});

test("two that compare at the same time write once", async () => {
  const { ledger, budgets, use } = await world(store);
  try {
    const unit = await newUnit();
    await use(unit, 0, BEGIN);
    await set(ledger, unit, "10.00", [10, 100], BEGIN);
    await use(unit, 10, BEGIN + HOUR_MS);
    await Promise.all(Array.from({ length: 4 }, () => budgets().round()));
    await budgets().round();
    assert.deepEqual([await reached(unit), await inLog(ledger, unit)], [["2026-11 usage 10 10", "2026-11 usage 100 10"], ["2026-11 usage 10 10", "2026-11 usage 100 10"]]);
    assert.deepEqual(await replayed(ledger), []);
  } finally {
    await ledger.close();
  }
});

for (const instant of ["before BEGIN", "after INSERT", "before COMMIT", "COMMIT sent, not persisted", "COMMIT sent, persisted anyway"] as const) {
  test(`lost while it is written down, ${instant}: the next start finds it, or writes it, and never twice`, async () => {
    const faulty = new FaultyStore(store);
    const before = await world(faulty);
    const unit = await newUnit();
    await before.use(unit, 0, BEGIN);
    await set(before.ledger, unit, "10.00", [100], BEGIN);
    await before.use(unit, 10, BEGIN + HOUR_MS);
    await before.ledger.receipt(before.ledger.size() - 1);
    faulty.strike({ after: 0, instant, dies: true });
    // A dead process answers nobody: it is not waited for.
    before.budgets().round().catch(() => {});
    for (const until = Date.now() + 10_000; !faulty.struck; await sleep(5)) assert.ok(Date.now() < until, "the death");
    const { clock, ledger, budgets } = await world(store);
    try {
      clock.at = BEGIN + 2 * HOUR_MS;
      await budgets().round();
      assert.deepEqual([await reached(unit), await inLog(ledger, unit), await replayed(ledger)], [["2026-11 usage 100 10"], ["2026-11 usage 100 10"], []]);
    } finally {
      await ledger.close();
    }
  });
}

test("the owner is told once in the first mailbox, again only when the first time failed, and not again after a start", async () => {
  const { clock, ledger, budgets, use } = await world(store);
  const letters: string[] = [];
  let broken = true;
  const file = join(site.dir, "notices.json");
  const open = () =>
    new Notices({
      store, clock, file, say: () => {},
      deliver: async (imvu, { subject, text }) => {
        if (broken) throw new Error("the mailbox does not answer");
        letters.push(`${imvu.id} ${subject}\n${text}`);
      },
    });
  const until = async (what: () => boolean) => {
    for (const end = Date.now() + 10_000; !what(); await sleep(5)) assert.ok(Date.now() < end);
  };
  try {
    const unit = await newUnit();
    await use(unit, 0, BEGIN);
    await set(ledger, unit, "10.00", [50, 100], BEGIN);
    await use(unit, 10, BEGIN + HOUR_MS);
    await budgets().round();
    const first = open();
    await sleep(500);
    await first.close();
    assert.equal(letters.length, 0);
    broken = false;
    const second = open();
    await until(() => letters.some((letter) => letter.startsWith(unit)));
    await second.close();
    const third = open();
    third.budgetReached(unit);
    await sleep(500);
    await third.close();
    const mine = letters.filter((letter) => letter.startsWith(unit));
    assert.equal(mine.length, 1);
    assert.match(mine[0] ?? "", new RegExp(`^${unit} ${unit}: 100 % of 2026-11's budget is used\n[\\s\\S]*entry \\d+: EUR 10\\.00 used in 2026-11, 50 % of 10\\.00 or more\n[\\s\\S]*Nothing is stopped or slowed down`));
  } finally {
    await ledger.close();
  }
});
