import { createReadStream } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { type ComputeDesired, type ExportSink, imvuUidBase, type Service } from "../../contract/index.ts";
import { type ImvuId, type ServiceName, zstdCompressed } from "../../kernel/index.ts";
import type { Parts } from "../parts.ts";
import { LAYER_TIME, writeLayer } from "../provisioning/base-image.ts";
import { ociArchive } from "../provisioning/oci-archive.ts";
import { tarOfTree } from "../provisioning/tar-tree.ts";
import { COMPOSE_PATH, imagePath, SNAPSHOTS_PATH, volumePath } from "./bundle-layout.ts";
import { exportedImageName, renderCompose } from "./compose.ts";

const LEFT_OUT_SAID_MAX = 100;

/** Services, images as OCI archives and what lies on the volume, from frozen copies. Streams; what needs a digest first waits in a file. */
export async function exportCompute(parts: Parts, imvu: ImvuId, sink: ExportSink): Promise<void> {
  const desired = parts.desiredOf(imvu);
  if (!desired) return sink.omit("compute/", `the ledger orders no compute for ${imvu}`);
  await sink.file(COMPOSE_PATH, renderCompose(desired));
  for (const service of desired.services) await exportImage(parts, desired, service, sink);
  for (const name of await parts.volumes.dataNames(desired.number)) await exportData(parts, desired.number, name as ServiceName, sink);
  if (desired.snapshots && desired.snapshots.length > 0) {
    await sink.file(SNAPSHOTS_PATH, `${JSON.stringify({ imvu, snapshots: desired.snapshots }, null, 2)}\n`);
    sink.omit("compute/snapshots", "what older snapshots hold is named by its digest and stays where it is; restore one and export again to take its data along");
  }
  sink.omit("compute/logs", "what services printed is kept by the machine for a while and is not part of the unit");
}

async function exportImage(parts: Parts, desired: ComputeDesired, service: Service, sink: ExportSink): Promise<void> {
  const { images } = parts;
  const { source } = service;
  const ref = exportedImageName(desired, service);
  switch (source.kind) {
    case "runtime":
      return await exportBuilt(parts, desired, service, source, sink);
    case "oci":
      return await sink.file(imagePath(service.name), await images.archiveOf(source.archive, ref));
    case "image":
      return await images.withSaved(images.nameOf(source), ref, (archive) => sink.file(imagePath(service.name), archive));
  }
}

/** Base and content as one image that runs anywhere: what is bound into the container here is a layer there. */
async function exportBuilt(parts: Parts, desired: ComputeDesired, service: Service, source: Extract<Service["source"], { kind: "runtime" }>, sink: ExportSink): Promise<void> {
  const { layout, contents, bases } = parts;
  const { number } = desired;
  await bases.ensure(source.runtime);
  await contents.ensure(number, source.content, desired.envelope.storageBytes);
  const file = join(layout.incoming, `${number}-${service.name}-${process.pid}-${Date.now()}.layer`);
  try {
    const tar = tarOfTree(contents.path(number, source.content), { prefix: "srv/", uidBase: imvuUidBase(parts.site, number), time: LAYER_TIME });
    const layer = await writeLayer(tar, file);
    const env = [...bases.envOf(source.runtime), ...Object.entries({ ...service.env, PORT: String(service.port) }).map(([key, value]) => `${key}=${value}`)];
    const archive = ociArchive({
      ref: exportedImageName(desired, service),
      config: { command: await contents.commandFor(number, source.runtime, source.content), env, workDir: "/srv", port: service.port },
      layers: [await bases.layer(source.runtime), { layer, open: () => createReadStream(file) }],
    });
    await sink.file(imagePath(service.name), archive);
  } finally {
    await rm(file, { force: true });
  }
}

/** Also of a service that was removed: its data stayed on the volume. */
async function exportData(parts: Parts, number: number, service: ServiceName, sink: ExportSink): Promise<void> {
  const leftOut: string[] = [];
  await parts.volumes.withSnapshot(number, service, async (path) => {
    const tar = dataTar(parts, number, path, (name, why) => leftOut.push(`${name}: ${why}`));
    await sink.file(volumePath(service), zstdCompressed(tar));
  });
  for (const said of leftOut.slice(0, LEFT_OUT_SAID_MAX)) sink.omit(`compute/volumes/${service}`, said);
  if (leftOut.length > LEFT_OUT_SAID_MAX) sink.omit(`compute/volumes/${service}`, `and ${leftOut.length - LEFT_OUT_SAID_MAX} more like these`);
}

/** Owners as the service sees them, so that the same data on another machine gives the same bytes. */
export function dataTar({ site }: Pick<Parts, "site">, number: number, path: string, leftOut?: (path: string, why: string) => void): Readable {
  return tarOfTree(path, { uidBase: imvuUidBase(site, number), withRoot: true, ...(leftOut ? { leftOut } : {}) });
}
