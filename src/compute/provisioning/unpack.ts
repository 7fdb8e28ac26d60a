import { constants, createWriteStream } from "node:fs";
import { chmod, lchown, link, lutimes, mkdir, open, symlink } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { extract, type Header } from "tar-stream";
import { Fault, messageOf, quoteForPeople, runOk } from "../../kernel/index.ts";
import { linkStaysInside, safePath } from "./tar-path.ts";

export const ENTRIES_MAX = 250_000;
/** An export must come back whatever a service kept; the bound is for bundles that are made to exhaust memory. */
const DATA_ENTRIES_MAX = 5_000_000;
const UID_RANGE = 65_536;

export interface UnpackRules {
  readonly bytesMax: number;
  /** First id of the range that the archive's owners are counted from. */
  readonly uidBase: number;
  /**
   * `content`: a deployed folder – everything belongs to the container's root, modes are made plain, links must stay inside.
   * `data`: what an export wrote – owners, modes, times and links are kept as they were.
   */
  readonly kind: "content" | "data";
}

type Kind = "directory" | "file" | "symlink" | "fifo";

/**
 * Unpacks a hostile tar into an empty folder that nobody else can write. What has been made is remembered by name, so that nothing is
 * ever written through a link, over a file, or outside. Returns the number of entries.
 */
export async function unpackTar(source: Readable, root: string, rules: UnpackRules): Promise<number> {
  const unpacker = new Unpacker(root, rules);
  const archive = extract();
  source.on("error", (error) => archive.destroy(error));
  source.pipe(archive as unknown as NodeJS.WritableStream);
  try {
    for await (const entry of archive) {
      await unpacker.take(entry.header, entry as unknown as AsyncIterable<Buffer>);
      entry.resume();
    }
  } catch (error) {
    source.destroy();
    throw faultOf(error);
  }
  await unpacker.finish();
  return unpacker.entries;
}

class Unpacker {
  entries = 0;
  private bytes = 0;
  private readonly root: string;
  private readonly rules: UnpackRules;
  private readonly made = new Map<string, Kind>([["", "directory"]]);
  /** Set last: writing into a folder changes its times, and a closed mode would keep us out. */
  private readonly folders: { path: string; header: Header }[] = [];

  constructor(root: string, rules: UnpackRules) {
    this.root = root;
    this.rules = rules;
  }

  async take(header: Header, body: AsyncIterable<Buffer>): Promise<void> {
    this.entries += 1;
    const entriesMax = this.rules.kind === "data" ? DATA_ENTRIES_MAX : ENTRIES_MAX;
    if (this.entries > entriesMax) throw new Fault("ARCHIVE_ENTRIES", `the archive holds more than ${entriesMax} entries`);
    const path = safePath(header.name);
    if (header.type === "directory") return await this.folder(path, header);
    if (path === "") throw this.refuse(header, "is the folder itself");
    if (this.made.has(path)) throw this.refuse(header, "is in it twice");
    await this.parents(path);
    const full = join(this.root, path);
    switch (header.type) {
      case "file":
      case "contiguous-file":
        await this.file(full, header, body);
        this.made.set(path, "file");
        break;
      case "symlink":
        if (this.rules.kind === "content" && !linkStaysInside(path, header.linkname)) throw this.refuse(header, `is a link that leads out of it (${quoteForPeople(header.linkname)})`);
        await symlink(header.linkname, full);
        this.made.set(path, "symlink");
        break;
      case "fifo":
        if (this.rules.kind === "content") throw this.refuse(header, "is a pipe; only files, folders and links are taken");
        await runOk(["/usr/bin/mkfifo", full]);
        this.made.set(path, "fifo");
        break;
      case "link":
        await this.hardLink(path, full, header);
        return;
      default:
        throw this.refuse(header, `is a ${header.type}; only files, folders and links are taken`);
    }
    await this.own(full, header, false);
  }

  private async folder(path: string, header: Header): Promise<void> {
    const known = this.made.get(path);
    if (known !== undefined && known !== "directory") throw this.refuse(header, "is in it twice");
    await this.parents(`${path}/x`);
    this.folders.push({ path, header });
  }

  /** Makes the folders above a path; refuses when one of them is anything else, so nothing is written through a link. */
  private async parents(path: string): Promise<void> {
    const parts = path.split("/").slice(0, -1).filter((part) => part !== "");
    for (let depth = 1; depth <= parts.length; depth += 1) {
      const above = parts.slice(0, depth).join("/");
      const known = this.made.get(above);
      if (known === "directory") continue;
      if (known !== undefined) throw new Fault("ARCHIVE_LINK", `the archive writes through ${quoteForPeople(above)}, which is a ${known}`);
      await mkdir(join(this.root, above), { mode: 0o755 });
      await lchown(join(this.root, above), this.rules.uidBase, this.rules.uidBase);
      this.made.set(above, "directory");
    }
  }

  private async file(full: string, header: Header, body: AsyncIterable<Buffer>): Promise<void> {
    this.bytes += header.size;
    if (this.bytes > this.rules.bytesMax) throw new Fault("ARCHIVE_TOO_LARGE", `the archive unpacks to more than ${this.rules.bytesMax} bytes`, { hint: "deploy less, or raise the storage" });
    const handle = await open(full, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
    const out = createWriteStream(full, { fd: handle, autoClose: true });
    const closed = new Promise<void>((resolve, reject) => out.on("close", () => resolve()).on("error", reject));
    closed.catch(() => {});
    for await (const chunk of body) if (!out.write(chunk)) await Promise.race([new Promise<void>((resolve) => out.once("drain", () => resolve())), closed]);
    out.end();
    await closed;
  }

  private async hardLink(path: string, full: string, header: Header): Promise<void> {
    const target = safePath(header.linkname);
    if (this.rules.kind === "content" || this.made.get(target) !== "file") throw this.refuse(header, "is a hard link");
    await link(join(this.root, target), full);
    this.made.set(path, "file");
  }

  private async own(full: string, header: Header, isFolder: boolean): Promise<void> {
    const { kind, uidBase } = this.rules;
    const inside = (id: number) => uidBase + (Number.isInteger(id) && id >= 0 && id < UID_RANGE ? id : 0);
    if (kind === "content") await lchown(full, uidBase, uidBase);
    else await lchown(full, inside(header.uid), inside(header.gid));
    if (header.type !== "symlink") await chmod(full, kind === "data" ? header.mode & 0o7777 : isFolder || (header.mode & 0o111) !== 0 ? 0o755 : 0o644);
    await lutimes(full, header.mtime, header.mtime);
  }

  async finish(): Promise<void> {
    for (const { path, header } of this.folders.toReversed()) await this.own(join(this.root, path), header, true);
  }

  private refuse(header: Header, why: string): Fault {
    return new Fault("ARCHIVE_ENTRY", `the archive's ${quoteForPeople(header.name)} ${why}`, { hint: "leave it out and pack again" });
  }
}

function faultOf(error: unknown): Fault {
  if (error instanceof Fault) return error;
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOSPC" || code === "EDQUOT") return new Fault("VOLUME_FULL", "the volume is full: what was sent does not fit the envelope's storage", { cause: error, hint: "free some, or ask for more storage" });
  return new Fault("ARCHIVE_BROKEN", `the archive cannot be read: ${messageOf(error)}`, { cause: error, hint: "send an uncompressed tar" });
}
