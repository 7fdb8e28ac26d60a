import assert from "node:assert/strict";
import test from "node:test";
import { type ClusterConfig, renderBootstrap, renderHba, renderIdent, renderPostgresConf } from "./cluster-config.ts";

const config: ClusterConfig = {
  socketDir: "/srv/o'home\\x/pg/run",
  platformUser: "root",
  engineUser: "postgres",
  database: "nexus",
  ownerRole: "nexus_owner",
  serviceRole: "nexus_service",
  port: 5432,
};

test("the cluster listens on no network, is durable, and quotes its paths", () => {
  const text = renderPostgresConf(config);
  assert.match(text, /^listen_addresses = ''$/m);
  assert.match(text, /^fsync = 'on'$/m);
  assert.match(text, /^synchronous_commit = 'on'$/m);
  assert.match(text, /^full_page_writes = 'on'$/m);
  assert.ok(text.includes("unix_socket_directories = '/srv/o''home\\\\x/pg/run'\n"));
  assert.throws(() => renderPostgresConf({ ...config, socketDir: "/a\nfsync = off" }), /one line/);
});

test("the platform comes in as owner and service only; the superuser only as the engine's own user", () => {
  assert.equal(
    renderHba(config),
    "local nexus nexus_owner peer map=platform\nlocal nexus nexus_service peer map=platform\nlocal all postgres peer map=engine\nlocal replication postgres peer map=engine\n",
  );
  assert.equal(renderIdent(config), "platform root nexus_owner\nplatform root nexus_service\nengine postgres postgres\n");
});

test("the write-ahead log is archived by PostgreSQL itself, through no shell, and only where a folder is named", () => {
  assert.match(renderPostgresConf(config), /^archive_mode = 'off'$/m);
  const text = renderPostgresConf({ ...config, walArchive: "/srv/archive" });
  for (const line of ["archive_mode = 'on'", "archive_library = 'basic_archive'", "basic_archive.archive_directory = '/srv/archive'", "archive_timeout = '300'"]) assert.ok(text.includes(`${line}\n`), line);
  assert.doesNotMatch(text, /archive_command/);
});

test("no role of ours is a superuser", () => {
  const { roles } = renderBootstrap(config);
  for (const line of roles.split("\n").filter((line) => line.startsWith("CREATE ROLE"))) assert.match(line, / NOSUPERUSER NOCREATEDB NOCREATEROLE /);
});
