import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import type { Printed } from "../../src/cli/demo/driver.ts";
import { readMailbox } from "../../src/cli/demo/outside.ts";
import { eventually } from "../../src/cli/demo/world.ts";
import { run, runOk } from "../../src/kernel/index.ts";
import { TestHouse } from "../harness/test-house.ts";

/** Shell as root, past the product: nothing stops it, and each change is found by the gate whose law it breaks. */
test("what an administrator does behind the product's back is found", async (t) => {
  await using house = await TestHouse.start();
  const creator = await house.creator("creator-8891");
  const unit = await house.unit(creator, "ArtGallery");
  const { id, zone } = unit.imvu;
  const dir = join(house.home, "platform");
  const { homeId } = JSON.parse(await readFile(join(dir, "home.json"), "utf8"));
  const psql = async (sql: string) => await run(["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "psql", "-h", join(dir, "pg/run"), "-d", house.status.database.name, "-v", "ON_ERROR_STOP=1", "-Atqc", sql]);
  const gate = async (number: number): Promise<Printed> => (await house.operator.call("verify", "gates")).printed.gates[number - 1];
  const broken = async (number: number, why: RegExp) => {
    const row = await gate(number);
    assert.equal(row.verdict, "broken", `gate ${number}: ${row.evidence}`);
    assert.match(row.evidence, why);
  };
  const holds = async (number: number) => assert.equal((await gate(number)).verdict, "holds", `gate ${number}: ${(await gate(number)).evidence}`);

  await t.test("before: nothing is broken", async () => {
    const { gates } = (await house.operator.call("verify", "gates")).printed;
    assert.equal(gates.length, 17);
    assert.deepEqual(gates.filter((row: Printed) => row.verdict === "broken").map((row: Printed) => `${row.gate}: ${row.evidence}`), []);
  });
  await t.test("a DNAT rule in the router: gate 8", async () => {
    await holds(8);
    const inRouter = ["nsenter", `--net=/run/netns/nx${homeId}-r`, "nft"] as [string, ...string[]];
    await runOk([...inRouter, "add", "table", "ip", "evil"]);
    await runOk([...inRouter, "add", "chain", "ip", "evil", "pre", "{ type nat hook prerouting priority -100 ; }"]);
    await runOk([...inRouter, "add", "rule", "ip", "evil", "pre", "tcp", "dport", "80", "dnat", "to", "192.0.2.1"]);
    await broken(8, /./);
    await runOk([...inRouter, "delete", "table", "ip", "evil"]);
    await holds(8);
  });
  await t.test("counters in the router set back, which no monitor sees: in the ledger, and in the owner's mailbox", async () => {
    await creator.call.ok("meter", "read", "--imvu-id", id);
    assert.equal((await house.operator.ok("status")).drift.last, null);
    await runOk(["nsenter", `--net=/run/netns/nx${homeId}-r`, "nft", "reset", "counters"]);
    await creator.call.ok("meter", "read", "--imvu-id", id);
    const { entries } = await creator.call.ok("ledger", "entries", "--imvu-id", id);
    const found = entries.filter(({ type }: Printed) => type === "drift.found").map(({ data }: Printed) => data);
    assert.ok(found.length > 0 && found.every(({ what, series, was, now }: Printed) => what === "counter-fell" && /^network\./.test(series) && Number(now) < Number(was)), JSON.stringify(found));
    assert.notEqual((await house.operator.ok("status")).drift.last, null);
    const login = { address: unit.mail.address, password: (await readFile(unit.mail.passwordFile, "utf8")).trim(), ca: house.ca, servername: unit.mail.servername };
    const letter = await eventually("the letter", 10_000, async () => (await readMailbox(house.status.listen.imap, login)).find(({ subject }) => / set back$/.test(subject)));
    assert.match(letter.source.replaceAll("=\r\n", ""), /network\..* fell from \d+ to \d+/);
    await house.operator.ok("ledger", "replay", "--check");
    const made = await psql("UPDATE drift SET doc = jsonb_set(doc, '{now}', '\"1\"')");
    assert.equal(made.code, 0, made.stderr);
    assert.equal((await house.operator.call("ledger", "replay", "--check")).printed.failures[0].table, "drift");
    assert.equal((await psql("UPDATE drift SET doc = d.doc FROM (SELECT index, (body::jsonb) -> 'data' AS doc FROM ledger_entry) AS d WHERE d.index = drift.entry_index")).code, 0);
    await house.operator.ok("ledger", "replay", "--check");
  });
  await t.test("a record changed at the DNS server: gate 14", async () => {
    await holds(14);
    const knotc = (...args: string[]) => runOk(["knotc", "-s", join(dir, "domains/knot/run/k.sock"), ...args]);
    await knotc("zone-begin", zone);
    await knotc("zone-set", zone, "www", "300", "A", "203.0.113.66");
    await knotc("zone-commit", zone);
    await broken(14, /203\.0\.113\.66|www/);
    await knotc("zone-begin", zone);
    await knotc("zone-unset", zone, "www", "A", "203.0.113.66");
    await knotc("zone-commit", zone);
    await holds(14);
  });
  await t.test("a zone nobody owns: gate 3", async () => {
    const knotc = (...args: string[]) => runOk(["knotc", "-s", join(dir, "domains/knot/run/k.sock"), ...args]);
    await knotc("conf-begin");
    await knotc("conf-set", "zone.domain", "stray.world");
    await knotc("conf-commit");
    await broken(3, /stray\.world/);
    await knotc("conf-begin");
    await knotc("conf-unset", "zone.domain", "stray.world");
    await knotc("conf-commit");
    await holds(3);
  });
  await t.test("a limit lowered in the cgroup: gates 7 and 15", async () => {
    const file = await findFile(homeId, ["cpu.cfs_quota_us", "cpu.max"]);
    const before = (await readFile(file, "utf8")).trim();
    await writeFile(file, file.endsWith("cpu.max") ? "10000 100000" : String(Math.floor(Number(before) / 2)));
    await broken(15, /cpu/i);
    await broken(7, /cpu/i);
    await writeFile(file, before);
    await holds(15);
  });
  await t.test("the database's superuser: a changed, an added and a missing row of a table is named", async () => {
    const whole = await house.operator.ok("ledger", "replay", "--check");
    assert.ok(whole.ok && whole.projections > 8, JSON.stringify(whole));
    const attacks: readonly (readonly [does: string, undoes: string, table: string, key: RegExp])[] = [
      ["UPDATE imvu SET doc = jsonb_set(doc, '{envelope,cpuMillis}', '100')", "UPDATE imvu SET doc = jsonb_set(doc, '{envelope,cpuMillis}', '500')", "imvu", /^IMVU-001$/],
      ["UPDATE imvu SET owner = 'creator-6666'", "UPDATE imvu SET owner = 'creator-8891'", "imvu", /^IMVU-001$/],
      ["INSERT INTO identity SELECT 'creator-6666', doc, updated_index FROM identity WHERE name = 'creator-8891'", "DELETE FROM identity WHERE name = 'creator-6666'", "identity", /^creator-6666$/],
      ["INSERT INTO operator VALUES ('creator-8891', 0)", "DELETE FROM operator WHERE identity = 'creator-8891'", "operator", /^creator-8891$/],
      ["UPDATE identity SET doc = jsonb_set(doc, '{keys,0,since}', '999') WHERE name = 'creator-8891'", "UPDATE identity SET doc = jsonb_set(doc, '{keys,0,since}', updated_index::text::jsonb) WHERE name = 'creator-8891'", "identity", /^creator-8891$/],
      ["CREATE TABLE kept AS SELECT * FROM reading WHERE place = 'first'; DELETE FROM reading WHERE place = 'first'", "INSERT INTO reading SELECT * FROM kept ON CONFLICT (imvu, place) DO UPDATE SET entry_index = EXCLUDED.entry_index, at = EXCLUDED.at, resources = EXCLUDED.resources; DROP TABLE kept", "reading", /^IMVU-001 first$/],
      ["UPDATE reading SET at = at - interval '1 day' WHERE place = 'first'", "UPDATE reading SET at = at + interval '1 day' WHERE place = 'first'", "reading", /^IMVU-001 first$/],
      ["UPDATE command_seen SET state = 'failed' WHERE op = 'imvu.create'", "UPDATE command_seen SET state = 'applied' WHERE op = 'imvu.create'", "command_seen", /^[0-9a-f]{64}$/],
    ];
    for (const [does, undoes, table, key] of attacks) {
      const done = await psql(does);
      assert.equal(done.code, 0, done.stderr);
      const seen = await house.operator.call("ledger", "replay", "--check");
      assert.equal(seen.code, 1, `${does}: ${JSON.stringify(seen.printed)}`);
      assert.ok(seen.printed.failures.some((failure: { table: string; key: string }) => failure.table === table && key.test(failure.key)), JSON.stringify(seen.printed));
      assert.equal((await psql(undoes)).code, 0);
      await house.operator.ok("ledger", "replay", "--check");
    }
  });
  await t.test("the database's superuser: a key that he gives to an owner commands, and is named by the log", async () => {
    const thief = await house.creator("thief");
    const { kid, publicKey } = await thief.call.ok("identity", "create", "creator-8891");
    const key = JSON.stringify({ kid, publicKey, device: null, since: 0, ended: null });
    const given = await psql(`UPDATE identity SET doc = jsonb_set(doc, '{keys,9}', '${key}') WHERE name = 'creator-8891'; INSERT INTO identity_key VALUES ('${kid}', 'creator-8891', '${publicKey}')`);
    assert.equal(given.code, 0, given.stderr);
    await thief.call.ok("consent", "record", "--imvu-id", id, "--subject", "user-1", "--purpose", "newsletter", "--text-sha256", "ab".repeat(32), "--state", "given", "--as", "creator-8891");
    await broken(1, new RegExp(`entry \\d+: the signature of ${kid} does not verify`));
    const seen = await house.operator.call("ledger", "replay", "--check");
    assert.equal(seen.code, 1);
    assert.deepEqual([...new Set(seen.printed.failures.map((failure: { table: string }) => failure.table))].sort(), ["identity", "identity_key"]);
    assert.equal((await psql(`UPDATE identity SET doc = doc #- '{keys,-1}' WHERE name = 'creator-8891'; DELETE FROM identity_key WHERE kid = '${kid}'`)).code, 0);
    await house.operator.ok("ledger", "replay", "--check");
  });
  await t.test("the database's superuser: an edited entry is named, the constants stand in a constraint", async () => {
    const unfair = await psql("INSERT INTO statement (imvu, period, currency, gross, creator, platform, doc, entry_index) VALUES ('IMVU-001', '2026-01', 'EUR', 100, 54, 46, '{}', 999999)");
    assert.notEqual(unfair.code, 0);
    assert.match(unfair.stderr, /statement_split_55_45/);
    assert.equal((await house.operator.call("ledger", "fsck")).code, 0);
    const edited = await psql("ALTER TABLE ledger_entry DISABLE TRIGGER ALL; ALTER TABLE ledger_entry DROP CONSTRAINT ledger_entry_leaf; UPDATE ledger_entry SET body = replace(body, 'creator-8891', 'creator-6666') WHERE index = (SELECT max(index) FROM ledger_entry WHERE body LIKE '%creator-8891%')");
    assert.equal(edited.code, 0, edited.stderr);
    const fsck = await house.operator.call("ledger", "fsck");
    assert.equal(fsck.code, 1);
    assert.match(fsck.printed.failures[0].what, /./);
    assert.equal(typeof fsck.printed.failures[0].index, "number");
    assert.ok(id);
  });
});

async function findFile(homeId: string, names: readonly string[]): Promise<string> {
  for (const root of ["/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup"]) {
    const folder = join(root, `nx${homeId}`, "imvu-1");
    const found = (await readdir(folder).catch(() => [] as string[])).find((file) => names.includes(file));
    if (found) return join(folder, found);
  }
  throw new Error("no CPU limit file was found");
}
