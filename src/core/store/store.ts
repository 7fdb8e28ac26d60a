import { userInfo } from "node:os";
import { Client, type ClientConfig, Pool, type PoolClient, types } from "pg";
import type { Site } from "../../contract/index.ts";
import { Fault, messageOf } from "../../kernel/index.ts";
import { clusterPaths, DATABASE, OWNER_ROLE, PORT, SERVICE_ROLE } from "./cluster-layout.ts";
import { migrate } from "./migrate.ts";
import { type Bound, OneTrip } from "./one-trip.ts";
import { inTransaction, lostOrError, type ReadTx, type Row, type Tx } from "./transaction.ts";

const POOL_CONNECTIONS_MAX = 8;
const SELECT_CONNECTIONS_MAX = 4;
const POOL_IDLE_MS = 30_000;
const CONNECT_TIMEOUT_MS = 10_000;
const STATEMENT_TIMEOUT_MS = 60_000;
const TRANSACTION_IDLE_TIMEOUT_MS = 60_000;

export type StoreAddress = { readonly site: Site } | { readonly databaseUrl: string };

/** One connection of its own, for the ledger's sequencer: its advisory lock lives exactly as long as the connection. */
export interface Session {
  transaction<T>(fn: (tx: Tx) => Promise<T>): Promise<T>;
  /** A transaction of statements that are known beforehand, in one round trip; durable when it resolves, and nothing of it is there when it rejects. */
  atOnce(statements: readonly Bound[]): Promise<void>;
  /** A lock this session holds until it closes or its connection is lost; false when another session has it. */
  tryLock(key: bigint): Promise<boolean>;
  /** True once the connection is gone; the session is then of no more use. */
  lost(): boolean;
  close(): Promise<void>;
}

/** A SELECT that never changes, under a name that no other has; 63 characters at most. */
export interface Statement {
  readonly name: string;
  readonly text: `SELECT ${string}`;
}

export interface Store {
  /** READ COMMITTED, durable when it resolves. */
  transaction<T>(fn: (tx: Tx) => Promise<T>): Promise<T>;
  /** One consistent view of everything (REPEATABLE READ, READ ONLY). */
  snapshot<T>(fn: (tx: ReadTx) => Promise<T>): Promise<T>;
  /** One SELECT, planned once for each connection. It is a snapshot of its own: nothing around it, a third of a transaction's round trips. */
  select<R extends Row = Record<string, unknown>>(statement: Statement, params?: readonly unknown[]): Promise<readonly R[]>;
  session(): Promise<Session>;
  close(): Promise<void>;
  /** Where it is, without any secret. `socket` is a folder for the private cluster and a host name otherwise. */
  describe(): { readonly socket: string; readonly port: number; readonly name: string };
}

/** Migrates as the owner, then works as the service role, which may add to the ledger and change projections, and nothing else. */
export async function openStore(address: StoreAddress): Promise<Store> {
  await asOwner(ownerConfig(address), address);
  return serviceStore(address, POOL_CONNECTIONS_MAX);
}

/** For whoever only reads what a store holds that is open elsewhere: so many connections, and nothing is migrated. */
export function openReader(address: StoreAddress, connections: number): Pick<Store, "snapshot" | "close"> {
  return serviceStore(address, connections);
}

function serviceStore(address: StoreAddress, connections: number): Store {
  const service = serviceConfig(address, ownerConfig(address));
  const pool = new Pool({ ...service, max: connections, idleTimeoutMillis: POOL_IDLE_MS });
  const selects = new Pool({ ...plannedOnce(service), max: SELECT_CONNECTIONS_MAX, idleTimeoutMillis: POOL_IDLE_MS });
  // An idle connection that breaks (the engine restarted) is replaced at the next use; unhandled it would end the process.
  for (const one of [pool, selects]) one.on("error", () => {});
  const withClient = async <T>(fn: (client: PoolClient) => Promise<T>, from = pool): Promise<T> => {
    const client = await from.connect().catch((cause: unknown) => {
      throw new Fault("STORE_UNREACHABLE", `the database does not answer: ${messageOf(cause)}`, { cause, retry: true });
    });
    let broken: Error | undefined;
    const onError = (error: Error) => {
      broken = error;
    };
    client.on("error", onError);
    try {
      return await fn(client);
    } finally {
      client.off("error", onError);
      client.release(broken);
    }
  };
  return {
    transaction: (fn) => withClient((client) => inTransaction(client, "BEGIN", fn)),
    snapshot: (fn) => withClient((client) => inTransaction(client, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", fn)),
    select: ({ name, text }, params = []) => withClient(async (client) => (await client.query({ name, text, values: [...params] }).catch(lostOrError)).rows, selects),
    session: () => openSession(plannedOnce(service)),
    close: async () => {
      await Promise.all([pool.end(), selects.end()]);
    },
    describe: () => ({ socket: service.host ?? "localhost", port: service.port ?? PORT, name: service.database ?? DATABASE }),
  };
}

/**
 * Statements that never change but in their parameters, and find every row by a key: one plan serves all. By itself PostgreSQL may plan such a one anew each
 * time; with this it spent 113 µs of a command instead of 145 (`./nexus bench commands`). The ledger's own session is among these connections.
 */
function plannedOnce(config: ClientConfig): ClientConfig {
  return { ...config, options: [config.options, "-c plan_cache_mode=force_generic_plan"].filter(Boolean).join(" ") };
}

async function asOwner(owner: ClientConfig, address: StoreAddress): Promise<void> {
  const client = new Client(owner);
  client.on("error", () => {});
  try {
    await client.connect();
  } catch (cause) {
    throw new Fault("STORE_UNREACHABLE", `the database does not answer: ${messageOf(cause)}`, { cause, retry: true });
  }
  try {
    if ("databaseUrl" in address) await ensureServiceRole(client);
    await migrate(client);
  } finally {
    await client.end();
  }
}

/** In a database that is not ours nobody made the service role yet. The owner must be a member of it, to become it. */
async function ensureServiceRole(client: Client): Promise<void> {
  try {
    const known = await client.query("SELECT pg_has_role(oid, 'MEMBER') AS member FROM pg_roles WHERE rolname = $1", [SERVICE_ROLE]);
    if (known.rowCount === 0) await client.query(`CREATE ROLE ${SERVICE_ROLE} NOLOGIN`);
    if (known.rows[0]?.member !== true) await client.query(`GRANT ${SERVICE_ROLE} TO CURRENT_USER`);
  } catch (cause) {
    throw new Fault("STORE_ROLE", `the database has no role ${SERVICE_ROLE} that its owner may become: ${messageOf(cause)}`, {
      cause,
      hint: `as an administrator of the database: CREATE ROLE ${SERVICE_ROLE} NOLOGIN; GRANT ${SERVICE_ROLE} TO <the user of DATABASE_URL>;`,
    });
  }
}

async function openSession(config: ClientConfig): Promise<Session> {
  const client = new Client(config);
  const prepared = new Set<string>();
  let gone = false;
  const lose = () => {
    gone = true;
  };
  client.on("error", lose);
  client.on("end", lose);
  try {
    await client.connect();
  } catch (cause) {
    throw new Fault("STORE_UNREACHABLE", `the database does not answer: ${messageOf(cause)}`, { cause, retry: true });
  }
  return {
    transaction: (fn) => inTransaction(client, "BEGIN", fn),
    atOnce: (statements) => client.query(new OneTrip(statements, prepared)).done.catch(lostOrError),
    tryLock: async (key) => (await client.query("SELECT pg_try_advisory_lock($1) AS held", [key.toString()])).rows[0]?.held === true,
    lost: () => gone,
    close: () => client.end(),
  };
}

const common = {
  application_name: "nexus",
  connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  statement_timeout: STATEMENT_TIMEOUT_MS,
  idle_in_transaction_session_timeout: TRANSACTION_IDLE_TIMEOUT_MS,
  types: { getTypeParser: typeParser },
} as const satisfies ClientConfig;

function ownerConfig(address: StoreAddress): ClientConfig {
  // The owner's statements (an index on a large table) may take long; nobody waits behind them.
  const base: ClientConfig = { ...common, statement_timeout: 0 };
  if ("site" in address) return { ...base, host: clusterPaths(address.site).socketDir, port: PORT, database: DATABASE, user: OWNER_ROLE };
  const url = parseUrl(address.databaseUrl);
  return { ...base, ...url };
}

function serviceConfig(address: StoreAddress, owner: ClientConfig): ClientConfig {
  if ("site" in address) return { ...owner, ...common, user: SERVICE_ROLE };
  return { ...owner, ...common, options: `-c role=${SERVICE_ROLE}` };
}

/** `postgres://user:password@host:port/database`; `?host=/folder` names a socket's folder, `?sslmode=` is verify-full unless said otherwise. */
function parseUrl(text: string): ClientConfig {
  const bad = (why: string, cause?: unknown) =>
    new Fault("BAD_DATABASE_URL", `DATABASE_URL: ${why}`, { cause, hint: "postgres://user:password@host:5432/database" });
  let url: URL;
  try {
    url = new URL(text);
  } catch (cause) {
    throw bad("is not a URL", cause);
  }
  if (url.protocol !== "postgres:" && url.protocol !== "postgresql:") throw bad("must begin with postgres://");
  const host = url.searchParams.get("host") ?? url.hostname;
  const database = decodeURIComponent(url.pathname.slice(1));
  if (!host) throw bad("names no host");
  if (!database) throw bad("names no database");
  for (const key of url.searchParams.keys()) if (key !== "host" && key !== "sslmode") throw bad(`has an unknown parameter ${JSON.stringify(key)}`);
  const sslmode = url.searchParams.get("sslmode") ?? (host.startsWith("/") ? "disable" : "verify-full");
  if (sslmode !== "disable" && sslmode !== "verify-full") throw bad("sslmode must be verify-full or disable");
  return {
    host,
    port: url.port ? Number(url.port) : PORT,
    database,
    user: url.username ? decodeURIComponent(url.username) : userInfo().username,
    ...(url.password ? { password: decodeURIComponent(url.password) } : {}),
    ssl: sslmode === "verify-full",
  };
}

const OID_INT8 = 20;
const OID_TIMESTAMPTZ = 1184;

function typeParser(oid: number, format?: "text" | "binary"): (value: string) => unknown {
  if (oid === OID_INT8) return safeInteger;
  if (oid === OID_TIMESTAMPTZ) return (value) => new Date(value).toISOString();
  return types.getTypeParser(oid, format as "text");
}

function safeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new Fault("STORE_NUMBER", `the database answered ${text}, which is no safe integer`);
  return value;
}

/** PostgreSQL's unique_violation (23505), of a certain constraint when one is named. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  const seen = error as { code?: unknown; constraint?: unknown } | undefined;
  return seen?.code === "23505" && (constraint === undefined || seen.constraint === constraint);
}
