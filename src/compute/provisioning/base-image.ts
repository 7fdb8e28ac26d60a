import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { copyFile, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { ensureFolder, Fault, parseSha256, type Sha256, sha256File } from "../../kernel/index.ts";
import { alone } from "./alone.ts";
import { type LayerSource, ociArchive } from "./oci-archive.ts";
import { type Layer, MEDIA } from "./oci-layout.ts";
import { baseImageName, isLeftOut, type Recipe, recipeDigest, recipeOf, type Runtime } from "./recipe.ts";
import { makeRootfs } from "./rootfs.ts";
import { baseLock, loadIntoBaseStore } from "./shared-store.ts";
import { tarOfTree } from "./tar-tree.ts";
import type { Layout } from "../layout.ts";

const LAYER_FILE = "layer.tar.gz";
const LAYER_JSON = "layer.json";
/** Not the build's time: the same packages shall be the same layer. */
export const LAYER_TIME = new Date(0);
const SHARED_STORE_STAMP = "loaded";

/** The base images of one machine: built from Debian packages at first use, once for all homes that share the cache. */
export class BaseImages {
  private readonly layout: Layout;
  private readonly recipes: Readonly<Record<Runtime, Recipe>>;

  private constructor(layout: Layout, recipes: Readonly<Record<Runtime, Recipe>>) {
    this.layout = layout;
    this.recipes = recipes;
  }

  static async open(layout: Layout): Promise<BaseImages> {
    const release = await readFile("/etc/os-release", "utf8");
    const suite = /^VERSION_CODENAME=([a-z]+)$/m.exec(release)?.[1] ?? "bookworm";
    const busybox = (await sha256File("/usr/bin/busybox").catch(() => "none")).slice(0, 16);
    const machine = { suite, busybox, node: `${process.version}-${process.arch}` };
    return new BaseImages(layout, { static: recipeOf("static", machine), node: recipeOf("node", machine), python: recipeOf("python", machine) });
  }

  nameOf(runtime: Runtime): string {
    return baseImageName(this.recipes[runtime]);
  }

  envOf(runtime: Runtime): readonly string[] {
    return this.recipes[runtime].env;
  }

  /** Builds and loads the image where that has not been done; whoever comes second waits for the first. */
  async ensure(runtime: Runtime): Promise<void> {
    await alone(baseLock(this.layout), async () => {
      const folder = await this.build(runtime);
      const stamp = join(folder, SHARED_STORE_STAMP);
      if ((await readFile(stamp, "utf8").catch(() => "")) === this.nameOf(runtime)) return;
      await loadIntoBaseStore(this.layout, ociArchive({ ref: this.nameOf(runtime), config: this.plainConfig(runtime), layers: [await this.layer(runtime)] }));
      await writeFile(stamp, this.nameOf(runtime));
    });
  }

  /** The base as one layer, for images that are to work elsewhere. */
  async layer(runtime: Runtime): Promise<LayerSource> {
    const folder = this.folderOf(runtime);
    const layer = parseLayer(await readFile(join(folder, LAYER_JSON), "utf8"));
    return { layer, open: () => createReadStream(join(folder, LAYER_FILE)) };
  }

  private plainConfig(runtime: Runtime) {
    return { command: ["/bin/sh"], env: this.envOf(runtime), workDir: "/srv" };
  }

  private folderOf(runtime: Runtime): string {
    return join(this.layout.cache, "base", `${runtime}-${recipeDigest(this.recipes[runtime]).slice(0, 16)}`);
  }

  private async build(runtime: Runtime): Promise<string> {
    const folder = this.folderOf(runtime);
    if (await readFile(join(folder, LAYER_JSON)).catch(() => undefined)) return folder;
    const work = `${folder}.new`;
    await rm(work, { recursive: true, force: true });
    await ensureFolder(join(this.layout.cache, "base"), 0o755);
    await mkdir(work, { mode: 0o711 });
    const root = join(work, "root");
    await makeRootfs(this.recipes[runtime], root);
    if (runtime === "node") {
      await mkdir(join(root, "usr/local/bin"), { recursive: true });
      await copyFile(process.execPath, join(root, "usr/local/bin/node"));
    }
    const layer = await writeLayer(tarOfTree(root, { time: LAYER_TIME, leaveOut: isLeftOut }), join(work, LAYER_FILE));
    await rm(root, { recursive: true, force: true });
    await writeFile(join(work, LAYER_JSON), JSON.stringify(layer));
    await rm(folder, { recursive: true, force: true });
    await rename(work, folder);
    return folder;
  }
}

/** Packs a tar as a layer into a file, and says what it is. */
export async function writeLayer(tar: Readable, path: string): Promise<Layer> {
  const [plain, packed] = [counting(), counting()];
  await pipeline(tar, plain.through, createGzip(), packed.through, createWriteStream(path));
  return { mediaType: MEDIA.layerGzip, digest: `sha256:${packed.digest()}`, size: packed.bytes(), diffId: plain.digest() };
}

/** Passes bytes on, counts and digests them. */
function counting() {
  const hasher = createHash("sha256");
  let bytes = 0;
  const through = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hasher.update(chunk);
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  return { through, bytes: () => bytes, digest: () => hasher.digest("hex") as Sha256 };
}

function parseLayer(text: string): Layer {
  const { mediaType, digest, size, diffId } = JSON.parse(text) as Record<string, unknown>;
  const parsed = parseSha256(String(diffId));
  if (mediaType !== MEDIA.layerGzip || typeof digest !== "string" || typeof size !== "number" || !parsed) throw new Fault("BASE_IMAGE", `${LAYER_JSON} in the cache is not one of ours`);
  return { mediaType, digest, size, diffId: parsed };
}
