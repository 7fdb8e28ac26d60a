import { Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { extract, pack } from "tar-stream";
import { Fault } from "../../kernel/index.ts";
import { headerOf, text } from "./oci-archive.ts";
import type { InspectedImage } from "./oci-inspect.ts";
import { blobPath, type Descriptor, indexJson, OCI_LAYOUT_TEXT } from "./oci-layout.ts";
import { fill, readableOf } from "./tar-tree.ts";

/**
 * The inspected image alone, under a name of ours: other images, names and annotations of the archive are left behind, so that it cannot
 * put itself in another image's place. `source` is the same archive once more.
 */
export function rewrittenOci(image: InspectedImage, source: Readable, ref: string): Readable {
  const out = pack();
  const wanted = new Map(image.layers.map((layer) => [blobPath(layer.digest), layer]));
  (async () => {
    await text(out, "oci-layout", OCI_LAYOUT_TEXT);
    await text(out, "index.json", indexJson(image.manifest, ref));
    await text(out, blobPath(image.manifest.digest), image.manifestJson);
    await text(out, blobPath(image.config.digest), image.configJson);
    const archive = extract();
    source.on("error", (error) => archive.destroy(error));
    source.pipe(archive as unknown as NodeJS.WritableStream);
    for await (const entry of archive) {
      const name = entry.header.name.replace(/^\.\//, "");
      if (wanted.delete(name)) await fill(out, headerOf(name, entry.header.size), Readable.from(entry as unknown as AsyncIterable<Buffer>, { objectMode: false }));
      else entry.resume();
    }
    const missing = wanted.keys().next().value;
    if (missing !== undefined) throw new Fault("OCI_ARCHIVE", `the archive changed while it was read: ${missing} is gone`);
    out.finalize();
  })().catch((error) => out.destroy(error as Error));
  return readableOf(out);
}

/** Unpacks every layer into nothing and counts: a small archive may hold a very large image. Throws as soon as the sum is beyond the bound. */
export async function unpackedBytes(image: InspectedImage, source: Readable, bytesMax: number): Promise<number> {
  const wanted = new Map(image.layers.map((layer) => [blobPath(layer.digest), layer]));
  const archive = extract();
  source.on("error", (error) => archive.destroy(error));
  source.pipe(archive as unknown as NodeJS.WritableStream);
  let bytes = 0;
  try {
    for await (const entry of archive) {
      const layer = wanted.get(entry.header.name.replace(/^\.\//, ""));
      if (!layer) {
        entry.resume();
        continue;
      }
      for await (const chunk of unpacked(layer, Readable.from(entry as unknown as AsyncIterable<Buffer>, { objectMode: false }))) {
        bytes += chunk.length;
        if (bytes > bytesMax) throw new Fault("IMAGE_TOO_LARGE", `the image unpacks to more than ${bytesMax} bytes`, { hint: "deploy a smaller image, or raise the storage" });
      }
    }
  } catch (error) {
    source.destroy();
    throw error instanceof Fault ? error : new Fault("OCI_ARCHIVE", "the OCI archive cannot be used: a layer cannot be unpacked", { cause: error });
  }
  return bytes;
}

function unpacked(layer: Descriptor, from: Readable): AsyncIterable<Buffer> {
  const through = layer.mediaType.endsWith("+gzip") ? createGunzip() : layer.mediaType.endsWith("+zstd") ? createZstdDecompress() : undefined;
  if (!through) return from;
  from.on("error", (error) => through.destroy(error));
  return from.pipe(through);
}
