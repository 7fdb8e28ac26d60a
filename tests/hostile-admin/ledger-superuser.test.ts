import assert from "node:assert/strict";
import test from "node:test";
import { type Fsck, fsckLedger, type Ledger } from "../../src/core/ledger/index.ts";
import { verifyCheckpoints } from "../../src/core/ledger/pure.ts";
import { runOk } from "../../src/kernel/index.ts";
import { LedgerHouse } from "../harness/ledger-house.ts";

/**
 * Threat 14: an administrator with the database superuser's rights edits, deletes, reorders, back-dates and truncates. Nothing in
 * PostgreSQL stops him once he switched triggers and constraints off; fsck must name what he did, each time.
 */
const ENTRIES = 300;
const TABLES = ["ledger_entry", "ledger_node", "ledger_checkpoint"];

const house = await LedgerHouse.start();
const { store } = house;
let ledger: Ledger;
let note: string;

test.before(async () => {
  ledger = await open();
  // Most entries in batches, some alone; two streams that alternate.
  for (let at = 0; at < ENTRIES; ) {
    const many = at % 60 === 0 ? 20 : 5;
    await ledger.append(
      Array.from({ length: many }, (_, n) => ({
        stream: (at + n) % 2 ? "IMVU-001" : "IMVU-002",
        type: "meter.reading" as const,
        actor: "platform",
        data: { n: at + n },
      })),
    );
    at += many;
  }
  await ledger.receipt(ENTRIES - 1);
  note = ledger.checkpoint() as string;
  await superuser(`CREATE SCHEMA hidden; ${TABLES.map((table) => `CREATE TABLE hidden.${table} AS TABLE ${table}`).join("; ")}`);
});

test.after(async () => {
  await ledger?.close();
  await house[Symbol.asyncDispose]();
});

function open(): Promise<Ledger> {
  return house.open("log.example/nexus");
}

async function psql(user: "postgres" | "root", role: string, sql: string): Promise<string> {
  const as = user === "root" ? [] : ["/usr/bin/setpriv", `--reuid=${user}`, `--regid=${user}`, "--init-groups", "--"];
  return await runOk(
    [
      ...as,
      "/usr/bin/psql",
      "-X",
      "-A",
      "-t",
      "-v",
      "ON_ERROR_STOP=1",
      "-h",
      store.describe().socket,
      "-U",
      role,
      "-d",
      "nexus",
      "-c",
      sql,
    ] as unknown as [string, ...string[]],
    { cwd: "/" },
  );
}
function superuser(sql: string): Promise<string> {
  return psql("postgres", "postgres", sql);
}

/** Switches everything off that could hinder, strikes, and puts triggers back as if nothing had been. */
async function strike(sql: string): Promise<void> {
  await superuser(`
    ALTER TABLE ledger_entry DROP CONSTRAINT IF EXISTS ledger_entry_leaf, DROP CONSTRAINT IF EXISTS ledger_entry_stream_seq;
    ALTER TABLE ledger_checkpoint DROP CONSTRAINT IF EXISTS ledger_checkpoint_previous_fkey;
    ${TABLES.map((table) => `ALTER TABLE ${table} DISABLE TRIGGER ALL`).join("; ")};
    ${sql};
    ${TABLES.map((table) => `ALTER TABLE ${table} ENABLE ALWAYS TRIGGER ${table}_only_grows`).join("; ")};
    ALTER TABLE ledger_entry ENABLE ALWAYS TRIGGER ledger_entry_continues; ALTER TABLE ledger_entry ENABLE ALWAYS TRIGGER ledger_entry_erases`);
}

async function restore(): Promise<void> {
  await strike(TABLES.map((table) => `DELETE FROM ${table}; INSERT INTO ${table} SELECT * FROM hidden.${table}`).join("; "));
  assert.deepEqual((await ledger.fsck()).failures, [], "whole again");
}

async function attack(sql: string, check: (seen: Fsck) => void): Promise<void> {
  assert.deepEqual((await ledger.fsck()).failures, []);
  await strike(sql);
  try {
    const seen = await ledger.fsck();
    assert.equal(seen.ok, false);
    check(seen);
  } finally {
    await restore();
  }
}

const names = (index: number, what: RegExp) => (seen: Fsck) => {
  assert.equal(seen.failures[0]?.index, index, JSON.stringify(seen.failures.slice(0, 3)));
  assert.ok(
    seen.failures.some((failure) => failure.index === index && what.test(failure.what)),
    JSON.stringify(seen.failures.slice(0, 5)),
  );
};
const EDITED = `replace(body, '"n":137', '"n":731')`;

test("the log is sound before anybody touches it", async () => {
  const seen = await ledger.fsck();
  assert.deepEqual({ ...seen }, { ok: true, entries: ENTRIES, checkpoint: note, failures: [] });
});

test("an edited body is named", () => attack(`UPDATE ledger_entry SET body = ${EDITED} WHERE index = 137`, names(137, /does not hash to its leaf/)));

test("an edited leaf is named", () =>
  attack("UPDATE ledger_entry SET leaf = sha256('x') WHERE index = 137", names(137, /does not hash to its leaf/)));

test("a body edited together with its leaf is named", () =>
  attack(
    `UPDATE ledger_entry SET body = ${EDITED}, leaf = sha256(convert_to(${EDITED}, 'UTF8')) WHERE index = 137`,
    names(137, /not the entry that was committed/),
  ));

test("a body edited with its leaf and its place in the tree meets the signature, and the stream's next entry", () =>
  attack(
    `UPDATE ledger_entry SET body = ${EDITED}, leaf = sha256(convert_to(${EDITED}, 'UTF8')) WHERE index = 137;
     UPDATE ledger_node SET hashes = overlay(hashes PLACING sha256('\\x00'::bytea || (SELECT leaf FROM ledger_entry WHERE index = 137)) FROM ((137 - first) * 32 + 1)::int FOR 32)
       WHERE level = 0 AND first = (SELECT max(first) FROM ledger_node WHERE level = 0 AND first <= 137)`,
    (seen) => {
      // The batch it was committed in had the entries 120 to 139.
      assert.match(
        seen.failures.find((failure) => /signs another tree/.test(failure.what))?.what ?? "",
        /one of the entries 1\d\d to 139 is not what was committed/,
      );
      assert.ok(seen.failures.some((failure) => failure.index === 139 && /its prev is not the SHA-256/.test(failure.what)));
    },
  ));

test("a body that is taken away is named: nobody ordered it", async () => {
  await attack("UPDATE ledger_entry SET body = NULL WHERE index = 137", names(137, /the body is gone, and no entry ordered it erased/));
  await attack("UPDATE ledger_entry SET body = NULL, leaf = sha256('x') WHERE index = 137", names(137, /not the entry that was committed/));
  await attack("UPDATE ledger_entry SET body = NULL, stream_seq = 67 WHERE index = 137", names(137, /says number 67 .* where number 68 belongs/));
});

test("a deleted entry is named", () => attack("DELETE FROM ledger_entry WHERE index = 137", names(137, /missing/)));

test("several deleted entries are each named", () =>
  attack("DELETE FROM ledger_entry WHERE index IN (10, 11, 200)", (seen) => {
    assert.deepEqual(
      seen.failures.filter((failure) => /missing/.test(failure.what)).map((failure) => failure.index),
      [10, 11, 200],
    );
    assert.equal(seen.entries, ENTRIES - 3);
  }));

test("a deletion that closes the gap is named", () =>
  attack(
    "DELETE FROM ledger_entry WHERE index = 137; UPDATE ledger_entry SET index = index + 999999 WHERE index > 137; UPDATE ledger_entry SET index = index - 1000000 WHERE index > 999999",
    names(137, /not the entry that was committed/),
  ));

for (const [what, other] of [
  ["of one stream", 139],
  ["of two streams", 138],
] as const)
  test(`two swapped entries ${what} are both named`, () =>
    attack(
      `UPDATE ledger_entry SET index = 1000 WHERE index = 137; UPDATE ledger_entry SET index = 137 WHERE index = ${other}; UPDATE ledger_entry SET index = ${other} WHERE index = 1000`,
      (seen) => {
        names(137, /not the entry that was committed/)(seen);
        assert.ok(seen.failures.some((failure) => failure.index === other && /not the entry that was committed/.test(failure.what)));
        if (other === 139) assert.ok(seen.failures.some((failure) => failure.index === 137 && /where number 68 belongs/.test(failure.what)));
      },
    ));

test("a back-dated entry, everything after it moved along, is named", () =>
  attack(
    `UPDATE ledger_entry SET index = index + 1000000 WHERE index >= 137; UPDATE ledger_entry SET index = index - 999999 WHERE index >= 1000000;
     INSERT INTO ledger_entry SELECT 137, 'IMVU-009', 0, body, sha256(convert_to(body, 'UTF8')) FROM
       (SELECT replace(replace(body, '"stream":"IMVU-002"', '"stream":"IMVU-009"'), '"n":0', '"n":9') AS body FROM ledger_entry WHERE index = 0) forged`,
    names(137, /not the entry that was committed/),
  ));

test("a truncated tail is named: entries alone, with the tree, with the checkpoints too", async () => {
  const entries = "DELETE FROM ledger_entry WHERE index >= 280";
  const nodes = "DELETE FROM ledger_node WHERE level = 0 AND first >= 280";
  const checkpoints = "DELETE FROM ledger_checkpoint WHERE size > 280";
  for (const sql of [entries, `${entries}; ${nodes}`, `${entries}; ${checkpoints}`, `${entries}; ${nodes}; ${checkpoints}`])
    await attack(sql, names(280, /the entry and all after it are missing/));
});

test("an emptied ledger is named", () =>
  attack(TABLES.map((table) => `DELETE FROM ${table}`).join("; "), names(0, /the entry and all after it are missing: a checkpoint of 300/)));

test("an entry added behind the sequencer's back is named", () =>
  attack(
    `INSERT INTO ledger_entry SELECT 300, 'IMVU-009', 0, body, sha256(convert_to(body, 'UTF8')) FROM (SELECT replace(body, '"stream":"IMVU-002"', '"stream":"IMVU-009"') AS body FROM ledger_entry WHERE index = 0) forged`,
    names(300, /the tree has no leaf/),
  ));

test("a changed tree is named: a leaf, the root of a full tile, a missing one", async () => {
  await attack(
    "UPDATE ledger_node SET hashes = overlay(hashes PLACING sha256('x') FROM 1 FOR 32) WHERE level = 0 AND first = 20",
    names(20, /not the entry that was committed/),
  );
  await attack("UPDATE ledger_node SET hashes = sha256('x') WHERE level = 1", names(255, /stored root of tile 0 at level 0, .* is wrong/));
  await attack("DELETE FROM ledger_node WHERE level = 1", names(255, /stored root of tile 0 at level 0, .* is missing/));
});

test("a changed checkpoint is named: its note, its root, its place in the row of checkpoints", async () => {
  await attack(
    "UPDATE ledger_checkpoint SET note = replace(note, E'\\n120\\n', E'\\n121\\n') WHERE size = (SELECT min(size) FROM ledger_checkpoint WHERE note LIKE E'%\\n120\\n%')",
    names(119, /false signature/),
  );
  await attack("UPDATE ledger_checkpoint SET root = sha256('x') WHERE size = 120", names(119, /not what its note signs/));
  await attack("DELETE FROM ledger_checkpoint WHERE size = 120", (seen) =>
    assert.ok(
      seen.failures.every((failure) => /extends one of 120/.test(failure.what)),
      JSON.stringify(seen.failures),
    ),
  );
});

test("the service role, which an intruder in the platform would be, can do none of this", async () => {
  for (const sql of [
    `UPDATE ledger_entry SET body = ${EDITED}`,
    "DELETE FROM ledger_entry",
    "UPDATE ledger_entry SET body = NULL WHERE index = 137",
    "UPDATE ledger_entry SET leaf = sha256('x') WHERE index = 137",
    "TRUNCATE ledger_entry",
    "DELETE FROM ledger_node",
    "UPDATE ledger_checkpoint SET note = ''",
    "ALTER TABLE ledger_entry DISABLE TRIGGER ALL",
    "SET session_replication_role = replica",
    "SET ROLE nexus_owner",
  ])
    await assert.rejects(psql("root", "nexus_service", sql), /permission denied|must be owner/, sql);
  await assert.rejects(
    psql("root", "nexus_service", "INSERT INTO ledger_entry SELECT 137, 'IMVU-009', 0, body, leaf FROM ledger_entry WHERE index = 0"),
    /ledger_entry_pkey|has no gaps/,
  );
  await assert.rejects(
    psql("root", "nexus_service", "INSERT INTO ledger_entry SELECT 5000, 'IMVU-009', 0, body, leaf FROM ledger_entry WHERE index = 0"),
    /has no gaps/,
  );
  await assert.rejects(psql("root", "postgres", "SELECT 1"), /authentication failed/);
  for (const sql of ["SELECT ledger_erase(ARRAY[137]::bigint[], 137)", "SELECT ledger_erase(ARRAY[137]::bigint[], 5000)", "INSERT INTO ledger_erasure VALUES (137, 138)"])
    await assert.rejects(psql("root", "nexus_service", sql), /violates check constraint|violates foreign key|permission denied/, sql);
  // What it can take away is named.
  await psql("root", "nexus_service", "SELECT ledger_erase(ARRAY[137]::bigint[], 138)");
  try {
    names(137, /the body is gone, and no entry ordered it erased/)(await ledger.fsck());
    await assert.rejects(psql("root", "nexus_service", "SELECT ledger_erase(ARRAY[137]::bigint[], 138)"), /duplicate key/);
  } finally {
    await strike("ALTER TABLE ledger_erasure DISABLE TRIGGER ALL; DELETE FROM ledger_erasure");
    await restore();
  }
});

test("a running platform whose log was cut stops taking entries, and signs nothing more", async () => {
  const checkpoints = await superuser("SELECT count(*) FROM ledger_checkpoint");
  await strike("DELETE FROM ledger_entry WHERE index >= 280; DELETE FROM ledger_node WHERE level = 0 AND first >= 280");
  const append = () => ledger.append([{ stream: "IMVU-001", type: "meter.reading", actor: "platform", data: {} }]);
  await assert.rejects(append(), /the ledger/);
  await assert.rejects(append(), (error) => (error as { code?: unknown }).code === "LEDGER_BROKEN");
  assert.equal(ledger.checkpoint(), note);
  assert.equal(await superuser("SELECT count(*) FROM ledger_checkpoint"), checkpoints);
  await ledger.close();
  await assert.rejects(open(), (error) => (error as { code?: unknown }).code === "LEDGER_BROKEN");
  const offline = await fsckLedger({ store, verifier: ledger.verifierKey });
  assert.equal(offline.failures[0]?.index, 280);
  await strike(TABLES.map((table) => `DELETE FROM ${table}; INSERT INTO ${table} SELECT * FROM hidden.${table}`).join("; "));
  ledger = await open();
  assert.equal((await ledger.fsck()).ok, true);
});

test("an old backup, played back and continued, is a fork in the eyes of whoever kept a checkpoint", async () => {
  await ledger.close();
  await strike(
    "DELETE FROM ledger_entry WHERE index >= 280; DELETE FROM ledger_node WHERE level = 0 AND first >= 280; DELETE FROM ledger_checkpoint WHERE size > 280",
  );
  ledger = await open();
  assert.equal((await ledger.fsck()).ok, true, "by itself the older log is sound: nothing inside it can know better");
  await assert.rejects(ledger.consistencyProof(ENTRIES, ENTRIES), (error) => (error as { code?: unknown }).code === "LEDGER_NO_TREE");
  const kept = await fsckLedger({ store, verifier: ledger.verifierKey, known: [note] });
  assert.deepEqual(
    kept.failures.map((failure) => failure.index),
    [280],
  );
  await ledger.append(Array.from({ length: 40 }, (_, n) => ({ stream: "IMVU-001", type: "meter.reading" as const, actor: "platform", data: { n } })));
  await ledger.receipt(319);
  const consistency = (await ledger.consistencyProof(ENTRIES, 320)).map((hash) => hash.toString("base64"));
  const seen = verifyCheckpoints(note, ledger.checkpoint() as string, consistency, ledger.verifierKey);
  assert.equal(seen.ok ? "" : seen.code, "LOG_FORKED");
  const later = await fsckLedger({ store, verifier: ledger.verifierKey, known: [note] });
  assert.match(later.failures[0]?.what ?? "", /a checkpoint that was published of 300 entries signs another tree/);
});
