import assert from "node:assert/strict";
import { readdir, readFile, readlink, stat } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import { Client } from "pg";
import { split } from "../../src/core/handshake/index.ts";
import { bigintArray, byteaArray, endPostgresLeftovers, isUniqueViolation, openStore, postgresEngine, type Store, textArray } from "../../src/core/store/index.ts";
import { Fault, money, runOk, sleep, start } from "../../src/kernel/index.ts";
import { endEngineGroups, type RunningEngines, superviseEngines } from "../../src/platform/supervision/index.ts";
import { ScratchSite } from "../harness/scratch-site.ts";

/** The private cluster, for real. One for all tests of this file that leave it as it was. */
const scratch = await ScratchSite.create();
const { site } = scratch;
const socketDir = join(site.dir, "pg", "run");
let engines: RunningEngines;
let store: Store;

test.before(async () => {
  engines = await superviseEngines(site, [postgresEngine(site)], () => {});
  store = await openStore({ site });
});

test.after(async () => {
  await store?.close();
  await engines?.stop();
  await endEngineGroups(site.homeId);
  await endPostgresLeftovers(site);
  await scratch[Symbol.asyncDispose]();
});

const code = (expected: string) => (error: unknown) => (error as { code?: unknown }).code === expected;

/** Runs SQL as the superuser, which the product itself has no way to be: as the OS user postgres, over the socket. */
async function superuser(sql: string): Promise<string> {
  return await runOk(
    [
      "/usr/bin/setpriv",
      "--reuid=postgres",
      "--regid=postgres",
      "--init-groups",
      "--",
      "/usr/bin/psql",
      "-X",
      "-A",
      "-t",
      "-v",
      "ON_ERROR_STOP=1",
      "-h",
      socketDir,
      "-d",
      "nexus",
      "-c",
      sql,
    ],
    { cwd: "/" },
  );
}

test("the cluster is private: no network, an unprivileged user, durable, checksummed", async () => {
  const pid = engines.views()[0]?.pid as number;
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const postgres = (await runOk(["/usr/bin/id", "-u", "postgres"])).trim();
  assert.match(status, new RegExp(`^Uid:\\s+${postgres}\\s+${postgres}\\s`, "m"));
  const inodes = new Set(
    (await Promise.all(["tcp", "tcp6", "udp", "udp6"].map((name) => readFile(`/proc/net/${name}`, "utf8")))).flatMap((text) =>
      text.split("\n").map((line) => line.trim().split(/\s+/)[9]),
    ),
  );
  for (const fd of await readdir(`/proc/${pid}/fd`)) {
    const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => "");
    assert.ok(!inodes.has(/^socket:\[(\d+)\]$/.exec(target)?.[1] ?? "none"), `${target} is a network socket`);
  }
  assert.equal(
    (
      await superuser(
        "SELECT current_setting('fsync'), current_setting('synchronous_commit'), current_setting('full_page_writes'), current_setting('data_checksums')",
      )
    ).trim(),
    "on|on|on|on",
  );
  assert.equal((await stat(join(site.dir, "pg", "data"))).mode & 0o777, 0o700);
  assert.deepEqual(store.describe(), { socket: socketDir, port: 5432, name: "nexus" });
});

test("the platform is the service role, and root cannot come in as the superuser", async () => {
  const rows = await store.snapshot((tx) =>
    tx.query<{ name: string; super: boolean }>("SELECT current_user AS name, rolsuper AS super FROM pg_roles WHERE rolname = current_user"),
  );
  assert.deepEqual(rows, [{ name: "nexus_service", super: false }]);
  for (const user of ["postgres", "nobody"]) {
    const client = new Client({ host: socketDir, port: 5432, database: "nexus", user });
    await assert.rejects(client.connect(), /authentication failed|no pg_hba.conf entry/);
    await client.end().catch(() => {});
  }
});

test("the service role adds to the ledger and changes nothing of it", async () => {
  for (const table of ["ledger_entry", "ledger_node", "ledger_checkpoint"])
    for (const sql of [
      `UPDATE ${table} SET ${table === "ledger_entry" ? "body" : table === "ledger_node" ? "hashes" : "note"} = NULL`,
      `DELETE FROM ${table}`,
      `TRUNCATE ${table} CASCADE`,
      `ALTER TABLE ${table} DISABLE TRIGGER ALL`,
      `DROP TABLE ${table} CASCADE`,
    ])
      await assert.rejects(
        store.transaction((tx) => tx.run(sql)),
        // Before any trigger is asked: the role has no such right.
        /^error: (permission denied for table|must be owner of table) /,
        sql,
      );
  await assert.rejects(
    store.transaction((tx) => tx.run("CREATE TABLE mine (a int)")),
    code("42501"),
  );
  await assert.rejects(
    store.transaction((tx) => tx.run("UPDATE schema_migration SET name = ''")),
    code("42501"),
  );
});

test("the triggers refuse the owner and the superuser too, also as a replica", async () => {
  for (const table of ["ledger_entry", "ledger_node", "ledger_checkpoint"])
    for (const sql of [`DELETE FROM ${table}`, `TRUNCATE ${table} CASCADE`])
      await assert.rejects(superuser(`SET session_replication_role = replica; ${sql}`), /the ledger only grows/, sql);
  await assert.rejects(superuser("UPDATE ledger_entry SET index = 0"), /the ledger only grows: UPDATE/);
});

test("entries follow each other without a gap, carry their own hash, and are bounded", async () => {
  const insert = (index: number, body: string, leaf = "sha256(convert_to($2, 'UTF8'))") =>
    store.transaction(async (tx) => {
      await tx.run(`INSERT INTO ledger_entry (index, stream, stream_seq, body, leaf) VALUES ($1, 'gap', 0, $2, ${leaf})`, [index, body]);
      throw new Fault("UNDO", "nothing of this stays");
    });
  await assert.rejects(insert(0, "{}"), code("UNDO"));
  await assert.rejects(insert(1, "{}"), code("23514"), "a gap");
  await assert.rejects(insert(-1, "{}"), code("23514"));
  await assert.rejects(insert(0, "{}", "sha256('other')"), code("23514"), "a foreign hash");
  await assert.rejects(insert(0, "x".repeat(32_769)), code("23514"), "too long");
});

test("the database repeats the constants of the law", async () => {
  const insert = (gross: bigint, creator: bigint, platform: bigint) =>
    store.transaction(async (tx) => {
      await tx.run(
        "INSERT INTO statement (imvu, period, currency, gross, creator, platform, doc, entry_index) VALUES ('IMVU-001', '2026-01', 'EUR', $1, $2, $3, '{}', 1)",
        [gross, creator, platform].map(String),
      );
      throw new Fault("UNDO", "nothing of this stays");
    });
  const huge = 10n ** 57n + 7n;
  for (const gross of [0n, 1n, 2n, 99n, 100n, 101n, huge, -1n, -99n, -100n, -huge]) {
    const { creator, platform } = split(money(gross));
    await assert.rejects(insert(gross, creator, platform), code("UNDO"), `${gross}`);
    await assert.rejects(insert(gross, creator - 1n, platform + 1n), code("23514"), `${gross}: one unit more for the platform`);
    await assert.rejects(insert(gross, creator + 1n, platform - 1n), code("23514"), `${gross}: one unit less`);
    await assert.rejects(insert(gross, creator - 1n, platform), code("23514"), `${gross}: a unit lost`);
  }
  await assert.rejects(insert(100n, 56n, 44n), code("23514"));
});

test("a transaction is all or nothing, a savepoint its part, a snapshot cannot write", async () => {
  const names = () => store.snapshot((tx) => tx.query<{ name: string }>("SELECT name FROM identity ORDER BY name"));
  const add = (tx: { run(sql: string, params: unknown[]): Promise<number> }, name: string) =>
    tx.run("INSERT INTO identity (name, doc, updated_index) VALUES ($1, '{}', 0)", [name]);
  await assert.rejects(
    store.transaction(async (tx) => {
      assert.equal(await add(tx, "a"), 1);
      throw new Error("no");
    }),
    /no/,
  );
  assert.deepEqual(await names(), []);
  let late: Promise<unknown> | undefined;
  await store.transaction(async (tx) => {
    await add(tx, "a");
    await assert.rejects(
      tx.savepoint(async () => {
        await add(tx, "b");
        await add(tx, "a");
      }),
      (error) => isUniqueViolation(error, "identity_pkey") && !isUniqueViolation(error, "identity_kid_key"),
    );
    await tx.savepoint(() => add(tx, "c"));
    late = new Promise((resolve) => setTimeout(() => resolve(add(tx, "late").catch((error) => error)), 50));
  });
  assert.deepEqual(await names(), [{ name: "a" }, { name: "c" }]);
  assert.equal(((await late) as Fault).code, "STORE_TX_ENDED");
  await assert.rejects(
    store.transaction(async (tx) => {
      await add(tx, "d");
      await add(tx, "a").catch(() => {});
    }),
    code("STORE_ROLLED_BACK"),
    "a COMMIT that was none",
  );
  await assert.rejects(
    store.snapshot((tx) => tx.query("DELETE FROM identity")),
    code("25006"),
  );
  assert.equal(await store.transaction((tx) => tx.run("DELETE FROM identity")), 2);
});

test("rows come in by COPY exactly as they are, all or none, and a COPY cut off or refused leaves the connection usable", async () => {
  const texts = ["", "ü\t\\N\n\"quoted\"", "x".repeat(20_000), "\u{1f600}"];
  await superuser("CREATE TABLE copied (a bigint, b text, c bytea); GRANT INSERT, SELECT ON copied TO nexus_service");
  const session = await store.session();
  try {
    await session.transaction(async (tx) => {
      const copy = tx.copy("copied");
      await copy.write(texts.slice(0, 2).map((text, at) => [at, text, Buffer.from([0, at, 255])]));
      await assert.rejects(tx.query("SELECT 1"), code("STORE_TX_COPYING"));
      await copy.write(texts.slice(2).map((text, at) => [at ? Number.MAX_SAFE_INTEGER : Number.MIN_SAFE_INTEGER, text, Buffer.alloc(0)]));
      await copy.end();
      const rows = await tx.query("SELECT a, b, c FROM copied ORDER BY b COLLATE \"C\"");
      assert.deepEqual(rows, [
        { a: 0, b: texts[0], c: Buffer.from([0, 0, 255]) },
        { a: Number.MIN_SAFE_INTEGER, b: texts[2], c: Buffer.alloc(0) },
        { a: 1, b: texts[1], c: Buffer.from([0, 1, 255]) },
        { a: Number.MAX_SAFE_INTEGER, b: texts[3], c: Buffer.alloc(0) },
      ]);
    });
    await assert.rejects(
      session.transaction(async (tx) => {
        await tx.copy("copied").write([[5, "cut", Buffer.alloc(1)]]);
        throw new Fault("TEST_SAYS_NO", "no");
      }),
      code("TEST_SAYS_NO"),
    );
    await assert.rejects(
      session.transaction(async (tx) => {
        const copy = tx.copy("ledger_entry (index, stream, stream_seq, body, leaf)");
        await copy.write([[0, "s", 0, "{}", Buffer.alloc(32)]]);
        await copy.end();
      }),
      code("23514"),
    );
    assert.deepEqual(await session.transaction((tx) => tx.query("SELECT a FROM copied WHERE a = 5")), []);
    assert.equal(session.lost(), false);
  } finally {
    await session.close();
    await superuser("DROP TABLE copied");
  }
});

test("statements sent at once are one transaction, their arrays arrive exactly, and one that is refused leaves the connection usable", async () => {
  const texts = ["", "ü\t\\N\n\"quoted\",{}NULL", "x".repeat(20_000), null];
  await superuser("CREATE TABLE sent (a bigint PRIMARY KEY, b text, c bytea, n numeric); GRANT INSERT, SELECT ON sent TO nexus_service");
  const put = { name: "sent rows", text: "INSERT INTO sent (a, b, c, n) SELECT a, b, c, $4::numeric FROM unnest($1::bigint[], $2::text[], $3::bytea[]) AS new (a, b, c)" };
  const one = { name: "sent one", text: "INSERT INTO sent (a, b) VALUES ($1, $2)" };
  const numbers = [Number.MIN_SAFE_INTEGER, 0, 1, Number.MAX_SAFE_INTEGER];
  const first = [bigintArray(numbers), textArray(texts), byteaArray([Buffer.alloc(0), Buffer.from([0, 255]), null, Buffer.from("\\x")]), 7];
  const stored = () => store.snapshot((tx) => tx.query<{ a: number; b: string | null; c: Buffer | null; n: string | null }>("SELECT a, b, c, n FROM sent ORDER BY a"));
  const session = await store.session();
  try {
    await session.atOnce([{ statement: put, params: first }, { statement: one, params: [5, null] }, { statement: one, params: [6, "six"] }]);
    const rows = await stored();
    assert.deepEqual(rows.map(({ a }) => a), [Number.MIN_SAFE_INTEGER, 0, 1, 5, 6, Number.MAX_SAFE_INTEGER]);
    assert.deepEqual(rows.map(({ b }) => b), [texts[0], texts[1], texts[2], null, "six", null]);
    assert.deepEqual(rows.map(({ c }) => c?.toString("hex") ?? null), ["", "00ff", null, null, null, "5c78"]);
    assert.equal(rows[0]?.n, "7");
    // The last is refused: of what went before nothing is left. A statement behind an error was never prepared, and is when it comes again.
    const late = { name: "sent late", text: "INSERT INTO sent (a) VALUES ($1)" };
    await assert.rejects(session.atOnce([{ statement: one, params: [8, "eight"] }, { statement: one, params: [6, "again"] }, { statement: late, params: [9] }]), code("23505"));
    const wrong = { name: "sent wrong", text: "INSERT INTO nowhere (a) VALUES ($1)" };
    await assert.rejects(session.atOnce([{ statement: one, params: [8, "eight"] }, { statement: wrong, params: [1] }, { statement: late, params: [9] }]), code("42P01"));
    assert.equal((await stored()).length, 6);
    await session.atOnce([{ statement: late, params: [9] }, { statement: put, params: [bigintArray([]), textArray([]), byteaArray([]), null] }]);
    assert.equal((await stored()).length, 7);
    assert.equal(session.lost(), false);
    // The driver's own statements of the same name do not meet these.
    await session.transaction((tx) => tx.named(one, [10, "ten"]));
    await session.atOnce([{ statement: one, params: [11, "eleven"] }]);
    assert.equal((await stored()).length, 9);
    await superuser("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%INTO sent%' AND pid <> pg_backend_pid()");
    await assert.rejects(session.atOnce([{ statement: one, params: [12, "twelve"] }]), code("STORE_LOST"));
    assert.equal((await stored()).length, 9);
  } finally {
    await session.close().catch(() => {});
    await superuser("DROP TABLE sent");
  }
});

test("values come back as the platform uses them", async () => {
  const [row] = await store.snapshot((tx) =>
    tx.query(
      "SELECT 9007199254740991::bigint AS big, 123456789012345678901234567890::numeric AS num, '2026-01-02 03:04:05.006+01'::timestamptz AS at, '{\"a\":[1]}'::jsonb AS doc, '\\x00ff'::bytea AS bytes",
    ),
  );
  assert.deepEqual(row, {
    big: Number.MAX_SAFE_INTEGER,
    num: "123456789012345678901234567890",
    at: "2026-01-02T02:04:05.006Z",
    doc: { a: [1] },
    bytes: Buffer.from([0, 255]),
  });
  await assert.rejects(
    store.snapshot((tx) => tx.query("SELECT 9007199254740993::bigint AS big")),
    /safe integer/,
  );
});

test("an edited or unknown migration is refused; the owner is restored afterwards", async () => {
  await superuser("UPDATE schema_migration SET sha256 = 'x' || sha256 WHERE number = 1");
  await assert.rejects(openStore({ site }), code("MIGRATION_CHANGED"));
  await superuser(
    "UPDATE schema_migration SET sha256 = substr(sha256, 2) WHERE number = 1; INSERT INTO schema_migration (number, name, sha256) VALUES (9999, '9999-later.sql', '')",
  );
  await assert.rejects(openStore({ site }), code("STORE_NEWER"));
  await superuser("DELETE FROM schema_migration WHERE number = 9999");
  await (await openStore({ site })).close();
});

test("a database given by URL is migrated by its owner and used as the service role", async () => {
  const url = `postgres://nexus_owner@localhost/nexus?host=${encodeURIComponent(socketDir)}`;
  const other = await openStore({ databaseUrl: url });
  try {
    assert.deepEqual(await other.snapshot((tx) => tx.query("SELECT current_user AS role, session_user AS login")), [
      { role: "nexus_service", login: "nexus_owner" },
    ]);
    await assert.rejects(
      other.transaction((tx) => tx.run("DELETE FROM ledger_entry")),
      code("42501"),
    );
  } finally {
    await other.close();
  }
  for (const bad of ["", "http://x/y", "postgres://host", "postgres:///db", "postgres://u@h/d?sslmode=prefer", "postgres://u@h/d?options=x"])
    await assert.rejects(openStore({ databaseUrl: bad }), code("BAD_DATABASE_URL"), bad);
  await assert.rejects(openStore({ databaseUrl: "postgres://u@127.0.0.1:1/d?sslmode=disable" }), code("STORE_UNREACHABLE"));
});

test("statements that never change are planned once on connections of their own; everything else as PostgreSQL sees fit", async () => {
  const mode = "SELECT current_setting('plan_cache_mode') AS mode";
  const [planned] = await store.select<{ mode: string }>({ name: "plan mode", text: mode });
  const [other] = await store.snapshot((tx) => tx.query<{ mode: string }>(mode, []));
  assert.deepEqual([planned?.mode, other?.mode], ["force_generic_plan", "auto"]);
});

test("after kill -9 of everything, leftovers do not block, and what was committed is there", async () => {
  await store.transaction((tx) =>
    tx.run("INSERT INTO identity (name, doc, updated_index) VALUES ('kept', '{}', 0)"),
  );
  const before = engines.views()[0]?.pid as number;
  // Only the postmaster dies, as by the OOM killer: its children and its pid file stay behind.
  process.kill(before, "SIGKILL");
  const until = Date.now() + 20_000;
  // An orphaned backend may still answer until it notices; wait for the new postmaster.
  while ((engines.views()[0]?.pid === before || engines.views()[0]?.state !== "running") && Date.now() < until) await sleep(20);
  let rows: readonly object[] = [];
  while (rows.length === 0 && Date.now() < until) {
    rows = await store.snapshot((tx) => tx.query("SELECT name FROM identity WHERE name = 'kept'")).catch(() => []);
    if (rows.length === 0) await sleep(50);
  }
  assert.deepEqual(rows, [{ name: "kept" }]);
  assert.notEqual(engines.views()[0]?.pid, before);
  // A stale pid file whose pid now belongs to another process of the same user must not block a start.
  await store.close();
  await engines.stop();
  const sleeper = start(["/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--", "/bin/sleep", "60"], { stdio: "ignore" });
  try {
    await runOk([
      "/usr/bin/setpriv",
      "--reuid=postgres",
      "--regid=postgres",
      "--init-groups",
      "--",
      "/bin/sh",
      "-c",
      'printf "%s\\n%s\\n1\\n5432\\n%s\\n\\n       1         0\\n" "$1" "$2" "$3" >"$2/postmaster.pid"',
      "sh",
      String(sleeper.pid),
      join(site.dir, "pg", "data"),
      socketDir,
    ]);
    engines = await superviseEngines(site, [postgresEngine(site)], () => {});
    store = await openStore({ site });
    assert.equal(sleeper.exitCode, null, "the stranger lives");
  } finally {
    sleeper.kill("SIGKILL");
  }
  await store.transaction((tx) => tx.run("DELETE FROM identity"));
});
