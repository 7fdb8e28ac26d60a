import { chmod, cp, mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Json } from "../kernel/index.ts";
import { fsckLedger, logVerifier, openLogKey, signedNote } from "../core/ledger/index.ts";
import { archiveBranches, copyCluster, endPostgresLeftovers, openStore, placeCopy, postgresEngine, takeBack } from "../core/store/index.ts";
import { type Clock, ensureFolder, Fault, messageOf, rfc3339, writeFileAtomic } from "../kernel/index.ts";
import { readKept } from "../witness/index.ts";
import { firstClosedAncestor, type Home, homeExists, openHome, siteFolder } from "./home.ts";
import { lockHome } from "./lock.ts";
import { readySupervisor } from "./supervisor-file.ts";
import { superviseEngines } from "./supervision/index.ts";
import { witnessesFile } from "./witnesses-file.ts";

const RECOVERY_TIMEOUT_MS = 6 * 3_600_000;
/** What a ledger needs beside its database, in a home's platform folder. */
const BESIDE = ["keys", "operators", "home.json"] as const;
/** Only where there are witnesses. */
const EVIDENCE = "witnesses.json";
/** Said with every backup: what a folder named "backup" would otherwise be believed to hold. */
const NOT_HELD = ["units' volumes and containers", "mail", "zones' DNSSEC keys", "uploads and exits' archives", "identities and receipts of HOME itself"] as const;

export interface Backup {
  readonly path: string;
  readonly at: string;
  /** In the clear, for root only. */
  readonly secrets: readonly string[];
  readonly notHeld: readonly string[];
}

/**
 * Copies the running platform's ledger – database, keys, the home's mark and ports – into a folder of its own. Written beside and renamed when
 * the copy was verified. It holds the log's key: whoever has it can sign as this log.
 */
export async function backup(root: string, options: { cacheDir: string }, to: string, clock: Clock, say: (line: string) => void): Promise<Backup> {
  const dir = siteFolder(root);
  if (!(await readySupervisor(dir))) throw new Fault("NOT_RUNNING", `no platform is running in ${root}`, { hint: "nexus up --detach" });
  if ((await readdir(to).catch(() => [])).length > 0) throw new Fault("NOT_EMPTY", `--to: ${to} is not empty`, { hint: "name a folder that does not exist yet" });
  const closed = await firstClosedAncestor(to);
  if (closed) throw new Fault("BAD_PATH", `--to: ${closed} lets no other user through, but the database copies itself as a user of its own`, { hint: `choose another folder, or chmod o+x ${closed}` });
  const { site } = await openHome(root, { cacheDir: options.cacheDir, create: false, checkPorts: false });
  await mkdir(dirname(to), { recursive: true });
  // A name of its own: whatever else lies beside is somebody's.
  const beside = await mkdtemp(`${to}.new-`);
  // The engine's user writes its part below: it must get through, and see nothing else.
  await chmod(beside, 0o711);
  try {
    // Before the database: what the key is known to have signed must not be newer than the copy.
    for (const name of BESIDE) await cp(join(dir, name), join(beside, name), { recursive: true, preserveTimestamps: true });
    await bringIfThere(join(dir, EVIDENCE), join(beside, EVIDENCE));
    await bringIfThere(join(root, "nexus.yaml"), join(beside, "nexus.yaml"));
    say("copying the database, with the log it needs to be whole");
    await copyCluster(site, join(beside, "pg"));
    const at = rfc3339(clock.now());
    await writeFileAtomic(join(beside, "backup.json"), `${JSON.stringify({ v: 1, at, homeId: site.homeId })}\n`);
    // Over an empty folder, and over nothing else.
    await rename(beside, to);
    return { path: to, at, secrets: ["keys/log.pem: signs as this log", "operators/: the first operator's key"], notHeld: NOT_HELD };
  } catch (error) {
    await rm(beside, { recursive: true, force: true });
    throw error;
  }
}

export interface Restored {
  readonly ok: boolean;
  readonly entries: number;
  readonly checkpoint: string | null;
  readonly failures: Json;
  /** The database that was there before. */
  readonly before: string | null;
  /** Where the copy lies when it was not taken. */
  readonly refused: string | null;
}

/**
 * Brings a backup back into a home whose platform is down, replays the archived write-ahead log over it – all of it, or up to `at` –, recomputes
 * the whole log, and holds it against what is known of it: what the key signed last, what witnesses cosigned, and `known`, notes that were
 * asked of others. A database that has less, or other, is not taken: the one that
 * was there stands again.
 */
export async function restore(root: string, options: { cacheDir: string; at?: string; known?: readonly string[] }, from: string, clock: Clock, say: (line: string) => void): Promise<Restored> {
  if (!(await stat(join(from, "backup.json")).catch(() => undefined))) throw new Fault("NO_BACKUP", `${from} is no backup`, { hint: "name the folder that 'nexus backup' wrote" });
  await ensureFolder(root, 0o711);
  const lock = await lockHome(root);
  try {
    await bringBeside(root, from);
    const home = await openHome(root, { cacheDir: options.cacheDir, create: false, checkPorts: false });
    const { site } = home;
    await endPostgresLeftovers(site);
    const stamp = rfc3339(clock.now()).replace(/[:.]/g, "");
    const { walArchive } = home;
    const before = await placeCopy(site, join(from, "pg"), { ...(walArchive === undefined ? {} : { walArchive }), ...(options.at === undefined ? {} : { at: options.at }) }, stamp);
    say(walArchive === undefined ? "bringing the copy back as it was; no archive of the write-ahead log is configured" : `replaying the write-ahead log from ${walArchive}`);
    const seen = await recovered(home, options.known ?? [], say).catch(async (error: unknown) => {
      const refused = await takeBack(site, before, stamp);
      throw new Fault("RESTORE_FAILED", `${messageOf(error)}\nthe copy lies in ${refused}; what was there before is back`, { cause: error, hint: "read the lines above; nothing was changed" });
    });
    if (seen.ok && walArchive !== undefined) await archiveBranches(site, walArchive);
    const refused = seen.ok ? null : await takeBack(site, before, stamp);
    return { ok: seen.ok, entries: seen.entries, checkpoint: seen.checkpoint ?? null, failures: seen.failures.map((one) => ({ ...one })), before: seen.ok ? (before ?? null) : null, refused };
  } finally {
    await lock.release();
  }
}

/** On a new machine the home's mark and keys come from the backup; where they are they stay, for they may know more. */
async function bringBeside(root: string, from: string): Promise<void> {
  if (await homeExists(root)) return;
  const dir = siteFolder(root);
  await ensureFolder(dir, 0o711);
  await mkdir(join(dir, "keys"), { recursive: true, mode: 0o700 });
  for (const name of BESIDE) await cp(join(from, name), join(dir, name), { recursive: true, force: false, preserveTimestamps: true });
  await bringIfThere(join(from, EVIDENCE), join(dir, EVIDENCE));
  await bringIfThere(join(from, "nexus.yaml"), join(root, "nexus.yaml"));
}

/** Never over a file that is there. */
async function bringIfThere(from: string, to: string): Promise<void> {
  await cp(from, to, { force: false, preserveTimestamps: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
}

/** Runs PostgreSQL alone until it has replayed everything, without archiving: what is not wanted shall leave no branch in the archive. */
async function recovered(home: Home, elsewhere: readonly string[], say: (line: string) => void) {
  const { site } = home;
  const keys = join(site.dir, "keys");
  const verifier = logVerifier(home.origin, await openLogKey(join(keys, "log.pem")));
  const known = [await signedNote(join(keys, "log.signed"), verifier), (await readKept(witnessesFile(site.dir)))?.note, ...elsewhere].filter((note) => typeof note === "string");
  const engines = await superviseEngines(site, [{ ...postgresEngine(site), ready_timeout_ms: RECOVERY_TIMEOUT_MS }], say);
  try {
    const store = await openStore({ site });
    try {
      say("recomputing the log");
      return await fsckLedger({ store, verifier, known });
    } finally {
      await store.close();
    }
  } finally {
    await engines.stop();
  }
}
