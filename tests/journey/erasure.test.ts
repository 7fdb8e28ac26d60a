import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Op } from "../../src/contract/index.ts";
import type { Printed } from "../../src/cli/demo/driver.ts";
import { commandFields, loadStoredIdentity, signCommand } from "../../src/core/identity/index.ts";
import { type IdentityName, type ImvuId, type Json, run, runOk, sha256Hex } from "../../src/kernel/index.ts";
import { type Creator, TestHouse } from "../harness/test-house.ts";

/** A name that nothing else holds by chance. */
const SUBJECT = "anna.q7x2m9@example.org";
/** Commands of this test expire soon: what has not expired is not erased. */
const LIFETIME_MS = 4_000;

test("a body that a law orders erased goes everywhere, and leaves its commitment and the order", async (t) => {
  await using house = await TestHouse.start();
  const { operator } = house;
  const [owner, stranger] = [await house.creator("creator-8891"), await house.creator("workshop-17")];
  await stranger.call.ok("identity", "register");
  const unit = await house.unit(owner, "ArtGallery");
  const id: ImvuId = unit.imvu.id;
  const of = ["--imvu-id", id] as const;
  const letter = join(house.root, "letter.txt");
  await writeFile(letter, `Please erase what you hold of ${SUBJECT}.\n`);

  let expired_ms = 0;
  const post = async (signed: unknown): Promise<Printed> => await (await fetch(`${house.api}/v1/commands`, { method: "POST", body: JSON.stringify(signed), headers: { "content-type": "application/json" } })).json();
  const send = async (who: Creator, op: Op, imvu: ImvuId | null, params: { readonly [name: string]: Json }): Promise<Printed> => {
    const identity = await loadStoredIdentity(join(who.call.home, "identities"), who.name as IdentityName);
    assert.ok(identity.ok);
    const signed = signCommand(commandFields(op, imvu, params, Date.now(), undefined, LIFETIME_MS), identity.value.key);
    expired_ms = Date.now() + LIFETIME_MS + 50;
    return { signed, ...(await post(signed)) };
  };
  const record = (subject: string, state: string) => send(owner, "consent.record", id, { subject, purpose: "newsletter", text: sha256Hex("terms"), state });
  const erase = ["consent", "erase", ...of, "--subject", SUBJECT, "--order", letter] as const;
  /** Rows that tell of the subject, in whatever form. */
  const inDatabase = async () => {
    const payload = "convert_from(decode(rpad(translate(signed::jsonb->>'payload', '-_', '+/'), (length(signed::jsonb->>'payload') + 3) / 4 * 4, '='), 'base64'), 'UTF8')";
    const like = `LIKE '%${SUBJECT}%'`;
    return (await house.psql(`SELECT (SELECT count(*) FROM ledger_entry WHERE body ${like}), (SELECT count(*) FROM command_seen WHERE ${payload} ${like} OR result::text ${like}), (SELECT count(*) FROM consent WHERE subject = '${SUBJECT}')`)).split("|").map(Number);
  };
  const whole = async () => {
    assert.deepEqual((await operator.ok("ledger", "fsck")).failures, []);
    assert.deepEqual((await operator.ok("ledger", "replay", "--check")).failures, []);
    const { gates } = (await operator.call("verify", "gates", ...of)).printed;
    for (const gate of [1, 10, 11, 17]) assert.equal(gates.find((row: Printed) => row.gate === gate).verdict, "holds", `gate ${gate}`);
  };
  const triggers = (state: "on" | "off") => ["erases", "only_grows", "continues"].map((name) => `ALTER TABLE ledger_entry ${state === "on" ? "ENABLE ALWAYS" : "DISABLE"} TRIGGER ledger_entry_${name}`).join("; ");
  const strike = (sql: string) => house.psql(`${triggers("off")}; ${sql}; ${triggers("on")}`);

  const other = await record("user-18", "given");
  const given = await record(SUBJECT, "given");
  const withdrawn = await record(SUBJECT, "withdrawn");
  const [first, second] = [given.receipt.index, withdrawn.receipt.index];

  await t.test("while a command could still be sent again its body stays; it is the owner's to erase, and not anything can be", async () => {
    // The outcome repeats what was recorded; in the table the command's payload and its result do.
    assert.deepEqual(await inDatabase(), [2, 2, 2]);
    await owner.call.refused(3, /^GATE_11_STILL_VALID$/, ...erase);
    await sleep(Math.max(0, expired_ms - Date.now()));
    await stranger.call.refused(3, /^GATE_/, "ledger", "erase", String(first), ...of, "--order", letter);
    await operator.refused(3, /^GATE_11_NO_SUCH_ENTRY$/, "ledger", "erase", String(first), "--order", letter);
    await owner.call.refused(3, /^GATE_11_NOT_ERASABLE$/, "ledger", "erase", String(unit.receipt.index), ...of, "--order", letter);
    await owner.call.refused(3, /^GATE_10_EARLIER_STANDS$/, "ledger", "erase", String(second), ...of, "--order", letter);
    await owner.call.refused(2, /^USAGE$/, "consent", "erase", ...of, "--subject", SUBJECT);
    assert.deepEqual(await inDatabase(), [2, 2, 2]);
  });

  await t.test("all that was recorded of one end user goes from the log and the tables, of nobody else anything", async () => {
    const erased = await owner.call.ok(...erase);
    assert.deepEqual(erased.erased.map(({ index }: Printed) => index), [first, second]);
    assert.equal(erased.order, sha256Hex(await readFile(letter)));
    assert.deepEqual(await inDatabase(), [0, 0, 0]);
    assert.deepEqual((await owner.call.ok("consent", "history", ...of)).consents.map(({ subject }: Printed) => subject), ["user-18"]);
    const entries: Printed[] = (await owner.call.ok("ledger", "entries", ...of, "--limit", "500")).entries;
    assert.deepEqual(entries.filter(({ type }) => type === "erased").map(({ index }) => index), [first, given.outcome.receipt.index, second, withdrawn.outcome.receipt.index]);
    await owner.call.refused(3, /^GATE_11_ERASED_ALREADY$/, "ledger", "erase", String(first), ...of, "--order", letter);
    assert.deepEqual((await owner.call.ok(...erase)).erased, []);
    assert.equal((await post(given.signed)).error.code, "GATE_01_EXPIRED", "its answer is not kept, and it counts no more");
    await whole();
  });

  await t.test("its place in the log is proved as before, and the log that its owner takes home is whole without it", async () => {
    assert.match((await operator.ok("ledger", "proof", String(first))).proof, /tlog-proof/);
    const log = join(house.root, "log");
    await owner.call.ok("ledger", "export", "--out", log);
    const bodies = await readFile(join(log, "bodies", `${id}.jsonl`), "utf8");
    assert.equal(bodies.match(/^\{"index":\d+,"erased":"[0-9a-f]{64}"\}$/gm)?.length, 4);
    assert.ok(!bodies.includes(SUBJECT));
    await owner.call.ok("verify-export", log);
    await writeFile(join(log, "bodies", `${id}.jsonl`), bodies.split("\n").filter((line) => !line.includes('"op":"imvu.erase"') || !line.includes('"effect.applied"')).join("\n"));
    assert.equal((await owner.call.call("verify-export", log)).code, 1);
  });

  await t.test("what was refused goes as well: in the unit's stream by its owner, elsewhere by the operators", async () => {
    const inStream = await send(stranger, "dns.set", id, { name: "told-by-a-stranger.imvu001.world", type: "TXT", ttl: 300, values: ["x"] });
    const elsewhere = await send(stranger, "platform.operator.add", null, { identity: "workshop-17" });
    assert.deepEqual([inStream.error.ledgerIndex, elsewhere.error.ledgerIndex].map(Number.isSafeInteger), [true, true]);
    await sleep(Math.max(0, expired_ms - Date.now()));
    await owner.call.ok("ledger", "erase", String(inStream.error.ledgerIndex), ...of, "--order-sha256", sha256Hex("a court"));
    assert.ok(!(await owner.call.ok("imvu", "refusals", id)).refusals.some(({ index }: Printed) => index === inStream.error.ledgerIndex));
    await owner.call.refused(3, /^GATE_01_NOT_AN_OPERATOR$/, "ledger", "erase", String(elsewhere.error.ledgerIndex), "--order-sha256", sha256Hex("a court"));
    assert.equal(await house.psql("SELECT body::jsonb #>> '{data,facts,erasure}' IS NULL FROM ledger_entry WHERE body LIKE '%GATE_01_NOT_AN_OPERATOR%' ORDER BY index DESC LIMIT 1"), "t", "who is no operator learns nothing of the entry");
    await operator.ok("ledger", "erase", String(elsewhere.error.ledgerIndex), "--order-sha256", sha256Hex("a court"));
    assert.equal(await house.psql("SELECT count(*) FROM ledger_entry WHERE body IS NULL"), "6");
    await whole();
  });

  await t.test("the database's superuser takes another body away, or puts one back: each is named", async () => {
    const { index, body } = other.receipt;
    await strike(`UPDATE ledger_entry SET body = NULL WHERE index = ${index}`);
    const gone = (await operator.call("ledger", "fsck")).printed.failures;
    assert.deepEqual(gone.map((one: Printed) => one.index), [index]);
    assert.match(gone[0].what, /no entry ordered it erased/);
    await strike(`UPDATE ledger_entry SET body = $b$${body}$b$ WHERE index = ${index}`);
    await whole();
    await strike(`UPDATE ledger_entry SET body = $b$${given.receipt.body}$b$ WHERE index = ${first}`);
    const back = (await operator.call("ledger", "fsck")).printed.failures;
    assert.deepEqual(back.map((one: Printed) => one.index), [first]);
    assert.match(back[0].what, /ordered its body erased, and it stands/);
    await strike(`UPDATE ledger_entry SET body = NULL WHERE index = ${first}`);
    await house.psql(`ALTER TABLE ledger_erasure DISABLE TRIGGER ALL; UPDATE ledger_erasure SET order_index = order_index + 1 WHERE index = ${first}; ALTER TABLE ledger_erasure ENABLE ALWAYS TRIGGER ledger_erasure_only_grows`);
    assert.deepEqual((await operator.call("ledger", "replay", "--check")).printed.failures.map(({ table, key }: Printed) => `${table} ${key}`), [`ledger_erasure ${first}`]);
    await house.psql(`ALTER TABLE ledger_erasure DISABLE TRIGGER ALL; UPDATE ledger_erasure SET order_index = order_index - 1 WHERE index = ${first}; ALTER TABLE ledger_erasure ENABLE ALWAYS TRIGGER ledger_erasure_only_grows`);
    await whole();
  });

  await t.test("a platform that starts again knows the same, and the unit leaves with a bundle that two programs find whole", async () => {
    await operator.ok("down");
    await house.up();
    await whole();
    const exit = await owner.call.ok("imvu", "exit", ...of, "--export-path", join(house.root, "exit"));
    assert.equal((await readFile(join(exit.path, "ledger/events.jsonl"), "utf8")).match(/"erased":"[0-9a-f]{64}"\}$/gm)?.length, 5);
    await runOk([process.execPath, join(exit.path, "verify.mjs")]);
    const said = await run(["/usr/bin/python3", join(import.meta.dirname, "../vectors/stranger.py"), "--bundle", exit.path]);
    assert.equal(said.code, 0, said.stdout.toString() + said.stderr);
    for (const path of await readdir(exit.path, { recursive: true, withFileTypes: true }))
      if (path.isFile()) assert.ok(!(await readFile(join(path.parentPath, path.name))).includes(SUBJECT), `${path.parentPath}/${path.name}`);
  });
});
