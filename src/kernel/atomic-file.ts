import { randomBytes } from "node:crypto";
import { chmod, chown, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

/** Writes beside, fsyncs, renames, fsyncs the folder: after a crash the old file or the new one stands, never half. */
export async function writeFileAtomic(path: string, data: string | NodeJS.ArrayBufferView, mode = 0o600, owner?: FileOwner): Promise<void> {
  const beside = `${path}.${randomBytes(6).toString("hex")}.new`;
  try {
    const file = await open(beside, "wx", mode);
    try {
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
    await chmod(beside, mode);
    if (owner) await chown(beside, owner.uid, owner.gid);
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
  const folder = await open(dirname(path), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** mkdir -p with an exact mode and owner on the last folder. */
export async function ensureFolder(path: string, mode = 0o700, owner?: FileOwner): Promise<void> {
  await mkdir(path, { recursive: true });
  await chmod(path, mode);
  if (owner) await chown(path, owner.uid, owner.gid);
}
