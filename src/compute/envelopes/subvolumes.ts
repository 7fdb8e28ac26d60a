import { existsSync } from "node:fs";
import { lstat, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { runOk } from "../../kernel/index.ts";

/** What the root of every subvolume has for an inode number (BTRFS_FIRST_FREE_OBJECTID). */
const ROOT_INODE = 256;

export async function createSubvolume(path: string): Promise<void> {
  await runOk(["/usr/bin/btrfs", "subvolume", "create", path]);
}

/** A writable one, or one that nobody can write to. */
export async function snapshotOf(source: string, target: string, kind: "writable" | "read-only"): Promise<void> {
  await runOk(["/usr/bin/btrfs", "subvolume", "snapshot", ...(kind === "read-only" ? ["-r"] : []), source, target]);
}

export async function isReadOnly(path: string): Promise<boolean> {
  return (await runOk(["/usr/bin/btrfs", "property", "get", "-ts", path, "ro"])).trim() === "ro=true";
}

export async function setReadOnly(path: string, readOnly: boolean): Promise<void> {
  await runOk(["/usr/bin/btrfs", "property", "set", "-ts", path, "ro", String(readOnly)]);
}

/** Everything that was changed below reaches the disk: a name that was given by a rename would otherwise be lost with the machine's power. */
export async function settleOnDisk(path: string): Promise<void> {
  await runOk(["/usr/bin/btrfs", "filesystem", "sync", path]);
}

/** Subvolumes inside first – any user may make one in his own – for the outer cannot go before the inner, and a read-only one lets none go. */
export async function removeSubvolume(path: string): Promise<void> {
  if (!existsSync(path)) return;
  const nested = await nestedSubvolumes(path);
  if (nested.length > 0 && (await isReadOnly(path))) await setReadOnly(path, false);
  for (const inner of nested) await removeSubvolume(join(path, inner));
  await runOk(["/usr/bin/btrfs", "subvolume", "delete", path]);
}

/** Whatever it is: a subvolume, or a folder that may hold some. */
export async function removeTree(path: string): Promise<void> {
  const stats = await lstat(path).catch(() => undefined);
  if (!stats) return;
  if (stats.isDirectory() && stats.ino === ROOT_INODE) return await removeSubvolume(path);
  if (stats.isDirectory()) for (const name of await readdir(path)) if ((await lstat(join(path, name))).ino === ROOT_INODE) await removeSubvolume(join(path, name));
  await rm(path, { recursive: true, force: true });
}

/** Of a file system, by their paths below its root. */
export async function allSubvolumes(mountPoint: string): Promise<readonly string[]> {
  return pathsIn(await runOk(["/usr/bin/btrfs", "subvolume", "list", mountPoint]));
}

async function nestedSubvolumes(path: string): Promise<readonly string[]> {
  // `ID 257 gen 8 top level 256 path data/web/inner`: relative to the file system's own root.
  const top = path.slice(path.indexOf("/", path.lastIndexOf("/volumes/") + "/volumes/".length) + 1);
  return pathsIn(await runOk(["/usr/bin/btrfs", "subvolume", "list", "-o", path])).flatMap((inner) => (inner.startsWith(`${top}/`) ? [inner.slice(top.length + 1)] : []));
}

function pathsIn(listed: string): readonly string[] {
  return listed.split("\n").flatMap((line) => / path (.*)$/.exec(line)?.[1] ?? []);
}
