import { createReadStream, existsSync } from "node:fs";
import { chmod, chown, mkdir, readdir, readFile, realpath, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Blobs, imvuUidBase, type Site } from "../../contract/index.ts";
import { Fault, type Sha256, sha256File } from "../../kernel/index.ts";
import { contentOf, type Layout, mountPointOf } from "../layout.ts";
import { commandFor } from "./entry-point.ts";
import type { Runtime } from "./recipe.ts";
import { unpackTar } from "./unpack.ts";

const PACKAGE_JSON_BYTES_MAX = 1024 * 1024;

/** Deployed folders, unpacked on the IMVU's own volume and named by the digest of their tar: a folder never changes once it has its name. */
export class Contents {
  private readonly site: Site;
  private readonly layout: Layout;
  private readonly blobs: Blobs;

  constructor(site: Site, layout: Layout, blobs: Blobs) {
    this.site = site;
    this.layout = layout;
    this.blobs = blobs;
  }

  private folder(number: number): string {
    return join(mountPointOf(this.layout, number), "content");
  }

  path(number: number, digest: Sha256): string {
    return contentOf(this.layout, number, digest);
  }

  async list(number: number): Promise<readonly string[]> {
    return (await readdir(this.folder(number)).catch(() => [])).filter((name) => /^[0-9a-f]{64}$/.test(name)).sort();
  }

  async ensure(number: number, digest: Sha256, bytesMax: number): Promise<void> {
    const path = this.path(number, digest);
    if (existsSync(path)) return;
    const blob = this.blobs.path(digest);
    const seen = await sha256File(blob).catch((cause) => {
      throw new Fault("BLOB_MISSING", `the content ${digest} is not there`, { cause, hint: "upload it again: 'nexus deploy' does" });
    });
    if (seen !== digest) throw new Fault("BLOB_CHANGED", `the content ${digest} was changed on disk: it is ${seen} now`);
    const uidBase = imvuUidBase(this.site, number);
    const beside = join(this.folder(number), `.${digest.slice(0, 16)}-${process.pid}-${Date.now()}.new`);
    await mkdir(beside, { mode: 0o755 });
    try {
      await unpackTar(createReadStream(blob), beside, { bytesMax, uidBase, kind: "content" });
      await chown(beside, uidBase, uidBase);
      await chmod(beside, 0o755);
      await rename(beside, path);
    } catch (error) {
      await rm(beside, { recursive: true, force: true });
      throw error;
    }
  }

  /** Everything but `keep`, and what an interrupted deployment left. */
  async sweep(number: number, keep: ReadonlySet<string>): Promise<void> {
    for (const name of await readdir(this.folder(number)).catch(() => [])) if (!keep.has(name)) await rm(join(this.folder(number), name), { recursive: true, force: true });
  }

  /** The command a runtime runs in this content; a Fault with the reason when there is none. */
  async commandFor(number: number, runtime: Runtime, digest: Sha256): Promise<readonly string[]> {
    const root = this.path(number, digest);
    // A chain of links can lead out of the folder although each of them alone does not; the host never follows one out.
    const inside = async (path: string) => {
      const real = await realpath(join(root, path)).catch(() => "");
      return real.startsWith(`${root}/`) && (await stat(real)).isFile();
    };
    const packageFile = join(root, "package.json");
    const bytes = (await inside("package.json")) ? (await stat(packageFile)).size : 0;
    if (bytes > PACKAGE_JSON_BYTES_MAX) throw new Fault("BAD_PACKAGE_JSON", `package.json is larger than ${PACKAGE_JSON_BYTES_MAX} bytes`);
    const packageJson = bytes > 0 ? await readFile(packageFile, "utf8") : undefined;
    const files = new Set<string>();
    for (const name of await readdir(root)) if (await inside(name)) files.add(name);
    const has = (path: string) => files.has(path);
    // A named entry may lie deeper than the top folder.
    const named = commandFor(runtime, () => true, packageJson);
    const deep = named.ok ? named.value[1]?.replace(/^\/srv\//, "") : undefined;
    if (deep !== undefined && (await inside(deep))) files.add(deep);
    const command = commandFor(runtime, has, packageJson);
    if (!command.ok) throw new Fault(command.code, command.message, { hint: command.hint });
    return command.value;
  }
}
