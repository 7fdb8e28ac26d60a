import { rename, rm, stat } from "node:fs/promises";
import { userInfo } from "node:os";
import { dirname, join } from "node:path";
import { Client } from "pg";
import type { EngineSpec, Site } from "../../contract/index.ts";
import { ensureFolder, Fault, type FileOwner, runOk, writeFileAtomic } from "../../kernel/index.ts";
import { findBinaries, findUser } from "./binaries.ts";
import { type ClusterConfig, renderBootstrap, renderHba, renderIdent, renderPostgresConf } from "./cluster-config.ts";
import { clusterPaths, DATABASE, ENGINE_USER, OWNER_ROLE, PORT, SERVICE_ROLE } from "./cluster-layout.ts";
import { endPostgresLeftovers } from "./leftovers.ts";

export { endPostgresLeftovers };

const INITDB_TIMEOUT_MS = 120_000;
const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 30_000;
const SOCKET_PATH_BYTES_MAX = 107;

/**
 * The private cluster under `<home>/pg`: data in `data`, socket in `run`, both the engine user's own.
 * @param walArchive where full segments of the write-ahead log are kept, for a point in time to be restored.
 */
export function postgresEngine(site: Site, walArchive?: string): EngineSpec {
  const paths = clusterPaths(site);
  let bin: string | undefined;
  const binary = async (name: string) => {
    bin ??= await findBinaries(paths.data);
    return join(bin, name);
  };
  return {
    name: "postgres",
    purpose: "keeps the ledger and its projections",
    user: ENGINE_USER,
    async prepare() {
      const config: ClusterConfig = {
        socketDir: paths.socketDir,
        platformUser: userInfo().username,
        engineUser: ENGINE_USER,
        database: DATABASE,
        ownerRole: OWNER_ROLE,
        serviceRole: SERVICE_ROLE,
        port: PORT,
        ...(walArchive === undefined ? {} : { walArchive }),
      };
      const socket = Buffer.byteLength(join(paths.socketDir, `.s.PGSQL.${PORT}`));
      if (socket > SOCKET_PATH_BYTES_MAX)
        throw new Fault("HOME_PATH_LONG", `the database's socket path would be ${socket} bytes; the limit is ${SOCKET_PATH_BYTES_MAX}`, {
          hint: "choose a shorter home",
        });
      const user = await findUser(ENGINE_USER);
      await ensureFolder(paths.folder, 0o700, user);
      await ensureFolder(paths.socketDir, 0o700, user);
      if (walArchive !== undefined) await ensureFolder(walArchive, 0o700, user);
      await endPostgresLeftovers(site);
      const postgres = await binary("postgres");
      if (!(await exists(join(paths.data, "PG_VERSION")))) await createCluster(dirname(postgres), paths.data, user, config);
      await writeConfiguration(postgres, paths.data, user, config);
    },
    argv() {
      if (bin === undefined) throw new Fault("ENGINE_ORDER", "postgres: argv before prepare");
      return [join(bin, "postgres"), "-D", paths.data];
    },
    ready: async () => await answers(paths.socketDir),
    ready_timeout_ms: READY_TIMEOUT_MS,
    // "Fast": running transactions are rolled back, clients sent away, a checkpoint written.
    stopSignal: "SIGINT",
    stop_timeout_ms: STOP_TIMEOUT_MS,
    version: async () => /(\d+(?:\.\d+)+)/.exec(await runOk([await binary("postgres"), "--version"]))?.[1] ?? "unknown",
  };
}

/** Made beside and renamed when complete: a kill in the middle leaves nothing that looks like a cluster. */
async function createCluster(bin: string, data: string, user: FileOwner, config: ClusterConfig): Promise<void> {
  const beside = `${data}.new`;
  await rm(beside, { recursive: true, force: true });
  await ensureFolder(beside, 0o700, user);
  const as = { uid: user.uid, gid: user.gid, cwd: "/", timeout_ms: INITDB_TIMEOUT_MS };
  await runOk(
    [
      join(bin, "initdb"),
      "-D",
      beside,
      "-U",
      config.engineUser,
      "--data-checksums",
      "--auth=reject",
      "--encoding=UTF8",
      "--locale=C",
      "--no-instructions",
    ],
    as,
  );
  const { roles, database } = renderBootstrap(config);
  // Roles are made in single-user mode, so that the platform never needs a way in as superuser.
  for (const [name, sql] of [
    ["postgres", roles],
    [config.database, database],
  ] as const) {
    const said = await runOk([join(bin, "postgres"), "--single", "-D", beside, "-c", "exit_on_error=on", "-c", "log_min_messages=error", name], {
      ...as,
      input: sql,
    });
    if (/ERROR|FATAL/.test(said)) throw new Fault("POSTGRES_BOOTSTRAP", `cannot make the database's roles: ${said.slice(-500)}`);
  }
  await rename(beside, data);
}

async function writeConfiguration(postgres: string, data: string, user: FileOwner, config: ClusterConfig): Promise<void> {
  const text = renderPostgresConf(config);
  const trial = join(data, "postgresql.trial.conf");
  await writeFileAtomic(trial, text, 0o600, user);
  try {
    // The engine reads the whole file and refuses an unknown name or a bad value.
    await runOk([postgres, "-D", data, "-c", `config_file=${trial}`, "-C", "shared_buffers"], { uid: user.uid, gid: user.gid, cwd: "/" });
  } finally {
    await rm(trial, { force: true });
  }
  await writeFileAtomic(join(data, "postgresql.conf"), text, 0o600, user);
  await writeFileAtomic(join(data, "pg_hba.conf"), renderHba(config), 0o600, user);
  await writeFileAtomic(join(data, "pg_ident.conf"), renderIdent(config), 0o600, user);
}

/** As the service will: through the socket, by role. A cluster still in recovery refuses (hot_standby is off). */
async function answers(socketDir: string): Promise<boolean> {
  const client = new Client({ host: socketDir, port: PORT, database: DATABASE, user: SERVICE_ROLE, connectionTimeoutMillis: 2_000 });
  client.on("error", () => {});
  try {
    await client.connect();
    await client.query("SELECT 1");
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
