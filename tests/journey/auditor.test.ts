import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { Caller, type Printed } from "../../src/cli/demo/driver.ts";
import { commandFields, loadStoredIdentity, signCommand, signRequest } from "../../src/core/identity/index.ts";
import { type IdentityName, type ImvuId, type Json, plainEnvironment, run, runOk, sleep, systemClock } from "../../src/kernel/index.ts";
import { down, openHome, startPlatform } from "../../src/platform/index.ts";

const MONTH = new Date().toISOString().slice(0, 7);
const DAY_MS = 86_400_000;
const SPREADSHEET = join(import.meta.dirname, "../vectors/spreadsheet.py");
/** What somebody who wants another split would set before a platform starts. */
const ENVIRONMENT = ["CREATOR_SHARE_PERCENT", "PLATFORM_SHARE_PERCENT", "NEXUS_SPLIT", "NEXUS_PLATFORM_SHARE", "NEXUS_CREATOR_SHARE", "NEXUS_FEE", "NEXUS_TARIFF", "FEE_PERCENT", "SPLIT"];
/** And would add to what he signs, or asks for. */
const SMUGGLED = { creatorPercent: 40, platformPercent: 60, split: "40/60", share: 60, fee: "1.00", gross: "1", usage: "0" } as const;

/** A month of a real platform: what can be sent to it and set around it changes no figure, and an auditor without our code comes to the same. */
test("who wants another split finds nowhere to say so, and a month comes out of its exported rows by a spreadsheet's means, to the last unit", async (t) => {
  const root = await mkdtemp(join(tmpdir(), "na-"));
  await chmod(root, 0o711);
  const cacheDir = process.env.NEXUS_CACHE ?? join(import.meta.dirname, "../../.runtime/cache");
  const homeFolder = join(root, "p");
  const said: string[] = [];
  const operator = new Caller(homeFolder);
  const start = async (clock = systemClock) => await startPlatform(await openHome(homeFolder, { cacheDir, create: true, checkPorts: true }), (line) => void said.push(line), { clock });
  let platform: Awaited<ReturnType<typeof start>> | undefined;
  for (const name of ENVIRONMENT) process.env[name] = "60";
  try {
    platform = await start();
    const origin = platform.apiOrigin;
    await mkdir(join(root, "creator-8891"), { mode: 0o711 });
    const owner = new Caller(join(root, "creator-8891"), origin);
    await owner.ok("identity", "create", "creator-8891");
    await owner.ok("identity", "register");
    const unit: Printed = await owner.ok("imvu", "create", "--name", "ArtGallery", "--owner", "creator-8891", "--jurisdiction", "EU-GDPR", "--cpu", "0.5", "--memory", "0.25", "--storage", "0.25");
    const id = unit.imvu.id as ImvuId;
    const of = ["--imvu-id", id] as const;
    const loaded = await loadStoredIdentity(join(root, "creator-8891/identities"), "creator-8891" as IdentityName);
    assert.ok(loaded.ok);
    const { key } = loaded.value;
    const post = async (signed: unknown) => {
      const answer = await fetch(`${origin}/v1/commands`, { method: "POST", body: JSON.stringify(signed), headers: { "content-type": "application/json" } });
      return { status: answer.status, body: (await answer.json()) as Printed };
    };
    const ask = async (method: string, path: string, body?: Json) => {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const headers = signRequest({ method, targetUri: `${origin}${path}`, ...(text === undefined ? {} : { body: Buffer.from(text) }) }, key, Date.now());
      const answer = await fetch(`${origin}${path}`, { method, headers: { ...headers, ...(text === undefined ? {} : { "content-type": "application/json" }) }, ...(text === undefined ? {} : { body: text }) });
      return { status: answer.status, body: (await answer.json().catch(() => ({}))) as Printed };
    };
    const entries = async (): Promise<Printed[]> => (await owner.ok("ledger", "entries", ...of, "--limit", "500")).entries;
    const sale = (sourceId: string, amount: string) => ({ sourceId, amount, currency: "EUR", at: new Date().toISOString() });
    await owner.ok("revenue", "record", ...of, "--source-id", "order-1", "--amount", "1000.01");
    await owner.ok("revenue", "record", ...of, "--source-id", "order-2", "--amount", "19.99");
    await owner.ok("revenue", "reverse", ...of, "--source-id", "refund-1", "--reverses", "order-2", "--amount", "9.99");

    await t.test("a signed command with a member too many is none: no split, no fee, no usage, in any command that is about money", async () => {
      const before = (await entries()).length;
      const good: Readonly<Record<string, Record<string, Json>>> = { "revenue.record": sale("order-3", "1.00"), "revenue.reverse": { ...sale("refund-3", "1.00"), reverses: "order-1" }, "imvu.budget.set": { amount: "9.00", currency: "EUR", thresholds: [50] }, "imvu.payout.account": { account: null } };
      for (const [op, params] of Object.entries(good))
        for (const [name, value] of Object.entries(SMUGGLED)) {
          const { status, body } = await post(signCommand(commandFields(op as "revenue.record", id, { ...params, [name]: value }, Date.now()), key));
          assert.equal(status, 400, `${op} ${name}: ${JSON.stringify(body)}`);
        }
      for (const op of ["platform.split.set", "meter.reading", "imvu.usage.record", "statement.close", "statement.closed"]) assert.equal((await post(signCommand(commandFields(op as "revenue.record", id, {}, Date.now()), key))).status, 400, op);
      assert.equal((await entries()).length, before, "nothing of it stands in the ledger");
    });

    await t.test("there is no address at which figures are written, and no question that changes an answer", async () => {
      for (const path of ["statement", "statements", "usage", "journal", "ledger", "revenue", "payouts", "invoice"]) for (const method of ["POST", "PUT", "PATCH", "DELETE"]) assert.equal((await ask(method, `/v1/imvus/${id}/${path}`, { ...SMUGGLED })).status, 404, `${method} ${path}`);
      for (const path of ["/v1/tariff", "/v1/split", "/v1/platform", "/v1/verify/revenue", "/v1/operators"]) for (const method of ["POST", "PUT", "PATCH", "DELETE"]) assert.equal((await ask(method, path, { ...SMUGGLED })).status, 404, `${method} ${path}`);
      const query = Object.entries(SMUGGLED).map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");
      const asked = (await ask("GET", `/v1/imvus/${id}/statement?${query}`)).body;
      const units = (text: string) => BigInt(text.replace(".", ""));
      assert.equal(units(asked.platform), (units(asked.gross) * 45n) / 100n);
      assert.equal(units(asked.creator), units(asked.gross) - units(asked.platform));
    });

    await t.test("usage that a unit's people make up is not read: who asks for a reading gets what the engines say", async () => {
      const invented = { at: "2026-01-01T00:00:00.000Z", index: 0, readings: [{ resource: "compute.cpu", value: "7", boot: "b", epoch: "e" }] };
      const read = await ask("POST", `/v1/imvus/${id}/meter`, { ...invented, imvu: id });
      assert.equal(read.status, 200);
      assert.ok(read.body.readings.length > 10 && read.body.readings.every(({ boot }: Printed) => boot !== "b") && Date.parse(read.body.at) > Date.now() - 60_000, JSON.stringify(read.body).slice(0, 300));
    });

    await t.test("a command that is sent again, at once or later, is the same one; one that expired is refused", async () => {
      const signed = signCommand(commandFields("revenue.record", id, sale("order-4", "0.07"), Date.now()), key);
      const first = await post(signed);
      assert.ok(first.status < 300, JSON.stringify(first.body));
      await owner.ok("revenue", "list", ...of);
      const before = (await entries()).length;
      for (let times = 0; times < 3; times += 1) await post(signed);
      assert.equal((await entries()).length, before);
      assert.equal((await owner.ok("revenue", "list", ...of)).sales.filter(({ sourceId }: Printed) => sourceId === "order-4").length, 1);
      const old = await post(signCommand(commandFields("revenue.record", id, sale("order-5", "0.07"), Date.now() - 3_600_000), key));
      assert.match(JSON.stringify(old.body), /GATE_01_|error/);
      assert.ok(!(await owner.ok("revenue", "list", ...of)).sales.some(({ sourceId }: Printed) => sourceId === "order-5"));
    });

    /** Everybody's clock is the same but while a month closes. */
    const closeBy = async (days: number, line: RegExp) => {
      await platform?.stop();
      const ahead = Date.parse(`${MONTH}-01T00:00:00Z`) + days * DAY_MS - Date.now();
      const seen = said.length;
      platform = await start({ now: () => Date.now() + ahead });
      for (const until = Date.now() + 120_000; !said.slice(seen).some((one) => line.test(one)); await sleep(100)) assert.ok(Date.now() < until, said.slice(-5).join("\n"));
      await platform.stop();
      platform = await start();
    };
    const printed = async (...args: string[]) => (await runOk([process.execPath, join(import.meta.dirname, "../../src/cli/main.ts"), ...args], { env: plainEnvironment({ NEXUS_HOME: join(root, "creator-8891"), NEXUS_PLATFORM: origin, NEXUS_CACHE: cacheDir }) })).toString();
    let files = 0;
    /** What an auditor is given, and what comes of it. */
    const audited = async (change: (file: string, text: string) => string = (_, text) => text) => {
      files += 1;
      const [readings, ledger, sales] = ["readings.csv", "ledger.csv", "sales.csv"].map((name) => join(root, `${files}-${name}`)) as [string, string, string];
      await owner.ok("audit", "readings", ...of, "--month", MONTH, "--out", readings);
      await writeFile(ledger, await printed("statement", "show", ...of, "--month", MONTH, "--csv"));
      await writeFile(sales, await printed("revenue", "list", ...of, "--csv"));
      for (const file of [readings, ledger, sales]) await writeFile(file, change(file.replace(/.*-/, ""), await readFile(file, "utf8")));
      const shown: Printed = await owner.ok("statement", "show", ...of, "--month", MONTH);
      const ran = await run(["/usr/bin/python3", SPREADSHEET, readings, ledger, sales, String(shown.index), ...shown.corrections.map(({ index }: Printed) => String(index))]);
      return { code: ran.code, text: `${ran.stdout}${ran.stderr}`.trim(), shown };
    };

    await closeBy(33, new RegExp(`${id}: the statement of ${MONTH} is closed`));
    await t.test("the closed month by the spreadsheet: readings, amounts, sales, shares, payout", async () => {
      const { code, text, shown } = await audited();
      assert.equal(code, 0, text);
      const trimmed = (figure: string) => figure.replace(/\.?0+$/, "");
      assert.ok(text.startsWith(`equal: ${MONTH}, gross ${trimmed(shown.gross)}`), text);
      assert.equal(BigInt(shown.platform.replace(".", "")), (BigInt(shown.gross.replace(".", "")) * 45n) / 100n, "whatever the environment says");
    });

    await t.test("a refund after it closed is a correction, by the same steps", async () => {
      await owner.ok("revenue", "reverse", ...of, "--source-id", "refund-2", "--reverses", "order-1", "--amount", "100.03");
      await closeBy(64, new RegExp(`${id}: ${MONTH} is corrected`));
      const { code, text, shown } = await audited();
      assert.deepEqual([code, shown.corrections.length], [0, 1], text);
      assert.ok(text.includes(`gross ${shown.corrections[0].total.gross.replace(/\.?0+$/, "")}`), text);
    });

    await t.test("a digit changed in any file is found, so the steps prove something", async () => {
      // The digit's place is between two groups.
      const places: Readonly<Record<string, RegExp>> = { "readings.csv": /^(\d+,compute\.memory,(?:[^,]*,){7})(\d)/m, "ledger.csv": /^([^,]+,gross,,,,)(\d)/m, "sales.csv": /(,order-1,,)(1)(?=000\.01,EUR)/ };
      for (const [name, place] of Object.entries(places)) {
        let changed = false;
        const { code, text } = await audited((file, whole) => {
          if (file !== name) return whole;
          const made = whole.replace(place, (_, before: string, digit: string) => `${before}${digit === "9" ? "8" : "9"}`);
          changed = made !== whole;
          return made;
        });
        assert.deepEqual([changed, code, /^WRONG: /.test(text)], [true, 1, true], `${name}: ${text}`);
      }
    });

    await t.test("the database's superuser changes a price and a reading after the fact, a tariff's row, a statement's: each is named, and no changed figure is shown", async () => {
      const psql = async (sql: string) => (await runOk(["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "psql", "-X", "-h", join(homeFolder, "platform/pg/run"), "-d", (await operator.ok("status")).database.name, "-v", "ON_ERROR_STOP=1", "-Atqc", sql], { env: { PATH: process.env.PATH ?? "" }, cwd: "/" })).trim();
      await psql("CREATE SCHEMA kept; CREATE TABLE kept.entry AS SELECT index, body, leaf FROM ledger_entry; CREATE TABLE kept.statement AS SELECT * FROM statement; CREATE TABLE kept.tariff AS SELECT * FROM tariff");
      const quiet = (sql: string) => psql(`BEGIN; ALTER TABLE ledger_entry DISABLE TRIGGER ALL; ${sql}; ALTER TABLE ledger_entry ENABLE TRIGGER ALL; COMMIT`);
      const named = async () => {
        const [revenue, fsck] = [await operator.call("verify", "revenue"), await operator.call("ledger", "fsck")];
        return [revenue.code, fsck.code, JSON.stringify(revenue.printed.failures)] as const;
      };
      assert.deepEqual((await named()).slice(0, 2), [0, 0]);
      await psql("ALTER TABLE ledger_entry DROP CONSTRAINT ledger_entry_leaf");
      for (const [what, change] of [
        ["a price", `UPDATE ledger_entry SET body = replace(body, '"compute.memory":"0.000001000"', '"compute.memory":"0.000009000"'), leaf = sha256(convert_to(replace(body, '"compute.memory":"0.000001000"', '"compute.memory":"0.000009000"'), 'UTF8')) WHERE stream = 'platform' AND body LIKE '%"platform.tariff"%'`],
        ["a reading", `UPDATE ledger_entry SET body = regexp_replace(body, '"compute.memory":"(\\d)', '"compute.memory":"9\\1'), leaf = sha256(convert_to(regexp_replace(body, '"compute.memory":"(\\d)', '"compute.memory":"9\\1'), 'UTF8')) WHERE stream = '${id}' AND body LIKE '%"meter.reading"%'`],
      ] as const) {
        await quiet(change);
        const [revenue, fsck, failures] = await named();
        assert.deepEqual([revenue, fsck], [1, 1], what);
        assert.match(failures, new RegExp(`${MONTH}`), what);
        await quiet("UPDATE ledger_entry SET body = kept.body, leaf = kept.leaf FROM kept.entry AS kept WHERE kept.index = ledger_entry.index AND kept.body <> ledger_entry.body");
        assert.deepEqual((await named()).slice(0, 2), [0, 0], what);
      }
      const replayed = async () => (await operator.call("ledger", "replay", "--check")).printed.failures.map(({ table }: Printed) => table);
      assert.deepEqual(await replayed(), []);
      for (const change of ["valid_from = '2020-01-01T00:00:00.000Z'", "currency = 'USD'"]) {
        await psql(`UPDATE tariff SET ${change}`);
        assert.deepEqual(await replayed(), ["tariff"], change);
        await psql("DELETE FROM tariff; INSERT INTO tariff SELECT * FROM kept.tariff");
      }
      await psql(`UPDATE statement SET doc = jsonb_set(doc, '{creator}', '"1.0"') WHERE period = '${MONTH}'`);
      for (const verb of [["statement", "show", ...of, "--month", MONTH], ["statement", "list", ...of], ["audit", "report", ...of, "--month", MONTH, "--out", join(root, "r.html")], ["audit", "readings", ...of, "--month", MONTH, "--out", join(root, "r.csv")]]) {
        const { code, printed: answer } = await owner.call(...verb);
        assert.deepEqual([code === 0, answer.error.code], [false, "STATEMENT_TABLE"], verb.join(" "));
      }
      await psql("UPDATE statement SET doc = kept.doc FROM kept.statement AS kept WHERE kept.imvu = statement.imvu AND kept.period = statement.period");
      assert.deepEqual(await replayed(), []);
      assert.equal((await audited()).code, 0);
    });
  } finally {
    for (const name of ENVIRONMENT) delete process.env[name];
    await platform?.stop().catch(() => {});
    await down(homeFolder, { cacheDir, purge: true }, () => {});
    await rm(root, { recursive: true, force: true });
  }
});
