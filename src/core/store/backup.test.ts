import assert from "node:assert/strict";
import test from "node:test";
import { recoverySettings } from "./backup.ts";

const code = (expected: string) => (error: unknown) => (error as { code?: unknown }).code === expected;

test("recovery goes along the newest branch of the archive to its end, or to a time that the server reads without knowing zones", () => {
  assert.equal(recoverySettings({}), "");
  const all = recoverySettings({ walArchive: "/srv/wal" });
  assert.equal(all, "restore_command = 'cp -- /srv/wal/%f %p'\nrecovery_target_timeline = 'latest'\nrecovery_target_action = 'promote'\n");
  assert.match(recoverySettings({ walArchive: "/srv/wal", at: "2026-11-23T19:00:00.5+02:00" }), /^recovery_target_time = '2026-11-23 17:00:00\.500\+00'$/m);
});

test("what could be read by a shell, is no time, or cannot be reached is refused", () => {
  for (const walArchive of ["/srv/w'al", "/srv/wal;x", "/srv/$HOME", "srv/wal", "/srv/w al"]) assert.throws(() => recoverySettings({ walArchive }), code("BAD_PATH"), walArchive);
  for (const at of ["yesterday", "2026-13-01T00:00:00Z", "2026-11-23T17:00:00Z'", ""]) assert.throws(() => recoverySettings({ walArchive: "/srv/wal", at }), code("BAD_TIME"), at);
  assert.throws(() => recoverySettings({ at: "2026-11-23T17:00:00Z" }), code("NO_WAL_ARCHIVE"));
});
