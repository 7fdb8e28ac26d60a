import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import type { Printed } from "../../src/cli/demo/driver.ts";
import { run, runOk } from "../../src/kernel/index.ts";
import { TestHouse } from "../harness/test-house.ts";

const EURO = "0".repeat(19);

test("what is sold inside a unit is booked once, shared 55 to 45, paid back no further than it was sold, and leaves with it", async (t) => {
  await using house = await TestHouse.start();
  const { operator } = house;
  const [owner, till, stranger] = [await house.creator("creator-8891"), await house.creator("creator-7702"), await house.creator("workshop-17")];
  for (const one of [till, stranger]) await one.call.ok("identity", "register");
  const unit = await house.unit(owner, "ArtGallery");
  const of = ["--imvu-id", unit.imvu.id] as const;
  const began = Date.now();
  const sell = (sourceId: string, amount: string, ...more: string[]) => ["revenue", "record", ...of, "--source-id", sourceId, "--amount", amount, ...more];
  const refund = (sourceId: string, reverses: string, amount: string, ...more: string[]) => ["revenue", "reverse", ...of, "--source-id", sourceId, "--reverses", reverses, "--amount", amount, ...more];
  const size = async () => (await owner.call.ok("ledger", "entries", ...of, "--limit", "500")).entries.filter(({ type }: Printed) => type.startsWith("command.")).length;

  await t.test("booked once, however often it is sent; another sale under the same name is refused", async () => {
    const first = await owner.call.ok(...sell("order-17", "12.34"));
    const before = await size();
    const again = await owner.call.ok(...sell("order-17", "12.34"));
    assert.deepEqual([first.recordedBefore, again.recordedBefore, again.index, await size()], [false, true, first.index, before]);
    await owner.call.refused(3, /^GATE_06_REVENUE_RECORDED$/, ...sell("order-17", "12.35"));
    await owner.call.refused(3, /^GATE_06_REVENUE_RECORDED$/, ...sell("order-17", "12.34", "--at", new Date(began).toISOString()));
    await owner.call.refused(3, /^GATE_06_REVENUE_RECORDED$/, ...refund("order-17", "order-17", "12.34"));
    assert.equal((await owner.call.ok("revenue", "list", ...of)).sales.length, 1);
  });

  await t.test("ten at once under one name leave one", async () => {
    const many = await Promise.all(Array.from({ length: 10 }, () => owner.call.call(...sell("order-18", "0.01", "--at", new Date(began + 1).toISOString()))));
    assert.ok(many.some(({ code }) => code === 0));
    for (const { code, printed } of many) assert.ok(code === 0 || printed.error.code === "GATE_06_REVENUE_RECORDED", JSON.stringify(printed));
    assert.equal(await house.psql("SELECT count(*) FROM sale WHERE source_id = 'order-18'"), "1");
  });

  await t.test("by who keeps the till, and by nobody else", async () => {
    await stranger.call.refused(4, /^NO_SUCH_IMVU$/, ...sell("order-19", "1.00"));
    await owner.call.ok("imvu", "member", "add", "creator-7702", ...of, "--role", "viewer");
    assert.notEqual((await till.call.call(...sell("order-19", "1.00"))).code, 0);
    await owner.call.ok("imvu", "member", "add", "creator-7702", ...of, "--role", "billing");
    await till.call.ok(...sell("order-19", "1"));
    assert.equal(await house.psql("SELECT amount FROM sale WHERE source_id = 'order-19'"), "1.00");
  });

  await t.test("not before it was made, not before the unit was there, and not in figures that are no money", async () => {
    await owner.call.refused(3, /^GATE_06_REVENUE_AHEAD$/, ...sell("order-20", "1.00", "--at", new Date(Date.now() + 120_000).toISOString()));
    await owner.call.refused(3, /^GATE_06_REVENUE_BEFORE_UNIT$/, ...sell("order-20", "1.00", "--at", "2026-01-01T00:00:00Z"));
    for (const amount of ["0", "0.00", "-1.00", "1.005", "1e3", "1,00", "NaN", "9999999999999", "0x10", ""]) {
      const { code, printed } = await owner.call.call(...sell("order-20", amount));
      assert.deepEqual([code, printed.error.message.includes("amount")], [2, true], amount);
    }
    await owner.call.refused(3, /^GATE_06_REVENUE_CURRENCY$/, ...sell("order-20", "1.00", "--currency", "USD"));
    assert.equal((await owner.call.call(...sell("order-20", "1.00", "--currency", "DEM"))).code, 2);
    assert.equal((await owner.call.call(...sell("order-20", "1.00", "--at", "yesterday"))).code, 2);
    assert.equal(await house.psql("SELECT count(*) FROM sale WHERE source_id = 'order-20'"), "0");
  });

  await t.test("paid back no further than it was sold, and a refund is none to pay back", async () => {
    await owner.call.refused(3, /^GATE_06_REVERSES_TOO_MUCH$/, ...refund("refund-1", "order-17", "12.35"));
    await owner.call.refused(3, /^GATE_06_REVERSES_NOTHING$/, ...refund("refund-1", "order-99", "1.00"));
    await owner.call.ok(...refund("refund-1", "order-17", "10.00"));
    await owner.call.refused(3, /^GATE_06_REVERSES_TOO_MUCH$/, ...refund("refund-2", "order-17", "2.35"));
    await owner.call.ok(...refund("refund-2", "order-17", "2.34"));
    await owner.call.refused(3, /^GATE_06_REVERSES_NOTHING$/, ...refund("refund-3", "refund-1", "1.00"));
    const { sales } = await owner.call.ok("revenue", "list", ...of);
    assert.deepEqual(sales.map(({ sourceId, reverses, left }: Printed) => [sourceId, reverses, left]), [["order-17", null, "0.00"], ["order-18", null, "0.01"], ["order-19", null, "1.00"], ["refund-1", "order-17", null], ["refund-2", "order-17", null]]);
  });

  await t.test("the statement has it: gross is usage and sales, nothing is taken off, and what is paid is rounded up once", async () => {
    const shown = await owner.call.ok("statement", "show", ...of);
    assert.deepEqual(shown.revenue, { recorded: `13.35${EURO}`, reversed: `12.34${EURO}`, sales: 3, reversals: 2 });
    const units = (text: string) => BigInt(text.replace(".", ""));
    assert.equal(units(shown.gross), units(shown.usage) + 101n * 10n ** 19n);
    assert.equal(units(shown.platform), (units(shown.gross) * 45n) / 100n);
    assert.equal(units(shown.creator) + units(shown.platform), units(shown.gross));
    assert.equal(units(shown.payout.creator) * 10n ** 19n, units(shown.creator) + units(shown.payout.difference));
    assert.ok(units(shown.payout.difference) < 10n ** 19n);
  });

  await t.test("an audit report has it all on one page, and is not for everybody", async () => {
    const file = join(house.root, "report.html");
    const month = new Date().toISOString().slice(0, 7);
    const made = await owner.call.ok("audit", "report", ...of, "--out", file);
    const page = await readFile(file, "utf8");
    for (const said of [`Audit report ${unit.imvu.id} · ${month}`, "order-17", "refund-2", "paid back of order-17", made.creator.replace(/0+$/, "")]) assert.ok(page.includes(said), said);
    assert.match(page, /<tr id="\d{4}-\d\d-\d\d"><td>[^<]+<\/td><td>entr(y|ies) \d+/);
    assert.equal((await owner.call.call("audit", "report", ...of, "--out", file)).code, 2, "never over another file");
    const facts = JSON.parse(await readFile((await till.call.ok("audit", "report", ...of, "--out", join(house.root, "report.json"))).file, "utf8")) as Printed;
    assert.equal(facts.sales.length, 5);
    assert.equal((await stranger.call.call("audit", "report", ...of, "--out", join(house.root, "theirs.html"))).code, 4);
    const pdf = await readFile((await owner.call.ok("audit", "report", ...of, "--out", join(house.root, "report.pdf"))).file);
    assert.equal(pdf.subarray(0, 5).toString(), "%PDF-");
    assert.equal((await owner.call.call("audit", "report", ...of, "--out", join(house.root, "report.txt"))).code, 2);
    const { forecast, usage } = await owner.call.ok("statement", "show", ...of);
    assert.ok(BigInt(forecast.usage.replace(".", "")) >= BigInt(usage.replace(".", "")));
    assert.deepEqual((await owner.call.ok("statement", "journal", ...of)).lines, []);
    assert.deepEqual((await operator.ok("verify", "revenue")).journal, { lines: 0, unbalanced: 0, currencies: [] });
  });

  await t.test("the database's superuser changes, takes away or adds a sale: each is named, and no statement asks that table", async () => {
    const shown = await owner.call.ok("statement", "show", ...of);
    await house.psql("CREATE TABLE sale_kept AS SELECT * FROM sale");
    for (const does of [
      "UPDATE sale SET amount = 1000 WHERE source_id = 'order-19'",
      "DELETE FROM sale WHERE source_id = 'refund-2'",
      `INSERT INTO sale VALUES ('${unit.imvu.id}', 'invented', NULL, 5, 'EUR', '2026-11-23T00:00:00.000Z', 999999)`,
    ]) {
      await house.psql(does);
      const { failures } = (await operator.call("ledger", "replay", "--check")).printed;
      assert.deepEqual(failures.map(({ table }: Printed) => table), ["sale"], does);
      const now = await owner.call.ok("statement", "show", ...of);
      assert.deepEqual(now.revenue, shown.revenue);
      await house.psql("DELETE FROM sale; INSERT INTO sale SELECT * FROM sale_kept");
      await operator.ok("ledger", "replay", "--check");
    }
    await assert.rejects(house.psql(`SET ROLE nexus_service; UPDATE sale SET amount = 2`), /permission denied/);
  });

  await t.test("it leaves with the unit, and two programs make the sums again", async () => {
    await operator.ok("down");
    await house.up();
    const exit = await owner.call.ok("imvu", "exit", ...of, "--export-path", join(house.root, "exit"));
    const lines = (await readFile(join(exit.path, "ledger/revenue/sales.jsonl"), "utf8")).trim().split("\n").map((line) => JSON.parse(line) as Printed);
    assert.deepEqual(lines.map(({ sourceId, amount }) => `${sourceId} ${amount}`), ["order-17 12.34", "order-18 0.01", "order-19 1.00", "refund-1 10.00", "refund-2 2.34"]);
    await runOk([process.execPath, join(exit.path, "verify.mjs")]);
    const said = await run(["/usr/bin/python3", join(import.meta.dirname, "../vectors/stranger.py"), "--bundle", exit.path]);
    assert.equal(said.code, 0, said.stdout.toString() + said.stderr);
    assert.equal((await operator.ok("verify", "revenue")).ok, true);
  });
});
