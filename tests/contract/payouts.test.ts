import assert from "node:assert/strict";
import test from "node:test";
import type { Op } from "../../src/contract/index.ts";
import { asJson, payoutsOf } from "../../src/core/command/index.ts";
import type { PayoutMade } from "../../src/core/handshake/index.ts";
import { commandFields, createIdentityKey, openCommand, signCommand } from "../../src/core/identity/index.ts";
import type { Ledger } from "../../src/core/ledger/index.ts";
import { isPayoutOrder } from "../../src/core/policy-engine/index.ts";
import type { Store } from "../../src/core/store/index.ts";
import { type ImvuId, type Json, sleep } from "../../src/kernel/index.ts";
import { Closing } from "../../src/platform/closing.ts";
import { Openings } from "../../src/platform/openings.ts";
import { RatingPool } from "../../src/platform/rating-pool.ts";
import { trialBalance } from "../../src/platform/journal.ts";
import { Meters } from "../../src/platform/meters.ts";
import { payoutBook } from "../../src/platform/payout-book.ts";
import { duePayouts, unitPayouts } from "../../src/platform/payout-views.ts";
import { Payouts, settlePayout } from "../../src/platform/payouts.ts";
import { revenueCheck } from "../../src/platform/revenue-check.ts";
import { FaultyStore } from "../harness/faulty-store.ts";
import { LedgerHouse } from "../harness/ledger-house.ts";
import { accepted, AFTER_DECEMBER, AFTER_NOVEMBER, counting, FIRST_READING, notAsTold, publishTariff, turnedClock, Units } from "../harness/metered-units.ts";

/** Payouts on the real store and the real log; the gates before them are tried in journey/payouts. */
const house = await LedgerHouse.start();
const { site, store } = house;
const units = new Units(store);
test.after(() => house[Symbol.asyncDispose]());
const AFTER_JANUARY = Date.UTC(2027, 1, 1, 0, 0, 30);
const ACCOUNT = { holder: "Ada Lovelace", kind: "person", iban: "DE89370400440532013000" } as const;
const OTHER = { holder: "Ada Lovelace", kind: "person", iban: "FR1420041010050500013M02606", bic: "PSSTFRPPXXX" } as const;
const person = createIdentityKey();

/** Units whose usage costs next to nothing, on a clock that the test turns, and a month that closes when it is told to. */
async function world(on: Store) {
  const clock = turnedClock();
  const ledger = await house.open("payouts.example/nexus", on, clock);
  const meters = new Meters([counting(() => "0")], ledger, clock);
  const said: string[] = [];
  const deps = { store: on, ledger, say: (line: string) => void said.push(line) };
  const payouts = () => new Payouts(deps);
  const close = async (at: number) => {
    clock.at = at;
    await new Closing({ ...deps, meters, openings: new Openings(site.dir), clock, raters: () => new RatingPool({ site }, new Openings(site.dir)) }).round();
  };
  /** With its row. */
  const commanded = (op: Op, imvu: ImvuId | null, params: object) =>
    accepted(ledger, person, clock.at, op, imvu, params, async (tx, { digest, nonce, signed, index }) => {
      await tx.run("INSERT INTO command_seen (digest, actor, nonce, op, imvu, signed, intent_index, outcome_index, state) VALUES ($1, 'somebody', $2, $3, $4, $5, $6, $6, 'applied')", [digest, nonce, op, imvu, JSON.stringify(signed), index]);
    });
  const account = (imvu: ImvuId, to: Json) => commanded("imvu.payout.account", imvu, { account: to });
  const sell = (imvu: ImvuId, sourceId: string, amount: string, reverses?: string) => commanded(reverses === undefined ? "revenue.record" : "revenue.reverse", imvu, { sourceId, amount, currency: "EUR", at: new Date(FIRST_READING + 1).toISOString(), ...(reverses === undefined ? {} : { reverses }) });
  /** What operators say of a payout, accepted and not yet told. */
  const order = async (what: "execute" | "return", imvu: ImvuId, payout: string) => {
    const { digest: command, signed } = await commanded(`platform.payout.${what}`, null, { imvu, payout, at: new Date(clock.at).toISOString(), ...(what === "execute" ? { reference: "bank-1" } : { reason: "AC04 account closed" }) });
    const opened = openCommand(signed);
    assert.ok(opened.ok && isPayoutOrder(opened.value.command));
    return { order: opened.value.command, command };
  };
  const settle = async (what: "execute" | "return", imvu: ImvuId, payout: string) => {
    const said = await order(what, imvu, payout);
    const tell = () => settlePayout(deps, said.order, said.command);
    return { again: tell, told: await tell() };
  };
  return { clock, ledger, meters, deps, payouts, close, account, sell, order, settle };
}

let announced = false;
async function newUnit({ ledger, meters, clock }: Awaited<ReturnType<typeof world>>): Promise<ImvuId> {
  const imvu = await units.add();
  if (!announced) await publishTariff(ledger);
  announced = true;
  clock.at = Math.max(clock.at, FIRST_READING);
  await meters.record(imvu);
  return imvu;
}

const rows = (imvu: ImvuId) => store.snapshot((tx) => payoutsOf(tx, { imvu }));
async function inLog(ledger: Ledger, imvu: ImvuId): Promise<string[]> {
  const told: string[] = [];
  for await (const entry of ledger.entries({ stream: imvu })) {
    if (!entry.type.startsWith("payout.") || entry.type === "erased") continue;
    const { id, amount } = entry.data as { id: string; amount?: string };
    told.push(`${entry.type.slice(7)} ${id}${amount === undefined ? "" : ` ${amount}`}`);
  }
  return told;
}
const replayed = (ledger: Ledger) => notAsTold(store, ledger, ["payout", "journal", "statement", "correction"]);
async function whole(ledger: Ledger, ...imvus: ImvuId[]): Promise<void> {
  assert.deepEqual(await replayed(ledger), []);
  assert.deepEqual((await revenueCheck(ledger, imvus.map((id) => ({ id })))).failures, []);
  const { unbalanced, currencies } = await store.snapshot(trialBalance);
  assert.equal(unbalanced, 0);
  const units = (text: string) => BigInt(text.replace(".", ""));
  // What is on its way, or paid, was the creators' before and is counted to them.
  for (const { currency, gross, creator, platform } of currencies) assert.equal(units(gross), units(creator) + units(platform), `${currency}: ${gross} is not ${creator} + ${platform}`);
}

test("what a month pays is paid out by itself, once, to the account that stood then; executed and returned it moves in the journal, and returned it is owed again", async () => {
  const now = await world(store);
  const { ledger, payouts, close, account, sell, settle, clock } = now;
  try {
    const unit = await newUnit(now);
    await sell(unit, "order", "100.01");
    await close(AFTER_NOVEMBER);
    assert.equal(await payouts().round(), 0, "nobody said where it goes");
    await account(unit, ACCOUNT);
    const one = payouts();
    assert.deepEqual([await one.round(), await one.round(), await payouts().round()], [1, 0, 0]);
    // 55 percent of 100.01 are 55.0055: a cent is begun in the creator's favour.
    assert.deepEqual(await inLog(ledger, unit), [`created ${unit}-1 55.01`]);
    const [row] = await rows(unit);
    assert.deepEqual([row?.made.account, row?.state, row?.made.number, row?.made.currency], [ACCOUNT, "created", 1, "EUR"]);
    await whole(ledger, unit);
    clock.at += 1_000;
    const executed = await settle("execute", unit, `${unit}-1`);
    assert.deepEqual(await executed.again(), executed.told, "the same command after a crash tells the same entry");
    await whole(ledger, unit);
    await account(unit, OTHER);
    assert.equal(await payouts().round(), 0, "an executed payout is owed no more");
    await settle("return", unit, `${unit}-1`);
    assert.equal(await payouts().round(), 1);
    assert.deepEqual(await inLog(ledger, unit), [`created ${unit}-1 55.01`, `executed ${unit}-1`, `returned ${unit}-1`, `created ${unit}-2 55.01`]);
    assert.deepEqual((await rows(unit)).map(({ made, state }) => [made.account.iban, state]), [[ACCOUNT.iban, "returned"], [OTHER.iban, "created"]]);
    await whole(ledger, unit);
    const { owed, account: shown } = (await store.snapshot((tx) => unitPayouts(tx, { id: unit }))) as { owed: { amount: string }[]; account: { iban: string } };
    assert.match(owed[0]?.amount ?? "", /^0\.0+$/);
    assert.equal(shown.iban, OTHER.iban);
  } finally {
    await ledger.close();
  }
});

test("a payout is not executed twice, nor returned twice, nor executed after it came back: the second word changes nothing", async () => {
  const now = await world(store);
  const { ledger, payouts, close, account, sell, settle } = now;
  try {
    const unit = await newUnit(now);
    await account(unit, ACCOUNT);
    await sell(unit, "order", "10.00");
    await close(AFTER_NOVEMBER);
    await payouts().round();
    await settle("execute", unit, `${unit}-1`);
    await assert.rejects(settle("execute", unit, `${unit}-1`), /is executed/);
    await settle("return", unit, `${unit}-1`);
    for (const what of ["return", "execute"] as const) await assert.rejects(settle(what, unit, `${unit}-1`), /is returned/);
    await assert.rejects(settle("execute", unit, `${unit}-7`), /tells of no payout/);
    assert.deepEqual(await inLog(ledger, unit), [`created ${unit}-1 5.50`, `executed ${unit}-1`, `returned ${unit}-1`]);
    await whole(ledger, unit);
  } finally {
    await ledger.close();
  }
});

test("two that create at the same time create once", async () => {
  const now = await world(store);
  const { ledger, payouts, close, account, sell } = now;
  try {
    const unit = await newUnit(now);
    // What came back in other tests is owed still.
    await payouts().round();
    await account(unit, ACCOUNT);
    await sell(unit, "order", "10.00");
    await close(AFTER_NOVEMBER);
    const [a, b, c] = await Promise.all([payouts().round(), payouts().round(), payouts().round()]);
    assert.equal((a ?? 0) + (b ?? 0) + (c ?? 0), 1);
    assert.deepEqual(await inLog(ledger, unit), [`created ${unit}-1 5.50`]);
    await whole(ledger, unit);
  } finally {
    await ledger.close();
  }
});

test("an account that changes between the reckoning and the entry stops the payout: the next round pays to the new one", async () => {
  const now = await world(store);
  const { ledger, deps, payouts, close, account, sell } = now;
  try {
    const unit = await newUnit(now);
    await payouts().round();
    await account(unit, ACCOUNT);
    await sell(unit, "order", "10.00");
    await close(AFTER_NOVEMBER);
    let changed = false;
    const append: Ledger["append"] = async (entries, within) => {
      if (!changed) await account(unit, OTHER);
      changed = true;
      return await ledger.append(entries, within);
    };
    assert.equal(await new Payouts({ ...deps, ledger: { entries: (filter) => ledger.entries(filter), append } }).round(), 0);
    assert.deepEqual(await inLog(ledger, unit), []);
    assert.equal(await payouts().round(), 1);
    assert.deepEqual((await rows(unit)).map(({ made }) => made.account.iban), [OTHER.iban]);
    await whole(ledger, unit);
  } finally {
    await ledger.close();
  }
});

test("a refund that comes after the payout is carried forward: nothing is paid until it is made up for, and then the rest", async () => {
  const now = await world(store);
  const { ledger, payouts, close, account, sell } = now;
  try {
    const unit = await newUnit(now);
    await account(unit, ACCOUNT);
    await sell(unit, "order", "100.00");
    await close(AFTER_NOVEMBER);
    await payouts().round();
    await sell(unit, "refund", "60.00", "order");
    await close(AFTER_DECEMBER);
    assert.equal(await payouts().round(), 0);
    const { owed } = (await store.snapshot((tx) => unitPayouts(tx, { id: unit }))) as { owed: { amount: string }[] };
    assert.match(owed[0]?.amount ?? "", /^-33\.0+$/);
    await sell(unit, "order-2", "100.00");
    await close(AFTER_JANUARY);
    assert.equal(await payouts().round(), 1);
    assert.deepEqual(await inLog(ledger, unit), [`created ${unit}-1 55.00`, `created ${unit}-2 22.00`]);
    await whole(ledger, unit);
  } finally {
    await ledger.close();
  }
});

test("a withdrawn account is paid nothing; what is owed waits for the next", async () => {
  const now = await world(store);
  const { ledger, payouts, close, account, sell } = now;
  try {
    const unit = await newUnit(now);
    await account(unit, ACCOUNT);
    await account(unit, null);
    await sell(unit, "order", "10.00");
    await close(AFTER_NOVEMBER);
    assert.equal(await payouts().round(), 0);
    await account(unit, OTHER);
    assert.equal(await payouts().round(), 1);
    assert.equal((await rows(unit))[0]?.made.account.iban, OTHER.iban);
    await whole(ledger, unit);
  } finally {
    await ledger.close();
  }
});

for (const instant of ["before BEGIN", "after INSERT", "before COMMIT", "COMMIT sent, not persisted", "COMMIT sent, persisted anyway"] as const) {
  test(`a platform that dies while it tells that a payout was executed (${instant}) tells it once when it is resumed`, async () => {
    const faulty = new FaultyStore(store);
    const before = await world(faulty);
    const unit = await newUnit(before);
    await before.account(unit, ACCOUNT);
    await before.sell(unit, "order", "10.00");
    await before.close(AFTER_NOVEMBER);
    await before.payouts().round();
    const { order, command } = await before.order("execute", unit, `${unit}-1`);
    await before.ledger.receipt(before.ledger.size() - 1);
    faulty.strike({ after: 0, instant, dies: true });
    settlePayout(before.deps, order, command).catch(() => {});
    for (const until = Date.now() + 10_000; !faulty.struck; await sleep(5)) assert.ok(Date.now() < until, "the death");
    const { ledger, deps } = await world(store);
    try {
      const told = await settlePayout(deps, order, command);
      assert.deepEqual(await settlePayout(deps, order, command), told);
      assert.deepEqual(await inLog(ledger, unit), [`created ${unit}-1 5.50`, `executed ${unit}-1`]);
      await whole(ledger, unit);
    } finally {
      await ledger.close();
    }
  });

  test(`a platform that dies while it creates a payout (${instant}) leaves it whole or not at all, and it is created once`, async () => {
    const faulty = new FaultyStore(store);
    const before = await world(faulty);
    const unit = await newUnit(before);
    await before.account(unit, ACCOUNT);
    await before.sell(unit, "order", "10.00");
    await before.close(AFTER_NOVEMBER);
    await before.ledger.receipt(before.ledger.size() - 1);
    faulty.strike({ after: 0, instant, dies: true });
    before.payouts().round().catch(() => {});
    for (const until = Date.now() + 10_000; !faulty.struck; await sleep(5)) assert.ok(Date.now() < until, "the death");
    const { ledger, payouts } = await world(store);
    try {
      await payouts().round();
      assert.deepEqual(await inLog(ledger, unit), [`created ${unit}-1 5.50`]);
      assert.equal((await rows(unit)).length, 1);
      await whole(ledger, unit);
    } finally {
      await ledger.close();
    }
  });
}

test("the database's superuser raises an amount, exchanges an account, takes a payout away, or says it was never executed: replay names it, and no file is made of it", async () => {
  const now = await world(store);
  const { ledger, payouts, close, account, sell, settle } = now;
  try {
    const [unit, paid] = [await newUnit(now), await newUnit(now)];
    for (const one of [unit, paid]) {
      await account(one, ACCOUNT);
      await sell(one, "order", "10.00");
    }
    await close(AFTER_NOVEMBER);
    await payouts().round();
    await settle("execute", paid, `${paid}-1`);
    const bodies = async () => ((await duePayouts(store, ledger)) as unknown as { payouts: { imvu: string; receipt: { body: string } }[] }).payouts.filter(({ imvu }) => imvu === unit).map(({ receipt }) => (JSON.parse(receipt.body) as { data: PayoutMade }).data);
    const honest = await bodies();
    assert.deepEqual(honest.map(({ amount, account: { iban } }) => [amount, iban]), [["5.50", ACCOUNT.iban]]);
    const where = `WHERE imvu = '${unit}'`;
    await house.psql(`CREATE TABLE payout_kept AS SELECT * FROM payout WHERE imvu IN ('${unit}', '${paid}')`);
    const named = async (key: string, does: string) => {
      await house.psql(does);
      const failures = await replayed(ledger);
      assert.ok(failures.some((one) => one.table === "payout" && one.key === key), `${does}: ${JSON.stringify(failures)}`);
    };
    const putBack = () => house.psql(`DELETE FROM payout WHERE imvu IN ('${unit}', '${paid}'); INSERT INTO payout SELECT * FROM payout_kept`);
    await named(`${unit} 1`, `UPDATE payout SET amount = amount * 100, doc = jsonb_set(doc, '{amount}', '"550.00"') ${where}`);
    assert.deepEqual(await bodies(), honest, "money is made of the entry");
    await putBack();
    await named(`${unit} 1`, `UPDATE payout SET doc = jsonb_set(doc, '{account,iban}', '"GB29NWBK60161331926819"') ${where}`);
    assert.deepEqual(await bodies(), honest, "and goes where the entry says");
    await putBack();
    await named(`${paid} 1`, `UPDATE payout SET state = 'created', executed = NULL WHERE imvu = '${paid}'`);
    await assert.rejects(duePayouts(store, ledger), /are not those that the log tells of/);
    await putBack();
    await named(`${unit} 2`, `INSERT INTO payout SELECT imvu, 2, '${unit}-2', currency, amount, state, created_at, doc || '{"number":2,"id":"${unit}-2"}', entry_index + 100000, executed, returned FROM payout ${where}`);
    await assert.rejects(duePayouts(store, ledger), /are not those that the log tells of/);
    await putBack();
    // With the row and its booking gone the tables say that it is owed: the log says that it was paid.
    await named(`${unit} 1`, `BEGIN; CREATE TABLE journal_of_payout AS SELECT * FROM journal WHERE entry_index IN (SELECT entry_index FROM payout ${where}); DELETE FROM journal WHERE entry_index IN (SELECT entry_index FROM payout ${where}); DELETE FROM payout ${where}; COMMIT`);
    assert.equal(await payouts().round(), 0);
    assert.deepEqual(await inLog(ledger, unit), [`created ${unit}-1 5.50`]);
    await putBack();
    await house.psql("INSERT INTO journal SELECT * FROM journal_of_payout");
    // Credit that no statement gave.
    await house.psql(`BEGIN; INSERT INTO journal SELECT entry_index, 'paid', imvu, period, currency, 7e21 FROM journal ${where} AND account = 'transit'; UPDATE journal SET amount = amount - 7e21 ${where} AND account = 'creator' AND entry_index = (SELECT entry_index FROM payout ${where}); COMMIT`);
    assert.equal(await payouts().round(), 0, "the log knows of no more");
    assert.ok((await replayed(ledger)).some(({ table }) => table === "journal"));
    await house.psql(`BEGIN; DELETE FROM journal ${where} AND account = 'paid'; UPDATE journal SET amount = amount + 7e21 ${where} AND account = 'creator' AND entry_index = (SELECT entry_index FROM payout ${where}); COMMIT`);
    await whole(ledger, unit, paid);
  } finally {
    await ledger.close();
  }
});

test("a payout of more than is owed, to another account, of another number, or an execution that nobody ordered, whoever wrote it: named, and nothing more is paid", async () => {
  const lies: readonly ((honest: PayoutMade) => Json)[] = [
    (honest) => asJson({ ...honest, amount: "5.51" }),
    (honest) => asJson({ ...honest, account: { ...honest.account, iban: "GB29NWBK60161331926819" } }),
    (honest) => asJson({ ...honest, number: 2, id: `${honest.imvu}-2` }),
    (honest) => asJson({ ...honest, currency: "USD" }),
    (honest) => asJson({ ...honest, covers: honest.covers + 1 }),
  ];
  const now = await world(store);
  const { ledger, payouts, close, account, sell } = now;
  try {
    const units: ImvuId[] = [];
    for (const _ of [...lies, "executed"]) units.push(await newUnit(now));
    for (const unit of units) {
      await account(unit, ACCOUNT);
      await sell(unit, "order", "10.00");
    }
    await close(AFTER_NOVEMBER);
    for (const [at, lie] of lies.entries()) {
      const unit = units[at] as ImvuId;
      const due = (await payoutBook(ledger, unit)).due("EUR");
      assert.ok(due);
      await ledger.append([{ stream: unit, type: "payout.created", actor: "platform", data: lie(due) }]);
      const { ok, failures } = await revenueCheck(ledger, [{ id: unit }]);
      assert.deepEqual([ok, failures.length], [false, 1], JSON.stringify(failures));
    }
    const last = units.at(-1) as ImvuId;
    assert.equal(await payouts().round(), 1, "the others wait");
    assert.deepEqual(await inLog(ledger, last), [`created ${last}-1 5.50`]);
    const forged = signCommand(commandFields("platform.payout.execute", null, { imvu: last, payout: `${last}-1`, reference: "bank-1", at: new Date(FIRST_READING).toISOString() }, FIRST_READING), person);
    const opened = openCommand(forged);
    assert.ok(opened.ok);
    await ledger.append([{ stream: last, type: "payout.executed", actor: "platform", data: asJson({ v: 1, imvu: last, id: `${last}-1`, at: new Date(FIRST_READING).toISOString(), reference: "bank-1", command: opened.value.digest, order: forged }) }]);
    assert.deepEqual((await revenueCheck(ledger, [{ id: last }])).failures.map(({ found }) => found), ["no such command"]);
  } finally {
    await ledger.close();
  }
});
