/** The private cluster's configuration, as text: pure, so that it can be read and tested. */

export interface ClusterConfig {
  readonly socketDir: string;
  /** OS user of the platform's own process, which may come in as owner and as service. */
  readonly platformUser: string;
  readonly engineUser: string;
  readonly database: string;
  readonly ownerRole: string;
  readonly serviceRole: string;
  readonly port: number;
  /** Folder that every full segment of the write-ahead log is copied to; absent: none is kept. */
  readonly walArchive?: string;
}

/** Seconds after which a segment that is not full goes to the archive too: what a lost disk can take along. */
const ARCHIVE_TIMEOUT_S = 300;

export function renderPostgresConf(config: ClusterConfig): string {
  const settings: readonly (readonly [string, string])[] = [
    // Reached only by those who can open the socket.
    ["listen_addresses", ""],
    ["unix_socket_directories", config.socketDir],
    ["port", String(config.port)],
    ["max_connections", "32"],
    ["superuser_reserved_connections", "3"],
    // What was acknowledged is on the disk.
    ["fsync", "on"],
    ["synchronous_commit", "on"],
    ["full_page_writes", "on"],
    // A cluster that still recovers serves nobody: what it shows is not yet what it will be.
    ["hot_standby", "off"],
    ["wal_level", "replica"],
    ["max_wal_senders", "4"],
    ...archiving(config.walArchive),
    // Small: an idle platform is many engines.
    ["shared_buffers", "32MB"],
    ["work_mem", "4MB"],
    ["maintenance_work_mem", "32MB"],
    ["max_wal_size", "256MB"],
    ["min_wal_size", "32MB"],
    ["max_worker_processes", "0"],
    ["max_parallel_workers", "0"],
    ["max_parallel_workers_per_gather", "0"],
    ["max_logical_replication_workers", "0"],
    ["autovacuum_max_workers", "1"],
    // The body of every command is long enough to be compressed: by what takes a fraction of pglz's time.
    ["default_toast_compression", "lz4"],
    ["jit", "off"],
    // Nothing in /dev/shm that a kill -9 could leave outside the home.
    ["dynamic_shared_memory_type", "mmap"],
    // To standard error, which the supervisor keeps; bodies and parameters never enter the log.
    ["logging_collector", "off"],
    ["log_destination", "stderr"],
    ["log_line_prefix", "%m [%p] %q%u "],
    ["log_timezone", "UTC"],
    ["log_error_verbosity", "terse"],
    ["log_min_error_statement", "panic"],
    ["log_parameter_max_length_on_error", "0"],
    ["timezone", "UTC"],
    ["datestyle", "ISO, YMD"],
  ];
  return `# Written by the platform at every start; edits are lost.\n${settings.map(([key, value]) => `${key} = ${quoteSetting(value)}\n`).join("")}`;
}

/** By PostgreSQL's own module, which fsyncs and never replaces a file: no command line, so no shell. */
function archiving(folder: string | undefined): readonly (readonly [string, string])[] {
  if (folder === undefined) return [["archive_mode", "off"]];
  return [
    ["archive_mode", "on"],
    ["archive_library", "basic_archive"],
    ["basic_archive.archive_directory", folder],
    ["archive_timeout", String(ARCHIVE_TIMEOUT_S)],
  ];
}

/** postgresql.conf strings: single quotes doubled, backslash escapes on, one line (PostgreSQL manual, 20.1.1). */
function quoteSetting(value: string): string {
  if (/[\0\r\n]/.test(value)) throw new TypeError("a setting must be one line");
  return `'${value.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
}

/** Everybody is who the kernel says (peer). The superuser is reached only by the engine's own OS user, never by the platform. */
export function renderHba(config: ClusterConfig): string {
  return [
    `local ${config.database} ${config.ownerRole} peer map=platform`,
    `local ${config.database} ${config.serviceRole} peer map=platform`,
    `local all ${config.engineUser} peer map=engine`,
    `local replication ${config.engineUser} peer map=engine`,
    "",
  ].join("\n");
}

export function renderIdent(config: ClusterConfig): string {
  return [
    `platform ${config.platformUser} ${config.ownerRole}`,
    `platform ${config.platformUser} ${config.serviceRole}`,
    `engine ${config.engineUser} ${config.engineUser}`,
    "",
  ].join("\n");
}

/** For `postgres --single`, before the cluster is ever reachable: one statement a line. */
export function renderBootstrap(config: ClusterConfig): { readonly roles: string; readonly database: string } {
  return {
    roles: [
      `CREATE ROLE ${config.serviceRole} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION CONNECTION LIMIT 24`,
      `CREATE ROLE ${config.ownerRole} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION IN ROLE ${config.serviceRole}`,
      `CREATE DATABASE ${config.database} OWNER ${config.ownerRole} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'`,
      `REVOKE ALL ON DATABASE ${config.database} FROM PUBLIC`,
      `GRANT CONNECT ON DATABASE ${config.database} TO ${config.ownerRole}, ${config.serviceRole}`,
      "",
    ].join("\n"),
    database: ["REVOKE ALL ON SCHEMA public FROM PUBLIC", `GRANT USAGE ON SCHEMA public TO ${config.serviceRole}`, ""].join("\n"),
  };
}
