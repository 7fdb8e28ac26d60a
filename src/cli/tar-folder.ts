import { Buffer } from "node:buffer";
import { lstat, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { pack } from "tar-stream";
import { usageFailure } from "./failure.ts";

export const DEPLOY_FILES_MAX = 20_000;
export const DEPLOY_BYTES_MAX = 512 * 1024 ** 2;
const LEFT_OUT = new Set([".git", ".hg", ".svn", ".DS_Store"]);

/** A folder as a deterministic tar: sorted, no owner, no time; links and devices are refused by name. */
export async function tarFolder(folder: string): Promise<Buffer> {
  const info = await lstat(folder).catch(() => undefined);
  if (!info?.isDirectory()) throw usageFailure(`--dir: ${JSON.stringify(folder)} is not a folder`, "name the folder that holds your site or service");
  const archive = pack();
  const chunks: Buffer[] = [];
  const collected = (async () => {
    for await (const chunk of archive) chunks.push(chunk as Buffer);
  })();
  let files = 0;
  let bytes = 0;
  const add = async (relative: string): Promise<void> => {
    for (const name of (await readdir(join(folder, relative))).sort()) {
      if (LEFT_OUT.has(name)) continue;
      const path = relative === "" ? name : `${relative}/${name}`;
      const entry = await lstat(join(folder, path));
      files += 1;
      if (files > DEPLOY_FILES_MAX) throw usageFailure(`--dir: more than ${DEPLOY_FILES_MAX} files`, "deploy an OCI archive instead: --oci FILE.tar");
      if (entry.isDirectory()) {
        archive.entry({ name: `${path}/`, type: "directory", mode: 0o755, mtime: new Date(0) });
        await add(path);
      } else if (entry.isFile()) {
        bytes += entry.size;
        if (bytes > DEPLOY_BYTES_MAX) throw usageFailure(`--dir: more than ${DEPLOY_BYTES_MAX} bytes`, "deploy an OCI archive instead: --oci FILE.tar");
        const content = await readFile(join(folder, path));
        archive.entry({ name: path, mode: (entry.mode & 0o111) !== 0 ? 0o755 : 0o644, mtime: new Date(0) }, content);
      } else throw usageFailure(`--dir: ${JSON.stringify(path)} is neither a file nor a folder`, "replace links by what they lead to");
    }
  };
  try {
    await add("");
    if (files === 0) throw usageFailure("--dir: the folder is empty", "put something into it first");
    archive.finalize();
  } catch (error) {
    archive.destroy();
    await collected.catch(() => {});
    throw error;
  }
  await collected;
  return Buffer.concat(chunks);
}
