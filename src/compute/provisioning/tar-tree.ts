import { createReadStream, type Stats } from "node:fs";
import { lstat, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { type Header, type Pack, pack } from "tar-stream";

export interface TreeOptions {
  /** Put before every name; ends with a slash, or is empty. */
  readonly prefix?: string;
  /** Subtracted from owners: ids inside the container. */
  readonly uidBase?: number;
  /** One time for every entry, so that equal trees are equal archives; absent: the files' own, in seconds. */
  readonly time?: Date;
  readonly leaveOut?: (path: string) => boolean;
  /** Told of what a tar cannot carry: names that are not UTF-8, and what is neither file, folder, link nor pipe. */
  readonly leftOut?: (path: string, why: string) => void;
  /** The tree's own folder as an entry `./`. */
  readonly withRoot?: boolean;
}

const UID_RANGE = 65_536;

type Entry = Partial<Header> & Pick<Header, "name">;

/** A folder as a tar in a fixed order: equal trees give equal bytes. */
export function tarOfTree(root: string, options: TreeOptions = {}): Readable {
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
    } else return options.leftOut?.(path, stats.isSocket() ? "a socket means nothing elsewhere" : "a device belongs to its machine");
    if (stats.isDirectory()) await children(path);
  };
  const children = async (path: string): Promise<void> => {
    const names = (await readdir(join(root, path), { encoding: "buffer" })).flatMap((raw) => {
      const name = raw.toString("utf8");
      if (Buffer.from(name).equals(raw)) return [name];
      options.leftOut?.(path === "" ? name : `${path}/${name}`, "its name is not UTF-8");
      return [];
    });
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
  return readableOf(archive);
}

/** tar-stream brings streams of its own kind; ours are Node's. */
export function readableOf(archive: Pack): Readable {
  return Readable.from(archive, { objectMode: false });
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function headerOf(path: string, stats: Stats, options: TreeOptions): Entry {
  const inside = (id: number) => {
    const relative = id - (options.uidBase ?? 0);
    return relative >= 0 && relative < UID_RANGE ? relative : UID_RANGE - 2;
  };
  return {
    name: `${options.prefix ?? ""}${path}`,
    // The kind's bits stay in and are cut off when it is written: a mode of none at all would be taken for one that was not said.
    mode: stats.mode,
    uid: inside(stats.uid),
    gid: inside(stats.gid),
    mtime: options.time ?? new Date(Math.floor(stats.mtimeMs / 1_000) * 1_000),
    size: 0,
  };
}

function entry(archive: Pack, header: Entry): Promise<void> {
  // An empty body ends the entry; without one a file of no bytes would wait for more.
  return new Promise((resolve, reject) => archive.entry(header, "", (error) => (error ? reject(error) : resolve())));
}

async function file(archive: Pack, header: Entry, path: string): Promise<void> {
  if (header.size === 0) return await entry(archive, header);
  await fill(archive, header, createReadStream(path, { end: (header.size ?? 0) - 1 }));
}

/** One entry from a stream of exactly `header.size` bytes, at the pace of whoever reads the archive. */
export async function fill(archive: Pack, header: Entry, from: Readable): Promise<void> {
  const sink = archive.entry(header);
  const failed = new Promise<never>((_, reject) => sink.on("error", reject));
  const finished = new Promise<void>((resolve) => sink.on("finish", () => resolve()));
  const copy = async () => {
    for await (const chunk of from) if (!sink.write(chunk as Buffer)) await new Promise<void>((resolve) => sink.once("drain", () => resolve()));
    sink.end(undefined);
    await finished;
  };
  await Promise.race([copy(), failed]);
}
