import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import { extract } from "tar-stream";
import { z } from "zod";
import { Fault, messageOf, quoteForPeople } from "../../kernel/index.ts";
import { architecture, type Descriptor, MEDIA } from "./oci-layout.ts";

/** An archive comes from a stranger: everything below is a bound or a check of what it claims about itself. */
export const OCI_ENTRIES_MAX = 2_000;
export const OCI_LAYERS_MAX = 128;
const DOCUMENT_BYTES_MAX = 1024 * 1024;
const DOCUMENTS_BYTES_MAX = 16 * 1024 * 1024;
const LAYER_TYPES = new Set<string>([MEDIA.layer, MEDIA.layerGzip, `${MEDIA.layer}+zstd`]);

const zDescriptor = z.looseObject({
  mediaType: z.string().max(200),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  size: z.int().min(0),
  platform: z.looseObject({ architecture: z.string().max(40), os: z.string().max(40) }).optional(),
});
const zIndex = z.looseObject({ schemaVersion: z.literal(2), manifests: z.array(zDescriptor).min(1).max(64) });
const zManifest = z.looseObject({ schemaVersion: z.literal(2), config: zDescriptor, layers: z.array(zDescriptor).max(OCI_LAYERS_MAX) });
const zConfig = z.looseObject({
  architecture: z.string().max(40),
  os: z.literal("linux"),
  config: z
    .looseObject({
      Volumes: z.record(z.string(), z.unknown()).nullish(),
      Entrypoint: z.array(z.string()).nullish(),
      Cmd: z.array(z.string()).nullish(),
    })
    .nullish(),
  rootfs: z.looseObject({ diff_ids: z.array(z.string().regex(/^sha256:[0-9a-f]{64}$/)).max(OCI_LAYERS_MAX) }),
});

/** One image of an archive, every blob of which is there with the digest and the length it is announced with. */
export interface InspectedImage {
  readonly manifest: Descriptor;
  readonly manifestJson: Buffer;
  readonly config: Descriptor;
  readonly configJson: Buffer;
  readonly layers: readonly Descriptor[];
  /** VOLUME lines of its recipe. */
  readonly volumes: readonly string[];
}

export async function inspectOci(source: Readable): Promise<InspectedImage> {
  const { index, sizes, documents } = await readThrough(source);
  if (!index) throw broken("it has no index.json: it is not an OCI archive", "make one: podman save --format oci-archive -o FILE.tar IMAGE");
  const present = ({ digest, size }: Descriptor, what: string): void => {
    const found = sizes.get(digest);
    if (found === undefined) throw broken(`${what} ${digest} is not in it`);
    if (found !== size) throw broken(`${what} ${digest} has ${found} bytes and is announced with ${size}`);
  };
  const document = (descriptor: Descriptor, what: string): Buffer => {
    present(descriptor, what);
    const bytes = documents.get(descriptor.digest);
    if (!bytes) throw broken(`${what} ${descriptor.digest} is larger than ${DOCUMENT_BYTES_MAX} bytes`);
    return bytes;
  };
  let chosen = forThisMachine(parse(zIndex, index, "index.json").manifests);
  if (chosen.mediaType === MEDIA.index) chosen = forThisMachine(parse(zIndex, document(chosen, "the index"), "the index").manifests);
  if (chosen.mediaType !== MEDIA.manifest) throw broken(`its image is of the type ${quoteForPeople(chosen.mediaType)}`);
  const manifestJson = document(chosen, "the manifest");
  const manifest = parse(zManifest, manifestJson, "the manifest");
  if (manifest.config.mediaType !== MEDIA.config) throw broken(`its configuration is of the type ${quoteForPeople(manifest.config.mediaType)}`);
  const configJson = document(manifest.config, "the configuration");
  const config = parse(zConfig, configJson, "the configuration");
  if (config.architecture !== architecture()) throw broken(`it is made for ${quoteForPeople(config.architecture)} and this machine is ${architecture()}`);
  if (config.rootfs.diff_ids.length !== manifest.layers.length) throw broken("its layers and its configuration do not belong together");
  for (const layer of manifest.layers) {
    if (!LAYER_TYPES.has(layer.mediaType)) throw broken(`a layer is of the type ${quoteForPeople(layer.mediaType)}`);
    present(layer, "the layer");
  }
  if ((config.config?.Entrypoint ?? []).length + (config.config?.Cmd ?? []).length === 0) throw broken("it names no command to run", "build it with an ENTRYPOINT or a CMD");
  return { manifest: chosen, manifestJson, config: manifest.config, configJson, layers: manifest.layers, volumes: Object.keys(config.config?.Volumes ?? {}) };
}

async function readThrough(source: Readable) {
  const archive = extract();
  source.on("error", (error) => archive.destroy(error));
  source.pipe(archive as unknown as NodeJS.WritableStream);
  const sizes = new Map<string, number>();
  const documents = new Map<string, Buffer>();
  let index: Buffer | undefined;
  let [entries, held] = [0, 0];
  try {
    for await (const entry of archive) {
      const { name, type, size } = entry.header;
      entries += 1;
      if (entries > OCI_ENTRIES_MAX) throw broken(`it holds more than ${OCI_ENTRIES_MAX} entries`);
      if (type === "directory") {
        entry.resume();
        continue;
      }
      const blob = /^(?:\.\/)?blobs\/sha256\/([0-9a-f]{64})$/.exec(name)?.[1];
      const plain = name.replace(/^\.\//, "");
      if (type !== "file" || (blob === undefined && plain !== "index.json" && plain !== "oci-layout")) throw broken(`it holds ${quoteForPeople(name)} (${type}), which no OCI archive has`);
      const hasher = createHash("sha256");
      const keep = size <= DOCUMENT_BYTES_MAX && held + size <= DOCUMENTS_BYTES_MAX;
      const chunks: Buffer[] = [];
      for await (const chunk of entry as unknown as AsyncIterable<Buffer>) {
        hasher.update(chunk);
        if (keep) chunks.push(chunk);
      }
      if (blob === undefined) {
        if (plain === "index.json") {
          if (index !== undefined || !keep) throw broken("its index.json is there twice, or too large");
          index = Buffer.concat(chunks);
        }
        continue;
      }
      if (hasher.digest("hex") !== blob) throw broken(`the blob ${blob} has another digest`);
      if (sizes.has(`sha256:${blob}`)) throw broken(`the blob ${blob} is there twice`);
      sizes.set(`sha256:${blob}`, size);
      if (keep) {
        held += size;
        documents.set(`sha256:${blob}`, Buffer.concat(chunks));
      }
    }
  } catch (error) {
    source.destroy();
    throw error instanceof Fault ? error : broken(messageOf(error));
  }
  return { index, sizes, documents };
}

type Described = z.output<typeof zDescriptor>;

function forThisMachine(manifests: readonly Described[]): Described {
  const fitting = manifests.filter((one) => one.platform === undefined || (one.platform.os === "linux" && one.platform.architecture === architecture()));
  const [first, second] = fitting;
  if (!first) throw broken(`it has no image for linux/${architecture()}`);
  if (second) throw broken("it holds several images", "save one image per archive");
  return first;
}

function parse<T>(schema: z.ZodType<T>, bytes: Buffer, what: string): T {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch {
    throw broken(`${what} is not JSON`);
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw broken(`${what}: ${parsed.error.issues[0]?.path.join(".") ?? ""} ${parsed.error.issues[0]?.message ?? "is wrong"}`);
  return parsed.data;
}

function broken(why: string, hint = "make it again: podman save --format oci-archive -o FILE.tar IMAGE"): Fault {
  return new Fault("OCI_ARCHIVE", `the OCI archive cannot be used: ${why}`, { hint });
}
