import { join } from "node:path";
import type { Site } from "../contract/index.ts";
import { BlobShelf } from "./blob-shelf.ts";
import { openRooms } from "./rooms.ts";
import { endEngineGroups } from "./supervision/index.ts";

/** Ends the engines of a site that nobody supervises any more, and takes its namespaces, mounts and groups off the machine. Its files stay. */
export async function endRemains(site: Site): Promise<void> {
  await endEngineGroups(site.homeId);
  const rooms = await openRooms(site, new BlobShelf(join(site.dir, "blobs")), { desiredOf: () => undefined, zones: () => new Map() }, () => {});
  await rooms.close();
  await endEngineGroups(site.homeId);
}
