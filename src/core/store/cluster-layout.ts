import { join } from "node:path";
import type { Site } from "../../contract/index.ts";

/** The private cluster's places and names, shared by the engine and by those who connect. */
export const ENGINE_USER = "postgres";
export const DATABASE = "nexus";
/** Owns the schema; used for migrations at start and for nothing else. */
export const OWNER_ROLE = "nexus_owner";
/** Everything the running platform does: INSERT and SELECT on the ledger, all on projections. */
export const SERVICE_ROLE = "nexus_service";
/** Only names the socket file: the cluster listens on no network. */
export const PORT = 5432;

export interface ClusterPaths {
  readonly folder: string;
  readonly data: string;
  readonly socketDir: string;
}

export function clusterPaths(site: Pick<Site, "dir">): ClusterPaths {
  const folder = join(site.dir, "pg");
  return { folder, data: join(folder, "data"), socketDir: join(folder, "run") };
}
