import assert from "node:assert/strict";
import { join } from "node:path";
import test from "node:test";
import { type Fabric, type Imvu, type Reading, RESOURCES, type Resource } from "../../src/contract/index.ts";
import { DEFAULT_PRICES_V1, type Statement, TARIFF_V1 } from "../../src/core/handshake/index.ts";
import { commandFields, createIdentityKey, openCommand, signCommand } from "../../src/core/identity/index.ts";
import type { Ledger } from "../../src/core/ledger/index.ts";
import type { Store } from "../../src/core/store/index.ts";
import { newImvu } from "../../src/imvu/imvu-manager/imvu.fixture.ts";
import { type Currency, type ImvuId, type Json, sleep, type TimeZone } from "../../src/kernel/index.ts";
import { Closing } from "../../src/platform/closing.ts";
import { journalOf, trialBalance } from "../../src/platform/journal.ts";
import { Openings } from "../../src/platform/openings.ts";
import { RatingPool } from "../../src/platform/rating-pool.ts";
import { Meters } from "../../src/platform/meters.ts";
import { revenueCheck } from "../../src/platform/revenue-check.ts";
import { closedMonths, closingFor, statementFor } from "../../src/platform/statements.ts";
import { DOOMED } from "../harness/dying-rater.ts";
import { FaultyStore } from "../harness/faulty-store.ts";
import { LedgerHouse } from "../harness/ledger-house.ts";
import { accepted, AFTER_DECEMBER, AFTER_NOVEMBER, FIRST_READING, notAsTold, publishTariff, turnedClock, Units } from "../harness/metered-units.ts";

/**
 * Months that close by themselves, on the real store and the real log. Only the counters are the test's, and the clock: what an engine says after a
 * month's end cannot be waited for.
 */
const house = await LedgerHouse.start();
const { site, store } = house;
const psql = (sql: string) => house.psql(sql);
const units = new Units(store);
const newUnit = (more: Partial<Imvu> = {}) => units.add(more);
test.after(() => house[Symbol.asyncDispose]());
const openings = new Openings(site.dir);
const DYING = new URL("../harness/dying-rater.ts", import.meta.url);

/** The real log over `on`, with units whose counters have counted since 2026-11-10, on a clock that the test turns. */
async function world(on: Store) {
  const clock = turnedClock();
  const ledger = await house.open("closing.example/nexus", on, clock);
  const silent = new Set<ImvuId>();
  const said: string[] = [];
  const fabric = {
    meter: async (imvu: ImvuId): Promise<readonly Reading[]> => {
      if (silent.has(imvu)) throw new Error("the engine does not answer");
      const passed = String((clock.at - FIRST_READING) * 1_000);
      return (Object.keys(RESOURCES) as Resource[]).map((resource) => ({ resource, value: RESOURCES[resource].kind === "gauge" ? "1000000000" : passed, boot: "b1", epoch: "e1" }));
    },
  } as unknown as Fabric<unknown, Json>;
  const meters = new Meters([fabric], ledger, clock);
  const closing = (raters = () => new RatingPool({ site }, openings)) => new Closing({ store: on, ledger, meters, openings, clock, raters, say: (line) => void said.push(line) });
  return { clock, ledger, meters, silent, said, closing };
}

const closed = async (imvu: ImvuId) => (await store.snapshot((tx) => closedMonths(tx, imvu))).map(({ period }) => period).reverse();
async function inLog(ledger: Ledger, imvu: ImvuId): Promise<string[]> {
  const periods: string[] = [];
  for await (const entry of ledger.entries({ stream: imvu })) if (entry.type === "statement.closed") periods.push((entry.data as unknown as Statement).period);
  return periods;
}
const replayed = async (ledger: Ledger) => await notAsTold(store, ledger, ["reading", "statement", "correction", "journal"]);
const seller = createIdentityKey();
/** A sale as an accepted command records it: only its entry, which is all that money is made of. */
async function sell(ledger: Ledger, imvu: ImvuId, sourceId: string, amount: string, at_ms: number, reverses?: string, currency = "EUR"): Promise<void> {
  const params = { sourceId, amount, currency, at: new Date(at_ms).toISOString(), ...(reverses === undefined ? {} : { reverses }) };
  await accepted(ledger, seller, at_ms, reverses === undefined ? "revenue.record" : "revenue.reverse", imvu, params);
}
/** The owner's own words, which a unit's stream begins with. */
async function agree(ledger: Ledger, imvu: ImvuId, terms: { readonly timeZone?: string; readonly currency?: string }, at_ms: number): Promise<void> {
  const { name, owner, jurisdiction, envelope } = newImvu();
  const jws = signCommand(commandFields("imvu.create", null, { name, owner, jurisdiction, envelope: envelope as unknown as Json, runtime: "static", mailboxPasswordHash: "ab".repeat(32), ...terms }, at_ms), seller);
  const opened = openCommand(jws);
  assert.ok(opened.ok, opened.ok ? "" : opened.message);
  await ledger.append([{ stream: imvu, type: "command.accepted", actor: owner, data: { digest: opened.value.digest, jws: jws as unknown as Json, allocation: null } }]);
}
const typesOf = async (ledger: Ledger, imvu: ImvuId) => {
  const types: string[] = [];
  for await (const { type } of ledger.entries({ stream: imvu })) if (type.startsWith("statement.")) types.push(type);
  return types;
};
const checked = async (ledger: Ledger, ...imvus: ImvuId[]) => await revenueCheck(ledger, imvus.map((id) => ({ id })));

test("a month closes when it is over, with a reading after its end, once; and what it says is made again from the log", async () => {
  const { clock, ledger, meters, closing, said } = await world(store);
  try {
    await publishTariff(ledger);
    const [unit, unread] = [await newUnit(), await newUnit()];
    await meters.record(unit);
    clock.at = Date.UTC(2026, 10, 30, 23, 59, 59, 999);
    assert.equal(await closing().round(), 0, "not over");
    clock.at = AFTER_NOVEMBER;
    const one = closing();
    assert.equal(await one.round(), 1, said.join());
    assert.deepEqual([await one.round(), await closing().round()], [0, 0], "nor a closer that knows nothing of the first");
    assert.deepEqual([await closed(unit), await inLog(ledger, unit), await closed(unread)], [["2026-11"], ["2026-11"], []]);
    const [{ statement, index } = { statement: undefined, index: -1 }] = await store.snapshot((tx) => closedMonths(tx, unit, "2026-11"));
    assert.ok(statement?.closed);
    // Counters count up to the last reading inside the month; a level holds until the next reading, cut at the month's end.
    assert.equal(statement.lines.find(({ resource }) => resource === "compute.memory")?.quantity, String(21 * 86_400).concat(".000000000000"));
    assert.equal(said.length, 1);
    assert.ok(index > 0);
    assert.deepEqual(await replayed(ledger), []);
    const { ok, statements, failures } = await checked(ledger, unit, unread);
    assert.deepEqual([ok, statements, failures], [true, 1, []]);
  } finally {
    await ledger.close();
  }
});

test("a unit that is read each minute over the month's end is billed to the minute before it, from five entries", async () => {
  const { clock, ledger, meters, closing } = await world(store);
  try {
    const unit = await newUnit();
    const units = [{ ...newImvu(), id: unit }];
    for (clock.at = Date.UTC(2026, 10, 30, 22, 0, 30); clock.at <= AFTER_NOVEMBER; clock.at += 60_000) await meters.round(units, assert.fail);
    clock.at = AFTER_NOVEMBER + 1_000;
    assert.equal(await closing().round(), 1);
    const [november] = await store.snapshot((tx) => closedMonths(tx, unit));
    const line = (resource: Resource) => november?.statement.lines.find((one) => one.resource === resource)?.quantity;
    // A counter's first value is all of a new series; so to the last one that was read in November.
    assert.equal(line("dns.answers"), String((Date.UTC(2026, 10, 30, 23, 59, 30) - FIRST_READING) * 1_000));
    assert.equal(line("compute.memory"), `${2 * 3_600 - 30}.000000000000`);
    const types: string[] = [];
    for await (const { type } of ledger.entries({ stream: unit })) types.push(type);
    assert.deepEqual(types, [...Array.from({ length: 5 }, () => "meter.reading"), "statement.closed"]);
    assert.deepEqual(await replayed(ledger), []);
    const { ok, failures, readings } = await checked(ledger, unit);
    assert.deepEqual([ok, failures, readings], [true, [], 5]);
  } finally {
    await ledger.close();
  }
});

test("a thread that dies takes the month of its own unit with it and no other; the next round closes it", async () => {
  const { clock, ledger, meters, said, closing } = await world(store);
  try {
    const units = [await newUnit(), await newUnit({ name: DOOMED }), await newUnit(), await newUnit()];
    for (const unit of units) await meters.record(unit);
    clock.at = AFTER_NOVEMBER;
    const doomed = units[1] as ImvuId;
    assert.equal(await closing(() => new RatingPool({ site }, openings, DYING)).round(), 3);
    assert.deepEqual(await Promise.all(units.map(closed)), units.map((unit) => (unit === doomed ? [] : ["2026-11"])));
    assert.deepEqual(said.filter((line) => line.includes("stays open")), [`a month of ${doomed} stays open for now: the thread that rated ${doomed} is gone: it ended`]);
    assert.equal(await closing().round(), 1);
    assert.deepEqual([await closed(doomed), (await checked(ledger, ...units)).ok], [["2026-11"], true]);
  } finally {
    await ledger.close();
  }
});

test("threads that cannot read the log say so, and nothing closes; a pool that ends lets nobody wait", async () => {
  const { clock, ledger, meters, said, closing } = await world(store);
  try {
    const unit = await newUnit();
    await meters.record(unit);
    clock.at = AFTER_NOVEMBER;
    assert.equal(await closing(() => new RatingPool({ site: { ...site, dir: join(site.dir, "elsewhere") } }, openings)).round(), 0);
    assert.match(said.at(-1) ?? "", /stays open for now: the database does not answer/);
    const pool = new RatingPool({ site }, openings);
    const waiting = [1, 2, 3].map(() => pool.rate({ ...newImvu(), id: unit }, "2026-11"));
    const ended = Promise.allSettled(waiting);
    await pool[Symbol.asyncDispose]();
    assert.deepEqual((await ended).map(({ status }) => status), ["rejected", "rejected", "rejected"]);
    assert.equal(await closing().round(), 1);
  } finally {
    await ledger.close();
  }
});

test("months that ended while the platform was down close in their order, each by its own readings", async () => {
  const { clock, ledger, meters, closing } = await world(store);
  try {
    const unit = await newUnit();
    await meters.record(unit);
    clock.at = Date.UTC(2027, 2, 20);
    await closing().round();
    assert.deepEqual(await closed(unit), ["2026-11", "2026-12", "2027-01", "2027-02"]);
    assert.deepEqual(await inLog(ledger, unit), await closed(unit));
    assert.equal((await checked(ledger, unit)).ok, true);
  } finally {
    await ledger.close();
  }
});

test("each unit's month closes when it is over by the unit's own clock, and one closer sees them all", async () => {
  const { clock, ledger, meters, closing, said } = await world(store);
  try {
    const zones = ["Pacific/Kiritimati", "Europe/Berlin", undefined, "America/New_York", "Pacific/Pago_Pago"] as (TimeZone | undefined)[];
    const units: ImvuId[] = [];
    for (const timeZone of zones) {
      const terms = timeZone === undefined ? {} : { timeZone };
      const unit = await newUnit(terms);
      await agree(ledger, unit, terms, clock.at);
      await meters.record(unit);
      units.push(unit);
    }
    const one = closing();
    const ends = ["2026-11-30T10:00:00Z", "2026-11-30T23:00:00Z", "2026-12-01T00:00:00Z", "2026-12-01T05:00:00Z", "2026-12-01T11:00:00Z"].map(Date.parse);
    for (const [at, end_ms] of ends.entries()) {
      clock.at = end_ms;
      await one.round();
      assert.deepEqual(await closed(units[at] as ImvuId), [], `not over: ${zones[at]}`);
      clock.at = end_ms + 1_000;
      await one.round();
      for (const [nth, unit] of units.entries()) assert.deepEqual(await closed(unit), nth <= at ? ["2026-11"] : [], `${zones[nth]} at ${new Date(end_ms).toISOString()}: ${said.join()}`);
    }
    for (const [at, unit] of units.entries()) {
      const [{ statement } = { statement: undefined }] = await store.snapshot((tx) => closedMonths(tx, unit, "2026-11"));
      const [start, end] = [statement?.start, statement?.end];
      assert.deepEqual([statement?.timeZone, end === undefined ? undefined : Date.parse(end)], zones[at] === undefined ? [undefined, undefined] : [zones[at], ends[at]]);
      assert.equal(start === undefined, end === undefined);
      const hours = ((ends[at] as number) - FIRST_READING) / 3_600_000;
      assert.equal(statement?.lines.find(({ resource }) => resource === "compute.memory")?.quantity, `${hours * 3_600}.${"0".repeat(12)}`, String(zones[at]));
    }
    const { ok, failures } = await checked(ledger, ...units);
    assert.deepEqual([ok, failures], [true, []]);
    assert.deepEqual(await replayed(ledger), []);
  } finally {
    await ledger.close();
  }
});

test("each unit's month is of its own currency: rated by its tariff, rounded to its minor unit, booked apart; what was sold in another is counted nowhere, and named", async () => {
  const { clock, ledger, meters, closing } = await world(store);
  try {
    const yen = "JPY" as Currency;
    const tariff = { currency: yen, validFrom: "2026-11-01T00:00:00.000Z", prices: { ...DEFAULT_PRICES_V1, "dns.answers": "0.000001000" } };
    const jws = signCommand(commandFields("platform.tariff.publish", null, tariff, clock.at), seller);
    const opened = openCommand(jws);
    assert.ok(opened.ok);
    const { digest } = opened.value;
    await ledger.append([{ stream: "platform", type: "command.accepted", actor: "seller", data: { digest, jws: jws as unknown as Json, allocation: null } }, { stream: "platform", type: "platform.tariff", actor: "platform", data: { v: TARIFF_V1, ...tariff, command: digest } }]);
    const [euros, yens, mixed] = [await newUnit(), await newUnit({ currency: yen }), await newUnit({ currency: yen })];
    await agree(ledger, euros, {}, clock.at);
    for (const unit of [yens, mixed]) await agree(ledger, unit, { currency: yen }, clock.at);
    for (const unit of [euros, yens, mixed]) await meters.record(unit);
    await sell(ledger, euros, "order-1", "100.01", FIRST_READING + 1);
    await sell(ledger, yens, "order-1", "10001", FIRST_READING + 1, undefined, yen);
    await sell(ledger, mixed, "order-1", "100.01", FIRST_READING + 1);
    clock.at = AFTER_NOVEMBER;
    const one = closing();
    await one.round();
    const of = async (unit: ImvuId) => (await store.snapshot((tx) => closedMonths(tx, unit)))[0]?.statement as Statement;
    const [inEuros, inYens, other] = [await of(euros), await of(yens), await of(mixed)];
    assert.deepEqual([inEuros, inYens, other].map(({ currency, revenue }) => `${currency} ${revenue?.recorded.replace(/\.0+$/, "")} ${revenue?.sales}`), [`EUR 100.01${"0".repeat(19)} 1`, "JPY 10001 1", "JPY 0 0"]);
    assert.match(inEuros.payout?.creator ?? "", /^\d+\.\d{2}$/);
    assert.match(inYens.payout?.creator ?? "", /^\d+$/);
    assert.equal(inYens.lines.find(({ resource }) => resource === "dns.answers")?.unitPrice, "0.000001000");
    await sell(ledger, yens, "order-2", "3", FIRST_READING + 2, undefined, yen);
    clock.at = AFTER_DECEMBER;
    await one.round();
    const [, november] = await store.snapshot((tx) => closedMonths(tx, yens));
    assert.deepEqual([november?.corrections[0]?.currency, november?.corrections[0]?.gross, /^\d+$/.test(november?.corrections[0]?.total.payout ?? "")], [yen, `3.${"0".repeat(21)}`, true]);
    assert.deepEqual([(await checked(ledger, euros, yens)).failures, await replayed(ledger)], [[], []]);
    const { ok, failures } = await checked(ledger, mixed);
    assert.deepEqual([ok, failures.length], [false, 1]);
    assert.match(failures[0]?.found ?? "", /order-1 is in EUR, and the unit's money is JPY/);
    const { currencies, unbalanced } = await store.snapshot(trialBalance);
    assert.equal(unbalanced, 0);
    assert.deepEqual(currencies.map(({ currency, balance }) => `${currency} ${balance}`), [`EUR 0.${"0".repeat(21)}`, `JPY 0.${"0".repeat(21)}`]);
    for (const { gross, creator, platform } of currencies) assert.equal(BigInt(gross.replace(".", "")), BigInt(creator.replace(".", "")) + BigInt(platform.replace(".", "")));
  } finally {
    await ledger.close();
  }
});

test("a unit's clock that somebody changed in the table keeps the month open and is named; what was agreed stays", async () => {
  const { clock, ledger, meters, closing, said } = await world(store);
  try {
    const unit = await newUnit({ timeZone: "Europe/Berlin" as TimeZone });
    await agree(ledger, unit, { timeZone: "Europe/Berlin" }, clock.at);
    await meters.record(unit);
    await psql(`UPDATE imvu SET doc = jsonb_set(doc, '{timeZone}', '"Pacific/Kiritimati"') WHERE id = '${unit}'`);
    clock.at = Date.UTC(2026, 10, 30, 12);
    const one = closing();
    await one.round();
    assert.deepEqual([await closed(unit), await inLog(ledger, unit)], [[], []]);
    assert.ok(said.some((line) => line.startsWith(`a month of ${unit} stays open for now: `) && line.includes("time zone or currency was agreed otherwise")), said.join());
    await psql(`UPDATE imvu SET doc = jsonb_set(doc, '{timeZone}', '"Europe/Berlin"') WHERE id = '${unit}'`);
    clock.at = Date.UTC(2026, 10, 30, 23, 0, 1);
    await one.round();
    assert.deepEqual(await closed(unit), ["2026-11"]);
  } finally {
    await ledger.close();
  }
});

test("a unit whose engine does not answer keeps its month open, says so, and closes later; the others close", async () => {
  const { clock, ledger, meters, silent, said, closing } = await world(store);
  try {
    const [mute, other] = [await newUnit(), await newUnit()];
    for (const unit of [mute, other]) await meters.record(unit);
    clock.at = AFTER_NOVEMBER;
    silent.add(mute);
    const one = closing();
    await one.round();
    assert.deepEqual([await closed(mute), await closed(other)], [[], ["2026-11"]]);
    assert.ok(said.some((line) => line.startsWith(`a month of ${mute} stays open`)));
    silent.clear();
    assert.equal(await one.round(), 1);
    assert.deepEqual(await closed(mute), ["2026-11"]);
  } finally {
    await ledger.close();
  }
});

test("two that close at the same time close once", async () => {
  const { clock, ledger, meters, closing } = await world(store);
  try {
    const unit = await newUnit();
    await meters.record(unit);
    clock.at = AFTER_NOVEMBER;
    const [a, b] = await Promise.all([closing().round(), closing().round()]);
    assert.equal(a + b, 1);
    assert.deepEqual(await inLog(ledger, unit), ["2026-11"]);
    assert.equal((await checked(ledger, unit)).ok, true);
  } finally {
    await ledger.close();
  }
});

test("what was sold is in its month; what is recorded after it closed corrects it when the month of its recording closes, and no closed statement changes", async () => {
  const { clock, ledger, meters, closing, said } = await world(store);
  try {
    const unit = await newUnit();
    await meters.record(unit);
    await sell(ledger, unit, "order-1", "100.00", FIRST_READING + 1);
    await sell(ledger, unit, "order-2", "0.07", FIRST_READING + 2);
    clock.at = AFTER_NOVEMBER;
    await closing().round();
    const [november] = await store.snapshot((tx) => closedMonths(tx, unit));
    assert.deepEqual(november?.statement.revenue, { recorded: `100.07${"0".repeat(19)}`, reversed: `0.${"0".repeat(21)}`, sales: 2, reversals: 0 });
    await sell(ledger, unit, "refund-1", "40.00", FIRST_READING + 3, "order-1");
    await sell(ledger, unit, "order-3", "5.00", clock.at);
    assert.equal(await closing().round(), 0, "nothing is corrected before the month is over");
    clock.at = AFTER_DECEMBER;
    await closing().round();
    const [december, again] = await store.snapshot((tx) => closedMonths(tx, unit));
    assert.deepEqual(again?.statement, november?.statement);
    assert.equal(december?.statement.revenue?.recorded, `5.${"0".repeat(21)}`);
    const [correction] = again?.corrections ?? [];
    assert.deepEqual([again?.corrections.length, correction?.number, correction?.corrects, correction?.gross], [1, 1, november?.index, `-40.${"0".repeat(21)}`]);
    assert.deepEqual(await typesOf(ledger, unit), ["statement.closed", "statement.corrected", "statement.closed"]);
    assert.ok(said.some((line) => line.startsWith(`${unit}: 2026-11 is corrected by gross EUR -40.`)));
    assert.deepEqual(await replayed(ledger), []);
    const { ok, statements, failures } = await checked(ledger, unit);
    assert.deepEqual([ok, statements, failures], [true, 3, []]);
    const { lines, balance } = await store.snapshot((tx) => journalOf(tx, unit));
    const booked = lines.map(({ index, account, amount }) => `${index} ${account} ${amount.replace(/0+$/, "")}`);
    assert.ok(booked.includes(`${november?.index} sales 100.07`) && booked.includes(`${correction?.index} refunds -40.`) && booked.includes(`${december?.index} sales 5.`), booked.join());
    assert.deepEqual([balance, (await store.snapshot(trialBalance)).unbalanced], [`0.${"0".repeat(21)}`, 0]);
  } finally {
    await ledger.close();
  }
});

test("a journal that does not balance is refused by the database; one that balances and is not the log's is named", async () => {
  const { clock, ledger, meters, closing } = await world(store);
  try {
    const unit = await newUnit();
    await meters.record(unit);
    await sell(ledger, unit, "order", "100.01", FIRST_READING + 1);
    clock.at = AFTER_NOVEMBER;
    await closing().round();
    const where = `WHERE imvu = '${unit}'`;
    for (const unbalanced of [`UPDATE journal SET amount = amount - 1 ${where} AND account = 'platform'`, `DELETE FROM journal ${where} AND account = 'creator'`, `INSERT INTO journal SELECT entry_index, 'refunds', imvu, period, currency, -5 FROM journal ${where} AND account = 'sales'`]) await assert.rejects(psql(unbalanced), /debits and credits of entry \d+ differ/);
    await assert.rejects(psql(`INSERT INTO journal SELECT entry_index, 'fee', imvu, period, currency, -5 FROM journal ${where} AND account = 'sales'`), /journal_account_check/);
    for (const [does, undoes] of [
      [`UPDATE journal SET amount = amount + CASE account WHEN 'creator' THEN 7 ELSE -7 END ${where} AND account IN ('creator', 'platform')`, `UPDATE journal SET amount = amount - CASE account WHEN 'creator' THEN 7 ELSE -7 END ${where} AND account IN ('creator', 'platform')`],
      [`CREATE TABLE journal_kept AS SELECT * FROM journal ${where}; DELETE FROM journal ${where}`, "INSERT INTO journal SELECT * FROM journal_kept"],
    ] as const) {
      await psql(`BEGIN; ${does}; COMMIT`);
      const failures = await replayed(ledger);
      assert.ok(failures.length >= 2 && failures.every(({ table }) => table === "journal"), JSON.stringify(failures));
      await psql(`BEGIN; ${undoes}; COMMIT`);
      assert.deepEqual(await replayed(ledger), []);
    }
    await psql(`ALTER TABLE journal DISABLE TRIGGER journal_balances; UPDATE journal SET amount = amount - 1 ${where} AND account = 'platform'; ALTER TABLE journal ENABLE ALWAYS TRIGGER journal_balances`);
    assert.deepEqual(await store.snapshot(trialBalance).then(({ unbalanced, currencies }) => [unbalanced, ...currencies.filter(({ currency }) => currency === "EUR").map(({ currency, balance }) => `${currency} ${balance}`)]), [1, `EUR -0.${"0".repeat(20)}1`]);
    assert.equal((await replayed(ledger)).length, 1);
    await psql(`UPDATE journal SET amount = amount + 1 ${where} AND account = 'platform'`);
    assert.deepEqual(await replayed(ledger), []);
  } finally {
    await ledger.close();
  }
});

test("the database's superuser changes a correction's row, takes it away, adds one: each is named", async () => {
  const { clock, ledger, meters, closing } = await world(store);
  try {
    const unit = await newUnit();
    await meters.record(unit);
    clock.at = AFTER_NOVEMBER;
    await closing().round();
    await sell(ledger, unit, "late", "9.99", FIRST_READING + 1);
    clock.at = AFTER_DECEMBER;
    await closing().round();
    const where = `WHERE imvu = '${unit}'`;
    await psql(`DROP TABLE IF EXISTS correction_kept; CREATE TABLE correction_kept AS SELECT * FROM correction ${where}`);
    for (const does of [
      `UPDATE correction SET gross = gross + 100, creator = creator + 55, platform = platform + 45 ${where}`,
      `UPDATE correction SET doc = jsonb_set(doc, '{payout,creator}', '"0.01"') ${where}`,
      `INSERT INTO correction SELECT imvu, period, 2, currency, gross, creator, platform, doc, 999998 FROM correction ${where}`,
      `DELETE FROM correction ${where}`,
    ]) {
      await psql(does);
      assert.deepEqual((await replayed(ledger)).map(({ table, key }) => [table, key.startsWith(unit)]), [["correction", true]], does);
      await psql(`DELETE FROM correction ${where}; INSERT INTO correction SELECT * FROM correction_kept`);
      assert.deepEqual(await replayed(ledger), []);
    }
    await assert.rejects(psql(`UPDATE correction SET creator = creator - 1, platform = platform + 1 ${where}`), /correction_split_55_45/);
    await assert.rejects(psql(`UPDATE correction SET creator = creator - 1 ${where}`), /correction_whole/);
  } finally {
    await ledger.close();
  }
});

for (const instant of ["before BEGIN", "after INSERT", "before COMMIT", "COMMIT sent, not persisted", "COMMIT sent, persisted anyway"] as const) {
  test(`lost while it closes, ${instant}: the next start finds it closed, or closes it, and never twice`, async () => {
    const faulty = new FaultyStore(store);
    const before = await world(faulty);
    const unit = await newUnit();
    await before.meters.record(unit);
    before.clock.at = AFTER_NOVEMBER;
    await before.closing().round();
    await sell(before.ledger, unit, "late", "9.99", FIRST_READING + 1);
    before.clock.at = AFTER_DECEMBER;
    await before.meters.record(unit);
    await before.ledger.receipt(before.ledger.size() - 1);
    faulty.strike({ after: 0, instant, dies: true });
    // A dead process answers nobody: it is not waited for.
    before.closing().round().catch(() => {});
    for (const until = Date.now() + 10_000; !faulty.struck; await sleep(5)) assert.ok(Date.now() < until, "the death");
    const { clock, ledger, closing } = await world(store);
    try {
      clock.at = AFTER_DECEMBER + 60_000;
      await closing().round();
      assert.deepEqual([await closed(unit), await inLog(ledger, unit)], [["2026-11", "2026-12"], ["2026-11", "2026-12"]]);
      assert.deepEqual(await typesOf(ledger, unit), ["statement.closed", "statement.corrected", "statement.closed"]);
      assert.deepEqual(await replayed(ledger), []);
      assert.equal((await checked(ledger, unit)).ok, true);
    } finally {
      await ledger.close();
    }
  });
}

test("the database's superuser changes a closed statement's row, takes it away, adds one: each is named; a split that is none is refused by the database", async () => {
  const { clock, ledger, meters, closing } = await world(store);
  try {
    const unit = await newUnit();
    await meters.record(unit);
    clock.at = AFTER_NOVEMBER;
    await closing().round();
    const where = `WHERE imvu = '${unit}'`;
    for (const [does, undoes] of [
      [`UPDATE statement SET gross = gross + 100, creator = creator + 55, platform = platform + 45 ${where}`, `UPDATE statement SET gross = gross - 100, creator = creator - 55, platform = platform - 45 ${where}`],
      [`UPDATE statement SET doc = jsonb_set(doc, '{platform}', '"1.0"') ${where}`, `UPDATE statement SET doc = jsonb_set(doc, '{platform}', (SELECT doc->'platform' FROM statement_kept ${where})) ${where}`],
      [`INSERT INTO statement SELECT imvu, '2026-10', currency, gross, creator, platform, doc, 999999 FROM statement ${where}`, `DELETE FROM statement ${where} AND period = '2026-10'`],
      [`DELETE FROM statement ${where}`, "INSERT INTO statement SELECT * FROM statement_kept"],
    ] as const) {
      await psql(`DROP TABLE IF EXISTS statement_kept; CREATE TABLE statement_kept AS SELECT * FROM statement ${where}`);
      await psql(does);
      assert.ok((await replayed(ledger)).every(({ key }) => key.startsWith(unit)));
      assert.equal((await replayed(ledger)).length, 1, does);
      await psql(undoes);
      assert.deepEqual(await replayed(ledger), [], undoes);
    }
    await assert.rejects(psql(`UPDATE statement SET creator = creator - 1, platform = platform + 1 ${where}`), /statement_split_55_45/);
    await assert.rejects(psql(`UPDATE statement SET creator = creator - 1 ${where}`), /statement_whole/);
  } finally {
    await ledger.close();
  }
});

test("a statement that the platform made up is named by whoever makes it again", async () => {
  const { clock, ledger, meters, closing } = await world(store);
  try {
    const unit = await newUnit();
    await meters.record(unit);
    clock.at = AFTER_NOVEMBER;
    await closing().round();
    const [{ statement } = { statement: undefined }] = await store.snapshot((tx) => closedMonths(tx, unit));
    assert.ok(statement);
    await ledger.append([{ stream: unit, type: "statement.closed", actor: "platform", data: JSON.parse(JSON.stringify({ ...statement, platform: statement.creator, creator: statement.platform })) as Json }]);
    const { ok, failures } = await checked(ledger, unit);
    assert.equal(ok, false);
    assert.ok(failures.some(({ what }) => /2026-11/.test(what)));
  } finally {
    await ledger.close();
  }
});

test("a platform that keeps a late sale back is named when the month in which it was recorded closes, and one that corrects by something else at once", async () => {
  const { clock, ledger, meters, closing } = await world(store);
  try {
    const [unit, other] = [await newUnit(), await newUnit()];
    for (const one of [unit, other]) await meters.record(one);
    clock.at = AFTER_NOVEMBER;
    await closing().round();
    for (const one of [unit, other]) await sell(ledger, one, "late", "9.99", FIRST_READING + 1);
    clock.at = AFTER_DECEMBER;
    for (const one of [unit, other]) await meters.record(one);
    const made = await statementFor({ ledger, openings }, { id: unit }, "2026-12");
    assert.ok(made.ok);
    await ledger.append([{ stream: unit, type: "statement.closed", actor: "platform", data: JSON.parse(JSON.stringify({ ...made.value, closed: true })) as Json }]);
    const kept = await checked(ledger, unit);
    assert.deepEqual(kept.failures.map(({ expected }) => expected.replace(/\d+$/, "N")), ["first a correction of 2026-11 that knows entry N"]);
    await closing().round();
    const [{ corrections: [correction] } = { corrections: [] }] = await store.snapshot((tx) => closedMonths(tx, other, "2026-11"));
    assert.ok(correction);
    const { index: _, ...doc } = correction;
    await ledger.append([{ stream: other, type: "statement.corrected", actor: "platform", data: JSON.parse(JSON.stringify({ ...doc, number: 2 })) as Json }]);
    assert.match((await checked(ledger, other)).failures[0]?.what ?? "", /statement\.corrected/);
  } finally {
    await ledger.close();
  }
});

test("a sale that stands in the log twice, because somebody took its row away, counts once; the month closes, and the second is named", async () => {
  const { clock, ledger, meters, closing } = await world(store);
  try {
    const unit = await newUnit();
    await meters.record(unit);
    await sell(ledger, unit, "order", "10.00", FIRST_READING + 1);
    await sell(ledger, unit, "order", "70.00", FIRST_READING + 2);
    await sell(ledger, unit, "refund", "10.01", FIRST_READING + 3, "order");
    clock.at = AFTER_NOVEMBER;
    await closing().round();
    const [november] = await store.snapshot((tx) => closedMonths(tx, unit));
    assert.deepEqual(november?.statement.revenue, { recorded: `10.${"0".repeat(21)}`, reversed: `0.${"0".repeat(21)}`, sales: 1, reversals: 0 });
    const { ok, failures } = await checked(ledger, unit);
    assert.equal(ok, false);
    assert.deepEqual(failures.map(({ found }) => found), ["order is booked already", "refund pays back more than is left of order"]);
  } finally {
    await ledger.close();
  }
});

test("a statement in figures that are none, whoever wrote it, is named and stops no replay", async () => {
  const { ledger } = await world(store);
  try {
    const unit = await newUnit();
    await ledger.append([{ stream: unit, type: "statement.closed", actor: "platform", data: { imvu: unit, period: "2026-11", currency: "EUR", gross: "much", creator: 1, closed: true } }]);
    assert.ok((await replayed(ledger)).some(({ table, key }) => table === "statement" && key === `${unit} 2026-11`));
  } finally {
    await ledger.close();
  }
});

test("the next month is rated from where the last one ended, without the readings before it, and comes to the same as from the first", async () => {
  const { clock, ledger, meters, closing } = await world(store);
  try {
    const units = [await newUnit(), await newUnit({ timeZone: "Asia/Kolkata" as TimeZone })];
    const [unit, elsewhere] = units as [ImvuId, ImvuId];
    await agree(ledger, elsewhere, { timeZone: "Asia/Kolkata" }, FIRST_READING);
    for (clock.at = FIRST_READING; clock.at < AFTER_NOVEMBER; clock.at += 9 * 3_600_000) for (const one of units) await meters.record(one);
    for (const one of units) await sell(ledger, one, "early", "5.00", FIRST_READING + 1);
    clock.at = AFTER_NOVEMBER;
    assert.equal(await closing().round(), 2);
    for (const one of units) await sell(ledger, one, "back", "1.25", AFTER_NOVEMBER, "early");
    for (clock.at += 1; clock.at < AFTER_DECEMBER; clock.at += 50 * 3_600_000) for (const one of units) await meters.record(one);
    clock.at = AFTER_DECEMBER;
    for (const one of units) await meters.record(one);
    const read = { readings: 0, others: 0 };
    const counting: Pick<Ledger, "entries"> = {
      async *entries(filter) {
        for await (const entry of ledger.entries(filter)) {
          if (filter?.stream !== "platform") read[entry.type === "meter.reading" ? "readings" : "others"] += 1;
          yield entry;
        }
      },
    };
    const drawn = async (from: Openings) => {
      Object.assign(read, { readings: 0, others: 0 });
      const made = await closingFor({ ledger: counting, openings: from }, { id: elsewhere, timeZone: "Asia/Kolkata" as TimeZone }, "2026-12");
      assert.ok(made.ok);
      return { ...made.value, read: { ...read } };
    };
    const [resumed, whole] = [await drawn(openings), await drawn(new Openings(join(site.dir, "nothing")))];
    // 56 in November, and then those after it, the one that November waited for among them; besides, the head once more.
    assert.ok(whole.read.readings > 70 && resumed.read.readings < 20, JSON.stringify([whole.read, resumed.read]));
    assert.deepEqual(resumed.statement, whole.statement);
    assert.deepEqual(resumed.opening, whole.opening);
    assert.deepEqual([whole.statement.revenue?.reversed, whole.statement.flags.length > 0], ["1.250000000000000000000", true]);
    assert.ok((await closing().round()) >= 2);
    for (const one of units) assert.deepEqual(await closed(one), ["2026-11", "2026-12"]);
    const { ok, failures } = await checked(ledger, ...units);
    assert.deepEqual([ok, failures], [true, []]);
    // A folder that cannot be written costs time and no month.
    const said: string[] = [];
    clock.at = Date.UTC(2027, 1, 1, 0, 0, 30);
    const full = new Closing({ store, ledger, meters, openings: { write: () => Promise.reject(new Error("no space")) }, clock, raters: () => new RatingPool({ site }, openings), say: (line) => void said.push(line) });
    assert.ok((await full.round()) >= 2);
    assert.match(said.filter((line) => line.startsWith(unit)).join("\n"), /what 2027-01 leaves for the next month is not kept: no space\n.*the statement of 2027-01 is closed/);
    assert.equal((await checked(ledger, ...units)).ok, true);
  } finally {
    await ledger.close();
  }
});
