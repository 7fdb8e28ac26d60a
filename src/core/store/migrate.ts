import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Client } from "pg";
import { Fault, messageOf, type Sha256, sha256Hex } from "../../kernel/index.ts";

const MIGRATIONS_FOLDER = join(import.meta.dirname, "migrations");
const MIGRATION_FILE = /^(\d{4})-[a-z0-9-]+\.sql$/;
const SERVER_VERSION_MIN = 150_000;
/** Any fixed number: two programs that migrate one database at once take turns. */
const MIGRATION_LOCK = 7_103_551_701n;

export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly sql: string;
  readonly sha256: Sha256;
}

export async function readMigrations(folder: string = MIGRATIONS_FOLDER): Promise<readonly Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".sql")).sort();
  return await Promise.all(
    names.map(async (name, position) => {
      const match = MIGRATION_FILE.exec(name);
      if (!match || Number(match[1]) !== position + 1) throw new Fault("MIGRATION_NAME", `migration ${name}: expected number ${position + 1}`);
      const sql = await readFile(join(folder, name), "utf8");
      return { number: position + 1, name, sql, sha256: sha256Hex(sql) };
    }),
  );
}

/**
 * Forward only, each in a transaction of its own, remembered by the checksum of its text: an applied migration that
 * was edited, and a database that a newer version made, are refused.
 */
export async function migrate(owner: Client, migrations?: readonly Migration[]): Promise<void> {
  const wanted = migrations ?? (await readMigrations());
  const version = Number((await owner.query("SHOW server_version_num")).rows[0]?.server_version_num);
  if (!(version >= SERVER_VERSION_MIN))
    throw new Fault("STORE_TOO_OLD", `the database is PostgreSQL ${version}; version 15 or newer is needed`, { hint: "install a newer PostgreSQL" });
  await owner.query("SELECT pg_advisory_lock($1)", [MIGRATION_LOCK.toString()]);
  try {
    await owner.query(
      "CREATE TABLE IF NOT EXISTS schema_migration (number int PRIMARY KEY, name text NOT NULL, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())",
    );
    const applied = (
      await owner.query<{ number: number; name: string; sha256: string }>("SELECT number, name, sha256 FROM schema_migration ORDER BY number")
    ).rows;
    for (const row of applied) {
      const known = wanted[row.number - 1];
      if (!known) throw new Fault("STORE_NEWER", `the database was migrated by a newer version (${row.name})`, { hint: "start the newer version" });
      if (known.sha256 !== row.sha256) throw new Fault("MIGRATION_CHANGED", `migration ${known.name} is not the one this database was made with`);
    }
    for (const migration of wanted.slice(applied.length)) await apply(owner, migration);
  } finally {
    await owner.query("SELECT pg_advisory_unlock($1)", [MIGRATION_LOCK.toString()]);
  }
}

async function apply(owner: Client, migration: Migration): Promise<void> {
  try {
    await owner.query("BEGIN");
    await owner.query(migration.sql);
    await owner.query("INSERT INTO schema_migration (number, name, sha256) VALUES ($1, $2, $3)", [
      migration.number,
      migration.name,
      migration.sha256,
    ]);
    await owner.query("COMMIT");
  } catch (cause) {
    await owner.query("ROLLBACK").catch(() => {});
    throw new Fault("MIGRATION_FAILED", `migration ${migration.name}: ${messageOf(cause)}`, { cause });
  }
}
