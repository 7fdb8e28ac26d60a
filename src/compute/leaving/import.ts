import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import { createZstdDecompress } from "node:zlib";
import { extract } from "tar-stream";
import { type BundleReader, type ComputeDesired, imvuUidBase } from "../../contract/index.ts";
import { Fault, quoteForPeople, type ServiceName } from "../../kernel/index.ts";
import type { Parts } from "../parts.ts";
import { unpackTar } from "../provisioning/unpack.ts";
import { serviceOfVolume, VOLUMES_PREFIX } from "./bundle-layout.ts";
import { dataTar } from "./export.ts";

/**
 * Puts the data of every service back. What was written is read again and compared with the bundle before the service
 * runs on it: afterwards it changes, and nobody could tell.
 */
export async function importCompute(parts: Parts, desired: ComputeDesired, bundle: BundleReader): Promise<void> {
  for (const path of bundle.list(VOLUMES_PREFIX)) {
    const service = serviceOfVolume(path);
    if (service === undefined) throw new Fault("BUNDLE_VOLUME", `the bundle holds ${quoteForPeople(path)}, which is no service's data`, { hint: "export it again" });
    const restore = () => restoreData(parts, desired, service, bundle, path);
    if (desired.services.some(({ name }) => name === service)) await parts.services.paused(desired.imvu, service, restore);
    else await restore();
  }
}

async function restoreData(parts: Parts, desired: ComputeDesired, service: ServiceName, bundle: BundleReader, path: string): Promise<void> {
  const { volumes, site } = parts;
  const { number, envelope } = desired;
  await volumes.removeData(number, service);
  const root = await volumes.ensureData(number, service);
  await unpackTar(unpacked(bundle.stream(path)), root, { bytesMax: envelope.storageBytes, uidBase: imvuUidBase(site, number), kind: "data" });
  const [expected, found] = [await digestOf(unpacked(bundle.stream(path))), await digestOf(dataTar(parts, number, root))];
  if (found !== expected) throw new Fault("BUNDLE_VOLUME", `the data of ${service} is not on the volume as the bundle holds it: ${found} instead of ${expected}`, { hint: "export it again" });
}

function unpacked(packed: Readable): Readable {
  const through = createZstdDecompress();
  packed.on("error", (error) => through.destroy(error));
  return packed.pipe(through);
}

/** Digest of what a tar says, however it is written: each entry's name, kind, mode, owner, time, target and content. */
async function digestOf(tar: Readable): Promise<string> {
  const hasher = createHash("sha256");
  const archive = extract();
  tar.on("error", (error) => archive.destroy(error));
  tar.pipe(archive as unknown as NodeJS.WritableStream);
  for await (const entry of archive) {
    const { name, type, mode, uid, gid, mtime, linkname, size } = entry.header;
    hasher.update(`${JSON.stringify([name, type, mode, uid, gid, mtime.getTime(), linkname ?? null, size])}\n`);
    for await (const chunk of entry as unknown as AsyncIterable<Buffer>) hasher.update(chunk);
  }
  return hasher.digest("hex");
}
