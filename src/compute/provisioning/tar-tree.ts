import { createReadStream, type Stats } from "node:fs";
import { lstat, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { type Headers, type Pack, pack } from "tar-stream";

export interface TreeOptions {
  /** Put before every name; ends with a slash, or is empty. */
  readonly prefix?: string;
  /** Subtracted from owners: ids inside the container. */
  readonly uidBase?: number;
  /** One time for every entry, so that equal trees are equal archives; absent: the files' own, in seconds. */
  readonly time?: Date;
  readonly leaveOut?: (path: string) => boolean;
  /** The tree's own folder as an entry `./`. */
  readonly withRoot?: boolean;
}

const UID_RANGE = 65_536;

/** A folder as a tar in a fixed order: equal trees give equal bytes. Sockets are left out, they mean nothing elsewhere. */
export function tarOfTree(root: string, options: TreeOptions = {}): Pack {
  const archive = pack();
  const links = new Map<string, string>();
  const add = async (path: string): Promise<void> => {
    const full = join(root, path);
    const stats = await lstat(full);
    const header = headerOf(path, stats, options);
    if (stats.isDirectory()) await entry(archive, { ...header, name: `${header.name}/`, type: "directory" });
    else if (stats.isSymbolicLink()) await entry(archive, { ...header, type: "symlink", linkname: await readlink(full), size: 0 });
    else if (stats.isFIFO()) await entry(archive, { ...header, type: "fifo", size: 0 });
    else if (stats.isFile()) {
      const first = stats.nlink > 1 ? links.get(`${stats.dev}:${stats.ino}`) : undefined;
      if (first !== undefined) return await entry(archive, { ...header, type: "link", linkname: first, size: 0 });
      if (stats.nlink > 1) links.set(`${stats.dev}:${stats.ino}`, header.name);
      return await file(archive, { ...header, type: "file", size: stats.size }, full);
    } else return;
    if (stats.isDirectory()) await children(path);
  };
  const children = async (path: string): Promise<void> => {
    const names = await readdir(join(root, path));
    for (const name of names.sort(byCodeUnit)) {
      const child = path === "" ? name : `${path}/${name}`;
      const kind = (await lstat(join(root, child))).isDirectory() ? `${child}/` : child;
      if (!options.leaveOut?.(kind)) await add(child);
    }
  };
  (async () => {
    if (options.withRoot) await entry(archive, { ...headerOf("", await lstat(root), options), name: "./", type: "directory" });
    await children("");
    archive.finalize();
  })().catch((error) => archive.destroy(error as Error));
  return archive;
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function headerOf(path: string, stats: Stats, options: TreeOptions): Headers {
  const inside = (id: number) => {
    const relative = id - (options.uidBase ?? 0);
    return relative >= 0 && relative < UID_RANGE ? relative : UID_RANGE - 2;
  };
  return {
    name: `${options.prefix ?? ""}${path}`,
    mode: stats.mode & 0o7777,
    uid: inside(stats.uid),
    gid: inside(stats.gid),
    mtime: options.time ?? new Date(Math.floor(stats.mtimeMs / 1_000) * 1_000),
    size: 0,
  };
}

function entry(archive: Pack, header: Headers): Promise<void> {
  // An empty body ends the entry; without one a file of no bytes would wait for more.
  return new Promise((resolve, reject) => archive.entry(header, "", (error) => (error ? reject(error) : resolve())));
}

async function file(archive: Pack, header: Headers, path: string): Promise<void> {
  if (header.size === 0) return await entry(archive, header);
  const sink = archive.entry(header);
  await pipeline(createReadStream(path, { end: (header.size ?? 0) - 1 }), sink);
}
