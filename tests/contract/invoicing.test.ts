import assert from "node:assert/strict";
import test from "node:test";
import { type Buyer, RESOURCES, type Resource, type Seller } from "../../src/contract/index.ts";
import type { Invoice } from "../../src/core/handshake/index.ts";
import { createIdentityKey } from "../../src/core/identity/index.ts";
import type { Ledger } from "../../src/core/ledger/index.ts";
import type { Store } from "../../src/core/store/index.ts";
import { type ImvuId, type Json, messageOf, sleep } from "../../src/kernel/index.ts";
import { Closing } from "../../src/platform/closing.ts";
import { Openings } from "../../src/platform/openings.ts";
import { RatingPool } from "../../src/platform/rating-pool.ts";
import { Invoicing, invoicesOf, invoicesOfMonth } from "../../src/platform/invoices.ts";
import { Meters } from "../../src/platform/meters.ts";
import { loggedMonths } from "../../src/platform/held-to-log.ts";
import { revenueCheck } from "../../src/platform/revenue-check.ts";
import { FaultyStore } from "../harness/faulty-store.ts";
import { BUYER, EXEMPT, SELLER } from "../harness/invoices.ts";
import { LedgerHouse } from "../harness/ledger-house.ts";
import { accepted, AFTER_DECEMBER, AFTER_NOVEMBER, counting, FIRST_READING, notAsTold, publishTariff, turnedClock, Units } from "../harness/metered-units.ts";

/** Invoices on the real store and the real log; each test has a series, and so a prefix, of its own. Only counters and clock are the test's. */
const house = await LedgerHouse.start();
const { site, store } = house;
const units = new Units(store);
test.after(() => house[Symbol.asyncDispose]());
const signer = createIdentityKey();

test.before(async () => {
  const { ledger } = await world(store);
  await publishTariff(ledger);
  await ledger.close();
});

async function world(on: Store) {
  const clock = turnedClock();
  const ledger = await house.open("invoicing.example/nexus", on, clock);
  const said: string[] = [];
  const idle = new Set<ImvuId>();
  const value = (imvu: ImvuId, resource: Resource) => (idle.has(imvu) ? "0" : RESOURCES[resource].kind === "gauge" ? "1000000000" : String((clock.at - FIRST_READING) * 1_000));
  const meters = new Meters([counting(value)], ledger, clock);
  const say = (line: string) => void said.push(line);
  return { clock, ledger, meters, said, idle, closing: () => new Closing({ store: on, ledger, meters, openings: new Openings(site.dir), clock, raters: () => new RatingPool({ site }, new Openings(site.dir)), say }), invoicing: (over: Pick<Ledger, "append" | "entries" | "verifierKey"> = ledger) => new Invoicing({ store: on, ledger: over, clock, say }) };
}

const newUnit = () => units.add();
const bills = (ledger: Ledger, imvu: ImvuId | null, profile: Buyer | Seller) =>
  accepted(ledger, signer, FIRST_READING, imvu === null ? "platform.billing.set" : "imvu.billing.set", imvu, profile, async (tx, { index }) => {
    await tx.run("INSERT INTO billing (subject, doc, entry_index) VALUES ($1, $2::jsonb, $3) ON CONFLICT (subject) DO UPDATE SET doc = excluded.doc, entry_index = excluded.entry_index", [imvu ?? "platform", JSON.stringify(profile), index]);
  });
const sell = (ledger: Ledger, imvu: ImvuId, sourceId: string, amount: string, at_ms: number, reverses?: string) =>
  accepted(ledger, signer, at_ms, reverses === undefined ? "revenue.record" : "revenue.reverse", imvu, { sourceId, amount, currency: "EUR", at: new Date(at_ms).toISOString(), ...(reverses === undefined ? {} : { reverses }) });
const issued = async (imvu: ImvuId) => await store.snapshot((tx) => invoicesOf(tx, imvu));
const why = async (imvu: ImvuId, month = "2026-11") => {
  const found = await store.snapshot((tx) => invoicesOfMonth(tx, imvu, month));
  return found.ok ? found.value.map(({ invoice }) => invoice.number) : found.code;
};
const checked = async (ledger: Ledger) => await revenueCheck(ledger, units.all);
const replayed = (ledger: Ledger) => notAsTold(store, ledger, ["invoice", "billing"]);
const asSuperuser = (sql: string) => house.psql(`BEGIN; ALTER TABLE invoice DISABLE TRIGGER USER; ${sql}; ALTER TABLE invoice ENABLE ALWAYS TRIGGER invoice_stands; ALTER TABLE invoice ENABLE ALWAYS TRIGGER invoice_follows; COMMIT`);
const prefixed = (prefix: string): Seller => ({ ...SELLER, prefix });

test("a closed month has an invoice as soon as both sides have a profile, once; until then the answer says what is missing", async () => {
  const { clock, ledger, meters, closing, invoicing, said } = await world(store);
  try {
    const unit = await newUnit();
    await meters.record(unit);
    await sell(ledger, unit, "order-1", "100.00", FIRST_READING + 1);
    assert.equal(await why(unit), "INVOICE_MONTH_OPEN");
    clock.at = AFTER_NOVEMBER;
    await closing().round();
    const one = invoicing();
    assert.deepEqual([await one.round(), await why(unit)], [0, "INVOICE_NO_BUYER"]);
    await bills(ledger, unit, BUYER);
    assert.deepEqual([await one.round(), await why(unit)], [0, "INVOICE_NO_SELLER"]);
    await bills(ledger, null, prefixed("A"));
    assert.equal(await why(unit), "INVOICE_PENDING");
    assert.equal(await one.round(), 1, said.join());
    assert.deepEqual([await one.round(), await invoicing().round()], [0, 0]);
    const [{ invoice, index } = { invoice: {} as Invoice, index: -1 }] = await issued(unit);
    const statement = await store.snapshot((tx) => tx.query<{ entry_index: string; platform: string }>("SELECT entry_index, platform::text AS platform FROM statement WHERE imvu = $1", [unit]));
    assert.deepEqual([invoice.number, invoice.kind, invoice.issued, invoice.statement, invoice.vat.category, invoice.preceding], ["A-2026-000001", "invoice", "2026-12-01", Number(statement[0]?.entry_index), "AE", null]);
    assert.equal(invoice.amounts.paid.replace(".", ""), String(BigInt(statement[0]?.platform ?? "0") / 10n ** 19n));
    assert.ok(index > invoice.statement && invoice.buyer.index < index && invoice.seller.index < index);
    assert.ok(said.includes(`${unit}: invoice A-2026-000001 of 2026-11 is issued`));
    assert.deepEqual(await replayed(ledger), []);
    const { ok, invoices, failures } = await checked(ledger);
    assert.deepEqual([ok, invoices, failures], [true, 1, []]);
    assert.equal(await why(unit, "2026-13"), "BAD_MONTH".replace("MONTH", "PERIOD"));
  } finally {
    await ledger.close();
  }
});

test("a share of less than a cent is not invoiced, and is not waited for", async () => {
  const { clock, ledger, meters, idle, closing, invoicing } = await world(store);
  try {
    const unit = await newUnit();
    idle.add(unit);
    await bills(ledger, null, prefixed("B"));
    await bills(ledger, unit, BUYER);
    await meters.record(unit);
    clock.at = AFTER_NOVEMBER;
    await closing().round();
    const one = invoicing();
    assert.deepEqual([await one.round(), await why(unit)], [0, "INVOICE_NO_SHARE"]);
  } finally {
    await ledger.close();
  }
});

test("what corrects a month adds an invoice or a credit note that names the one before; a changed profile counts from then on", async () => {
  const { clock, ledger, meters, closing, invoicing } = await world(store);
  try {
    const unit = await newUnit();
    await bills(ledger, null, prefixed("C"));
    await bills(ledger, unit, BUYER);
    await meters.record(unit);
    await sell(ledger, unit, "order-1", "100.00", FIRST_READING + 1);
    clock.at = AFTER_NOVEMBER;
    await closing().round();
    await invoicing().round();
    await sell(ledger, unit, "refund-1", "40.00", FIRST_READING + 3, "order-1");
    await bills(ledger, null, { ...EXEMPT, prefix: "C" });
    clock.at = AFTER_DECEMBER;
    await closing().round();
    await invoicing().round();
    const [november, credit, december] = (await issued(unit)).map(({ invoice }) => invoice);
    assert.ok(november && credit && december);
    assert.match(credit.number, /^C-2027-00000\d$/);
    assert.deepEqual([credit.kind, credit.period, credit.correction, credit.amounts.paid, credit.vat.category], ["credit-note", "2026-11", 1, "18.00", "E"]);
    assert.deepEqual(credit.preceding, { number: november.number, issued: november.issued });
    assert.deepEqual([december.kind, december.sequence, december.period, december.preceding], ["invoice", credit.sequence + 1, "2026-12", null]);
    assert.equal(november.vat.category, "AE");
    assert.deepEqual(await replayed(ledger), []);
    assert.equal((await checked(ledger)).ok, true);
  } finally {
    await ledger.close();
  }
});

test("many closers at once write each once, without a gap", async () => {
  const { clock, ledger, meters, closing, invoicing } = await world(store);
  try {
    await bills(ledger, null, prefixed("D"));
    const many: ImvuId[] = [];
    for (let at = 0; at < 70; at += 1) {
      const unit = await newUnit();
      many.push(unit);
      await meters.record(unit);
      await sell(ledger, unit, "order-1", "1.00", FIRST_READING + 1);
      await bills(ledger, unit, BUYER);
    }
    clock.at = AFTER_NOVEMBER;
    await closing().round();
    const counts = await Promise.all([invoicing(), invoicing(), invoicing()].map((one) => one.round()));
    assert.equal(counts.reduce((a, b) => a + b), many.length);
    const numbers = (await Promise.all(many.map(issued))).map((all) => all.map(({ invoice }) => invoice.sequence));
    assert.deepEqual(numbers.flat().sort((a, b) => a - b), Array.from({ length: many.length }, (_, at) => at + 1));
    assert.deepEqual(await replayed(ledger), []);
    assert.equal((await checked(ledger)).ok, true);
  } finally {
    await ledger.close();
  }
});

test("an invoice between profiles that changed while it was written is not written; the next try is between those that are there", async () => {
  const { clock, ledger, meters, closing, invoicing } = await world(store);
  try {
    const unit = await newUnit();
    await bills(ledger, null, prefixed("E"));
    await bills(ledger, unit, BUYER);
    await meters.record(unit);
    await sell(ledger, unit, "order-1", "1.00", FIRST_READING + 1);
    clock.at = AFTER_NOVEMBER;
    await closing().round();
    let changed = false;
    const slow: Pick<Ledger, "append" | "entries" | "verifierKey"> = {
      verifierKey: ledger.verifierKey,
      entries: (filter) => ledger.entries(filter),
      append: async (...request) => {
        if (!changed) await bills(ledger, unit, { ...BUYER, name: "Somebody else" });
        changed = true;
        return await ledger.append(...request);
      },
    };
    assert.equal(await invoicing(slow).round(), 1);
    const [{ invoice } = { invoice: undefined }] = await issued(unit);
    assert.deepEqual([invoice?.number, invoice?.buyer.profile.name], ["E-2026-000001", "Somebody else"]);
    assert.equal((await checked(ledger)).ok, true);
  } finally {
    await ledger.close();
  }
});

for (const instant of ["before BEGIN", "after INSERT", "before COMMIT", "COMMIT sent, not persisted", "COMMIT sent, persisted anyway"] as const) {
  test(`lost while it is written, ${instant}: the next start finds it issued, or issues it, and no number is missing`, async () => {
    const faulty = new FaultyStore(store);
    const before = await world(faulty);
    const prefix = `F${["before BEGIN", "after INSERT", "before COMMIT", "COMMIT sent, not persisted", "COMMIT sent, persisted anyway"].indexOf(instant)}`;
    await bills(before.ledger, null, prefixed(prefix));
    const both = [await newUnit(), await newUnit()];
    for (const unit of both) {
      await bills(before.ledger, unit, BUYER);
      await before.meters.record(unit);
      await sell(before.ledger, unit, "order", "9.99", FIRST_READING + 1);
    }
    before.clock.at = AFTER_NOVEMBER;
    await before.closing().round();
    await before.ledger.receipt(before.ledger.size() - 1);
    faulty.strike({ after: 0, instant, dies: true });
    // A dead process answers nobody: it is not waited for.
    before.invoicing().round().catch(() => {});
    for (const until = Date.now() + 10_000; !faulty.struck; await sleep(5)) assert.ok(Date.now() < until, "the death");
    const { clock, ledger, invoicing } = await world(store);
    try {
      clock.at = AFTER_NOVEMBER + 60_000;
      await invoicing().round();
      assert.deepEqual((await Promise.all(both.map(issued))).flat().map(({ invoice }) => invoice.number).sort(), [`${prefix}-2026-000001`, `${prefix}-2026-000002`]);
      assert.deepEqual(await replayed(ledger), []);
      assert.equal((await checked(ledger)).ok, true);
    } finally {
      await ledger.close();
    }
  });
}

test("the database refuses a gap, a second invoice of a statement, another number, a change and a deletion; what its superuser does is named", async () => {
  const { ledger } = await world(store);
  try {
    const [unit] = units.all;
    assert.ok(unit);
    const where = "WHERE number = 'A-2026-000001'";
    const copy = (series: string, sequence: number, number: string, statement: number) => `INSERT INTO invoice SELECT '${series}', ${sequence}, '${number}', imvu, period, ${statement}, doc, ${1_000_000 + sequence} FROM invoice ${where}`;
    const tries: readonly (readonly [string, RegExp])[] = [
      [copy("A-2026", 3, "A-2026-000003", 900_001), /invoices have no gaps: number 3 of A-2026 does not follow 1/],
      [copy("A-2026", 1, "A-2026-000001", 900_001), /no gaps/],
      [copy("Z-2026", 2, "Z-2026-000002", 900_001), /does not follow 0/],
      [copy("Z-2026", 1, "Z-2026-000007", 900_001), /invoice_number/],
      [copy("Z-2026", 0, "Z-2026-000000", 900_001), /no gaps/],
      [`INSERT INTO invoice SELECT 'Z-2026', 1, 'Z-2026-000001', imvu, period, statement_index, doc, 900001 FROM invoice ${where}`, /invoice_statement_index_key/],
      [`UPDATE invoice SET doc = jsonb_set(doc, '{amounts,vat}', '"0.00"') ${where}`, /an invoice that was issued stands: UPDATE is refused/],
      [`DELETE FROM invoice ${where}`, /DELETE is refused/],
      ["TRUNCATE invoice", /TRUNCATE is refused/],
      ["SET ROLE nexus_service; DELETE FROM invoice", /permission denied/],
    ];
    for (const [sql, refused] of tries) await assert.rejects(house.psql(sql), (error) => refused.test(messageOf(error)) || assert.fail(`${sql}: ${messageOf(error)}`));
    await house.psql("CREATE TABLE invoice_kept AS SELECT * FROM invoice");
    for (const [does, keys] of [
      [`UPDATE invoice SET doc = jsonb_set(doc, '{amounts,vat}', '"7.00"') ${where}`, ["A-2026-000001"]],
      [`UPDATE invoice SET period = '2026-10' ${where}`, ["A-2026-000001"]],
      [`DELETE FROM invoice ${where}`, ["A-2026-000001"]],
      [copy("A-2026", 2, "A-2026-000002", 900_001), ["A-2026-000002"]],
    ] as const) {
      await asSuperuser(does);
      assert.deepEqual((await replayed(ledger)).map(({ table, key }) => [table, key]), keys.map((key) => ["invoice", key]), does);
      await asSuperuser("DELETE FROM invoice; INSERT INTO invoice SELECT * FROM invoice_kept ORDER BY series, sequence");
      assert.deepEqual(await replayed(ledger), []);
    }
    await house.psql(`UPDATE billing SET doc = jsonb_set(doc, '{name}', '"Mallory"') WHERE subject = '${unit.id}'`);
    assert.deepEqual((await replayed(ledger)).map(({ table, key }) => [table, key]), [["billing", unit.id]]);
    await house.psql(`UPDATE billing SET doc = jsonb_set(doc, '{name}', '"${BUYER.name}"') WHERE subject = '${unit.id}'`);
    assert.deepEqual(await replayed(ledger), []);
  } finally {
    await ledger.close();
  }
});

const LIES: Readonly<Record<string, readonly [(honest: Invoice) => Partial<Invoice>, RegExp]>> = {
  "other figures": [({ amounts }) => ({ amounts: { ...amounts, vat: "1.00" } }), /G0-2026-000001 amounts\.vat/],
  "another category": [({ vat }) => ({ vat: { ...vat, category: "S" } }), /vat\.category/],
  "another seller": [({ seller }) => ({ seller: { ...seller, profile: { ...seller.profile, name: "Somebody" } } }), /seller\.profile\.name/],
  "an older profile of the buyer": [({ buyer }) => ({ buyer: { ...buyer, index: 1 } }), /buyer\.index/],
  "a line more": [({ annex }) => ({ annex: { ...annex, usage: "0.000000000000000000000" } }), /annex\.usage/],
  "a day of its own": [() => ({ issued: "2026-11-29" }), /dated when it was written/],
  "no statement": [() => ({ statement: 0 }), /one invoice of a closed statement/],
  "a gap before it": [({ sequence }) => ({ sequence: sequence + 1, number: "G7-2026-000002" }), /no number 1/],
};
for (const [at, [what, [change, named]]] of Object.entries(LIES).entries())
  test(`an invoice with ${what} that the platform writes into its log is named by whoever makes it again`, async () => {
    const { clock, ledger, meters, closing, invoicing } = await world(store);
    try {
      const unit = await newUnit();
      await bills(ledger, null, prefixed(`G${at}`));
      await bills(ledger, unit, BUYER);
      await meters.record(unit);
      await sell(ledger, unit, "order-1", "100.00", FIRST_READING + 1);
      clock.at = AFTER_NOVEMBER;
      await closing().round();
      const before = (await checked(ledger)).failures.length;
      const lying: Pick<Ledger, "append" | "entries" | "verifierKey"> = {
        verifierKey: ledger.verifierKey,
        entries: (filter) => ledger.entries(filter),
        append: (entries, also) => ledger.append(entries.map((entry) => ({ ...entry, data: { ...(entry.data as object), ...change(entry.data as unknown as Invoice) } as unknown as Json })), also),
      };
      assert.equal(await invoicing(lying).round(), 1);
      const { ok, failures } = await checked(ledger);
      assert.equal(ok, false);
      const fresh = failures.slice(before);
      assert.ok(failures.length > before && failures.some(({ what: where, expected, found }) => named.test(`${where} ${expected} ${found}`)), JSON.stringify(fresh));
    } finally {
      await ledger.close();
    }
  });

test("an invoice that is none, whoever wrote it, is named and stops neither replay nor check", async () => {
  const { ledger } = await world(store);
  try {
    const unit = await newUnit();
    const known = (await replayed(ledger)).length;
    const none: readonly Json[] = [null, "an invoice", { number: 1 }, { number: "A-1", statement: {}, seller: "nobody", sequence: "1", issued: 7 }];
    for (const data of none) await ledger.append([{ stream: unit, type: "invoice.issued", actor: "platform", data }]);
    assert.ok((await replayed(ledger)).length > known);
    const { failures } = await checked(ledger);
    assert.equal(failures.filter(({ expected }) => expected.startsWith("one invoice of a closed statement")).length >= 4, true);
  } finally {
    await ledger.close();
  }
});

test("a statement or correction whose row somebody changed is shown to nobody and invoiced to nobody; the others are, and it is when its row is the log's again", async () => {
  const { clock, ledger, meters, said, closing, invoicing } = await world(store);
  try {
    const [unit, other] = [await newUnit(), await newUnit()];
    for (const one of [unit, other]) {
      await bills(ledger, one, BUYER);
      await meters.record(one);
      await sell(ledger, one, "order-1", "100.00", FIRST_READING + 1);
    }
    await bills(ledger, null, prefixed("T"));
    clock.at = AFTER_NOVEMBER;
    await closing().round();
    const row = `FROM statement WHERE imvu = '${unit}'`;
    await house.psql(`CREATE TABLE row_kept AS SELECT * ${row}`);
    const invoices = invoicing();
    const changes = ["gross = gross + 100, creator = creator + 55, platform = platform + 45, doc = jsonb_set(doc, '{platform}', '\"1.000000000000000000000\"')", "doc = jsonb_set(doc, '{imvu}', '\"IMVU-999\"')", "doc = doc || '{\"fee\": \"1.00\"}'", "entry_index = entry_index + 1000000"];
    for (const [at, change] of changes.entries()) {
      await house.psql(`UPDATE statement SET ${change} WHERE imvu = '${unit}'`);
      await assert.rejects(loggedMonths(store, ledger, unit), /somebody changed it/, change);
      assert.equal(await invoices.round(), at === 0 ? 1 : 0, said.slice(-3).join("\n"));
      assert.ok(said.some((line) => /^an invoice is not written: the table says something else of .*somebody changed it/.test(line)), said.join("\n"));
      assert.deepEqual([(await issued(unit)).length, (await issued(other)).length], [0, 1]);
      await house.psql(`UPDATE statement SET gross = kept.gross, creator = kept.creator, platform = kept.platform, doc = kept.doc, entry_index = kept.entry_index FROM row_kept AS kept WHERE statement.imvu = '${unit}'`);
    }
    await house.psql("CREATE TABLE billing_kept AS SELECT * FROM billing");
    for (const subject of [unit, "platform"]) {
      await house.psql(`UPDATE billing SET doc = jsonb_set(doc, '{vatId}', '"FR00000000000"') WHERE subject = '${subject}'`);
      assert.equal(await invoices.round(), 0, subject);
      assert.match(said.at(-1) ?? "", new RegExp(`an invoice is not written: .*billing profile of ${subject} than ledger entry \\d+: somebody changed it`));
      await house.psql(`UPDATE billing SET doc = kept.doc FROM billing_kept AS kept WHERE kept.subject = billing.subject AND billing.subject = '${subject}'`);
    }
    assert.deepEqual([(await loggedMonths(store, ledger, unit)).length, await invoices.round(), (await issued(unit)).length], [1, 1, 1]);
    await sell(ledger, unit, "late", "9.99", FIRST_READING + 1);
    clock.at = Date.UTC(2027, 0, 1, 0, 0, 30);
    await closing().round();
    assert.equal((await loggedMonths(store, ledger, unit, "2026-11"))[0]?.corrections.length, 1);
    await house.psql(`UPDATE correction SET doc = jsonb_set(doc, '{payout,creator}', '"0.01"') WHERE imvu = '${unit}'`);
    await assert.rejects(loggedMonths(store, ledger, unit, "2026-11"), /somebody changed it/);
  } finally {
    await ledger.close();
  }
});
