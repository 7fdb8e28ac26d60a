import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import { Client } from "pg";
import { keyNow, ringByName } from "../../src/core/command/index.ts";
import { createIdentityKey } from "../../src/core/identity/index.ts";
import { openStore, postgresEngine } from "../../src/core/store/index.ts";
import { sha256Hex } from "../../src/kernel/index.ts";
import { superviseEngines } from "../../src/platform/supervision/index.ts";
import { ScratchSite } from "../harness/scratch-site.ts";

const FOLDER = join(import.meta.dirname, "../../src/core/store/migrations");
/** Before it an identity had one key, in columns of its row. */
const KEY_RINGS = 4;
/** Since then every statement is booked with its row. */
const JOURNAL = 7;

/** A database as an earlier version left it: its migrations, and nothing of the later ones. */
async function leave(owner: Client, upTo: number): Promise<void> {
  await owner.query("CREATE TABLE schema_migration (number int PRIMARY KEY, name text NOT NULL, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())");
  for (const [at, name] of (await readdir(FOLDER)).sort().slice(0, upTo).entries()) {
    const sql = await readFile(join(FOLDER, name), "utf8");
    await owner.query(sql);
    await owner.query("INSERT INTO schema_migration (number, name, sha256) VALUES ($1, $2, $3)", [at + 1, name, sha256Hex(sql)]);
  }
}

for (const upTo of [1, 2, 3, 4, 5, 6, 7]) {
  test(`a database of migration ${upTo}, with what was in it, is today's after one start, and after a second one unchanged`, async () => {
    await using scratch = await ScratchSite.create();
    const { site } = scratch;
    const engines = await superviseEngines(site, [postgresEngine(site)], () => {});
    const key = createIdentityKey();
    const body = JSON.stringify({ a: "body" });
    try {
      const owner = new Client({ host: join(site.dir, "pg/run"), port: 5_432, database: "nexus", user: "nexus_owner" });
      await owner.connect();
      try {
        await leave(owner, upTo);
        await owner.query("INSERT INTO ledger_entry (index, stream, stream_seq, body, leaf) VALUES (0, 'platform', 0, $1, sha256(convert_to($1, 'UTF8')))", [body]);
        if (upTo >= 2 && upTo < KEY_RINGS) await owner.query("INSERT INTO identity (name, kid, public_key, status, doc, updated_index) VALUES ('creator-8891', $1, $2, 'live', '{}', 7)", [key.kid, key.publicKey.text]);
        if (upTo >= 2) await owner.query(`INSERT INTO imvu (id, number, owner, status, doc, updated_index) VALUES ('IMVU-001', 1, 'creator-8891', 'active', '{"zone":"imvu001.world","envelope":{"cpuMillis":500,"memoryBytes":1,"storageBytes":2}}', 8)`);
        if (upTo >= 3) await owner.query("INSERT INTO consent (imvu, subject, purpose, text, state, entry_index) VALUES ('IMVU-001', 'user-1', 'newsletter', 'x', 'given', 9)");
        // A statement of gross 0.02, of 0.011 and 0.009: from before there were sales it says no payout.
        if (upTo >= 2 && upTo < JOURNAL) await owner.query(`INSERT INTO statement VALUES ('IMVU-001', '2026-10', 'EUR', 2e19, 11e18, 9e18, '{"gross":"0.02","creator":"0.011","platform":"0.009"}', 10)`);
        if (upTo >= 2) await owner.query(`INSERT INTO reading SELECT 'IMVU-001', entry_index, resource, at, 1, 'b', 'e' FROM (VALUES (3, 'network.in', timestamptz '2026-11-03T09:00:00Z'), (5, 'network.in', '2026-11-03T09:01:00Z'), (5, 'compute.cpu', '2026-11-03T09:01:00Z'), (9, 'mail.sent', '2026-11-03T09:02:00Z'), (9, 'compute.cpu', '2026-11-03T09:02:00Z'), (9, 'dns.answers', '2026-11-03T09:02:00Z')) AS one (entry_index, resource, at)`);
        if (upTo === 7) await owner.query("INSERT INTO journal VALUES (10, 'creator', 'IMVU-001', '2026-10', 'EUR', -2e19), (10, 'platform', 'IMVU-001', '2026-10', 'EUR', -9e18), (10, 'rounding', 'IMVU-001', '2026-10', 'EUR', 9e18), (10, 'usage', 'IMVU-001', '2026-10', 'EUR', 2e19)");
        if (upTo === 6) await owner.query(`INSERT INTO correction VALUES ('IMVU-001', '2026-10', 1, 'EUR', 1e19, 55e17, 45e17, '{"revenue":{"recorded":"0","reversed":"0.01"},"gross":"-0.01","creator":"-0.0055","platform":"-0.0045","payout":{"creator":"-0.01"}}', 11)`);
      } finally {
        await owner.end();
      }
      for (let start = 0; start < 2; start += 1) {
        const store = await openStore({ site });
        try {
          const rows = async (sql: string) => await store.snapshot((tx) => tx.query(sql));
          assert.deepEqual(await rows("SELECT body FROM ledger_entry"), [{ body }]);
          if (upTo >= 3) assert.equal((await rows("SELECT * FROM consent")).length, 1);
          // From the seventh on a statement is booked by who closes it.
          if (upTo >= 2 && upTo < 7) {
            const booked = (await rows("SELECT entry_index || ' ' || account || ' ' || amount AS line FROM journal ORDER BY entry_index, account")).map(({ line }) => line);
            assert.deepEqual(booked, upTo >= JOURNAL ? [] : ["10 creator -20000000000000000000", "10 platform -9000000000000000000", "10 rounding 9000000000000000000", "10 usage 20000000000000000000", ...(upTo === 6 ? ["11 creator 10000000000000000000", "11 platform 4500000000000000000", "11 refunds -10000000000000000000", "11 rounding -4500000000000000000"] : [])]);
          }
          if (upTo >= 2) {
            assert.deepEqual(await rows("SELECT * FROM reading ORDER BY place"), [
              { imvu: "IMVU-001", place: "first", entry_index: 3, at: "2026-11-03T09:00:00.000Z", resources: ["network.in"] },
              { imvu: "IMVU-001", place: "newest", entry_index: 9, at: "2026-11-03T09:02:00.000Z", resources: ["compute.cpu", "dns.answers", "mail.sent"] },
            ]);
          }
          if (upTo < 2 || upTo >= KEY_RINGS) continue;
          const ring = await store.snapshot((tx) => ringByName(tx, "creator-8891"));
          assert.deepEqual(ring, { name: "creator-8891", keys: [{ kid: key.kid, publicKey: key.publicKey.text, device: null, since: 7, ended: null }], recovery: null, pending: null });
          const known = await store.snapshot((tx) => keyNow(tx, key.kid));
          assert.deepEqual([known?.identity, known?.status, known?.publicKey.text], ["creator-8891", "live", key.publicKey.text]);
          assert.deepEqual(await rows("SELECT zone, cpu_millis, memory_bytes, storage_bytes FROM imvu"), [{ zone: "imvu001.world", cpu_millis: 500, memory_bytes: 1, storage_bytes: 2 }]);
        } finally {
          await store.close();
        }
      }
    } finally {
      await engines.stop();
    }
  });
}
