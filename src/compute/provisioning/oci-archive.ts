import type { Readable } from "node:stream";
import { type Pack, pack } from "tar-stream";
import { sha256Hex } from "../../kernel/index.ts";
import { blobPath, type Descriptor, type ImageConfig, imageConfigJson, indexJson, type Layer, MEDIA, manifestJson, OCI_LAYOUT_TEXT } from "./oci-layout.ts";
import { fill, readableOf } from "./tar-tree.ts";

export interface LayerSource {
  readonly layer: Layer;
  open(): Readable;
}

/** An OCI archive as stock tools load it, made of layers that exist. Streams; nothing but descriptions is held in memory. */
export function ociArchive(order: { readonly ref: string; readonly config: ImageConfig; readonly layers: readonly LayerSource[] }): Readable {
  const layers = order.layers.map((source) => source.layer);
  const config = imageConfigJson(order.config, layers);
  const manifest = manifestJson(descriptorOf(config, MEDIA.config), layers);
  const archive = pack();
  (async () => {
    await text(archive, "oci-layout", OCI_LAYOUT_TEXT);
    await text(archive, "index.json", indexJson(descriptorOf(manifest, MEDIA.manifest), order.ref));
    await text(archive, blobPath(sha256Hex(manifest)), manifest);
    await text(archive, blobPath(sha256Hex(config)), config);
    const written = new Set<string>();
    for (const { layer, open } of order.layers) {
      if (written.has(layer.digest)) continue;
      written.add(layer.digest);
      await fill(archive, headerOf(blobPath(layer.digest), layer.size), open());
    }
    archive.finalize();
  })().catch((error) => archive.destroy(error as Error));
  return readableOf(archive);
}

export function descriptorOf(json: string, mediaType: string): Descriptor {
  return { mediaType, digest: `sha256:${sha256Hex(json)}`, size: Buffer.byteLength(json) };
}

/** The time is fixed: the same image is the same archive. */
export function headerOf(name: string, size: number) {
  return { name, size, mode: 0o644, mtime: new Date(0), type: "file" as const };
}

export function text(archive: Pack, name: string, content: string | Buffer): Promise<void> {
  return new Promise((resolve, reject) => archive.entry(headerOf(name, Buffer.byteLength(content)), content, (error) => (error ? reject(error) : resolve())));
}
