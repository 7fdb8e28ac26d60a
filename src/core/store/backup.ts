import { chmod, chown, copyFile, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Site } from "../../contract/index.ts";
import { ensureFolder, Fault, runOk } from "../../kernel/index.ts";
import { findBinaries, findUser } from "./binaries.ts";
import { clusterPaths, ENGINE_USER, PORT } from "./cluster-layout.ts";

/** A large database is copied at the disk's speed, and its log replayed at less. */
const COPY_TIMEOUT_MS = 6 * 3_600_000;
const PATH = /^\/[A-Za-z0-9/._-]+$/;

/**
 * Copies the running private cluster into `to` (made here, owned by the engine's user), with the write-ahead log it needs to be whole by itself,
 * and holds every file against the copy's own manifest (pg_basebackup, pg_verifybackup).
 */
export async function copyCluster(site: Site, to: string): Promise<void> {
  const { data, socketDir } = clusterPaths(site);
  const bin = await findBinaries(data);
  const user = await findUser(ENGINE_USER);
  const as = { ...user, cwd: "/", timeout_ms: COPY_TIMEOUT_MS };
  await ensureFolder(to, 0o700, user);
  await runOk([join(bin, "pg_basebackup"), "-h", socketDir, "-p", String(PORT), "-U", ENGINE_USER, "-D", to, "--wal-method=stream", "--checkpoint=fast", "--manifest-checksums=SHA256", "--no-password"], as);
  await runOk([join(bin, "pg_verifybackup"), "--quiet", to], as);
}

export interface Recovery {
  /** Folder of archived write-ahead log; without it the copy is brought back as it was when it ended. */
  readonly walArchive?: string;
  /** RFC 3339: nothing that was committed after it comes back. Needs the archive. */
  readonly at?: string;
}

/**
 * Puts a copy in the place of the private cluster's data; what was there is moved beside and named. The cluster must not run. At its next
 * start PostgreSQL replays the archived log: to its end, or to `at`.
 * @returns where the data that was there lies now; undefined when there was none.
 */
export async function placeCopy(site: Site, from: string, { walArchive, at }: Recovery, stamp: string): Promise<string | undefined> {
  const { folder, data } = clusterPaths(site);
  if ((await readFile(join(from, "PG_VERSION"), "utf8").catch(() => "")) === "") throw new Fault("NO_BACKUP", `${from} holds no copy of a database`, { hint: "name the folder that 'nexus backup' wrote" });
  const user = await findUser(ENGINE_USER);
  await ensureFolder(folder, 0o700, user);
  const beside = `${data}.restored`;
  await rm(beside, { recursive: true, force: true });
  await runOk(["/bin/cp", "-a", "--reflink=auto", "--", from, beside], { timeout_ms: COPY_TIMEOUT_MS });
  await rm(join(beside, "backup_manifest"), { force: true });
  await takeNewerLog(data, beside);
  await writeFile(join(beside, "postgresql.auto.conf"), recoverySettings({ ...(walArchive === undefined ? {} : { walArchive }), ...(at === undefined ? {} : { at }) }));
  if (walArchive !== undefined) await writeFile(join(beside, "recovery.signal"), "");
  await runOk(["/bin/chown", "-R", "--", `${user.uid}:${user.gid}`, beside], { timeout_ms: COPY_TIMEOUT_MS });
  await chmod(beside, 0o700);
  const before = `${data}.before-${stamp}`;
  const moved = await rename(data, before).then(
    () => before,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    },
  );
  await rename(beside, data);
  return moved;
}

/**
 * After a crash the newest write-ahead log was not archived yet: it lies in the data that is replaced, and what was acknowledged is in it.
 * Only of the same cluster: another one's segments have the same names.
 */
async function takeNewerLog(data: string, beside: string): Promise<void> {
  if (!(await stat(join(data, "PG_VERSION")).catch(() => undefined))) return;
  if ((await systemIdentifier(data)) !== (await systemIdentifier(beside))) return;
  for (const name of await readdir(join(data, "pg_wal"))) if (/^[0-9A-F]{24}$/.test(name)) await copyFile(join(data, "pg_wal", name), join(beside, "pg_wal", name));
}

async function systemIdentifier(data: string): Promise<string> {
  const said = await runOk([join(await findBinaries(data), "pg_controldata"), "-D", data]);
  const found = /^Database system identifier:\s+(\d+)$/m.exec(said)?.[1];
  if (found === undefined) throw new Fault("NO_BACKUP", `${data}: pg_controldata names no system identifier`);
  return found;
}

/** The branch a restore began is named in the archive, so that the next restore finds its way along it. */
export async function archiveBranches(site: Site, walArchive: string): Promise<void> {
  const wal = join(clusterPaths(site).data, "pg_wal");
  const user = await findUser(ENGINE_USER);
  for (const name of (await readdir(wal)).filter((one) => /^[0-9A-F]{8}\.history$/.test(one))) {
    const kept = join(walArchive, name);
    if (await stat(kept).catch(() => undefined)) continue;
    await copyFile(join(wal, name), kept);
    await chown(kept, user.uid, user.gid);
  }
}

/** Takes a copy away again that turned out not to be wanted, and puts back what was there. */
export async function takeBack(site: Site, before: string | undefined, stamp: string): Promise<string> {
  const { data } = clusterPaths(site);
  const refused = `${data}.refused-${stamp}`;
  await rename(data, refused);
  if (before !== undefined) await rename(before, data);
  return refused;
}

/**
 * PostgreSQL 15 fetches archived log through a command line that it gives to a shell: the one place where a path of ours is read by one, so
 * it holds nothing that a shell would read as anything else.
 */
export function recoverySettings({ walArchive, at }: Recovery): string {
  if (at !== undefined && walArchive === undefined) throw new Fault("NO_WAL_ARCHIVE", "a point in time can be reached only with the archive of the write-ahead log", { hint: "set walArchive in nexus.yaml, from before the backup" });
  if (walArchive === undefined) return "";
  if (!PATH.test(walArchive)) throw new Fault("BAD_PATH", `walArchive: ${JSON.stringify(walArchive)} cannot stand in a command line`, { hint: "use letters, digits, '.', '_' and '-'" });
  if (at !== undefined && (!/^[0-9TZ:.+-]+$/.test(at) || Number.isNaN(Date.parse(at)))) throw new Fault("BAD_TIME", `at: ${JSON.stringify(at)} is no time`, { hint: "write it like 2026-11-23T17:00:00Z" });
  // The server reads this before it knows any zone by name: Z would be one.
  return [
    `restore_command = 'cp -- ${walArchive}/%f %p'`,
    "recovery_target_timeline = 'latest'",
    ...(at === undefined ? [] : [`recovery_target_time = '${new Date(at).toISOString().replace("T", " ").replace("Z", "+00")}'`]),
    "recovery_target_action = 'promote'",
    "",
  ].join("\n");
}
