import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import { run, runOk, sha256Hex } from "../../src/kernel/index.ts";
import { TestHouse } from "../harness/test-house.ts";

test("what an end user agreed to stands for good: recorded, withdrawn, asked for, taken along, and nobody rewrites it", async (t) => {
  await using house = await TestHouse.start();
  const owner = await house.creator("creator-8891");
  const stranger = await house.creator("creator-6666");
  const unit = await house.unit(owner, "ArtGallery");
  const of = ["--imvu-id", unit.imvu.id] as const;
  const terms = join(house.root, "terms.txt");
  await writeFile(terms, "We write to you once a month.\n");
  const text = sha256Hex(await readFile(terms));
  const record = (subject: string, state: string, ...more: string[]) => ["consent", "record", ...of, "--subject", subject, "--purpose", "newsletter", "--state", state, ...(more.length > 0 ? more : ["--text", terms])];
  const history = async (...more: string[]) => (await owner.call.ok("consent", "history", ...of, ...more)).consents.map(({ subject, state }: { subject: string; state: string }) => `${subject} ${state}`);
  const gate10 = async () => (await house.operator.call("verify", "gates", ...of)).printed.gates.find((row: { gate: number }) => row.gate === 10);

  await t.test("given, withdrawn, given again; each in its place", async () => {
    assert.equal((await owner.call.ok(...record("user-17", "given"))).text, text);
    await owner.call.ok(...record("user-18", "given", "--text-sha256", text));
    await owner.call.ok(...record("user-17", "withdrawn"));
    await owner.call.ok(...record("user-17", "given"));
    assert.deepEqual(await history(), ["user-17 given", "user-18 given", "user-17 withdrawn", "user-17 given"]);
    assert.deepEqual(await history("--subject", "user-17"), ["user-17 given", "user-17 withdrawn", "user-17 given"]);
    assert.deepEqual(await history("--limit", "1"), ["user-17 given"]);
    assert.equal((await gate10()).verdict, "holds");
  });

  await t.test("what makes no sense is refused by gate 10, and bad input before it", async () => {
    await owner.call.refused(3, /^GATE_10_GIVEN_ALREADY$/, ...record("user-17", "given"));
    await owner.call.refused(3, /^GATE_10_NOTHING_TO_WITHDRAW$/, ...record("user-19", "withdrawn"));
    await owner.call.refused(2, /./, ...record("user 17", "given"));
    await owner.call.refused(2, /./, ...record("user-17", "perhaps"));
    await owner.call.refused(2, /./, ...record("user-17", "given", "--text-sha256", "abc"));
    await owner.call.refused(2, /./, ...record("user-17", "given", "--text", join(house.root, "none")));
    await stranger.call.ok("identity", "register");
    await stranger.call.refused(3, /^GATE_/, ...record("user-17", "withdrawn"));
    await stranger.call.refused(4, /^NO_SUCH_IMVU$/, "consent", "history", ...of);
  });

  await t.test("the database's superuser cannot drop a withdrawal, nor add a consent, unnoticed", async () => {
    for (const [does, undoes] of [
      ["CREATE TABLE kept AS SELECT * FROM consent WHERE state = 'withdrawn'; DELETE FROM consent WHERE state = 'withdrawn'", "INSERT INTO consent SELECT * FROM kept; DROP TABLE kept"],
      ["INSERT INTO consent VALUES ('IMVU-001', 'user-99', 'newsletter', repeat('a', 64), 'given', 999999)", "DELETE FROM consent WHERE entry_index = 999999"],
      ["UPDATE consent SET state = 'given' WHERE state = 'withdrawn'", `UPDATE consent SET state = 'withdrawn' WHERE entry_index = (SELECT entry_index FROM consent WHERE subject = 'user-17' ORDER BY entry_index OFFSET 1 LIMIT 1)`],
    ] as const) {
      await house.psql(does);
      assert.equal((await gate10()).verdict, "broken", does);
      const replayed = await house.operator.call("ledger", "replay", "--check");
      assert.ok(replayed.code === 1 && replayed.printed.failures.some(({ table }: { table: string }) => table === "consent"), does);
      await house.psql(undoes);
      assert.equal((await gate10()).verdict, "holds");
      await house.operator.ok("ledger", "replay", "--check");
    }
  });

  await t.test("it leaves with the unit, derived from the entries, and a changed line is found offline", async () => {
    const exit = await owner.call.ok("imvu", "exit", ...of, "--export-path", join(house.root, "exit"));
    const path = join(exit.path, "ledger/compliance/consent-log.jsonl");
    const lines = (await readFile(path, "utf8")).trim().split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(lines.map(({ subject, state }) => `${subject} ${state}`), ["user-17 given", "user-18 given", "user-17 withdrawn", "user-17 given"]);
    assert.ok(lines.every((line) => line.text === text && line.actor === "creator-8891"));
    await runOk([process.execPath, join(exit.path, "verify.mjs")]);
    await writeFile(path, (await readFile(path, "utf8")).replace("withdrawn", "given"));
    const ran = await run([process.execPath, join(exit.path, "verify.mjs")]);
    assert.equal(ran.code, 1);
    assert.match(ran.stdout.toString() + ran.stderr, /consent-log\.jsonl/);
  });
});
