import { join } from "node:path";
import type { Site } from "../contract/index.ts";
import { Fault, type ServiceName } from "../kernel/index.ts";

/** Every path of the compute room: all under the home, but for the cache that homes share and the engine's runtime state. */
export interface Layout {
  readonly dir: string;
  /** Root's own: the engine's socket is the key to every container. */
  readonly run: string;
  readonly socket: string;
  /** Boot id under which the engine's runtime folders were filled. */
  readonly bootFile: string;
  readonly config: string;
  readonly containersConf: string;
  readonly storageConf: string;
  readonly store: string;
  /** Runtime state of containers, for one boot of the machine. Podman takes no path of more than 50 characters for it, and a home's may be longer. */
  readonly runRoot: string;
  readonly tmp: string;
  /** Where the engine's monitors write a file when a container ends. */
  readonly exits: string;
  readonly incoming: string;
  readonly volumes: string;
  readonly logs: string;
  readonly cache: string;
  /** Read-only for homes: base images that were built once for all of them. */
  readonly sharedStore: string;
}

const SOCKET_PATH_BYTES_MAX = 107;
/** A tmpfs on every Debian (Filesystem Hierarchy Standard 3.0, 3.15). */
export const RUN_DIR = "/run";

export function layoutOf(site: Pick<Site, "dir" | "cacheDir" | "homeId">): Layout {
  for (const path of [site.dir, site.cacheDir]) {
    // These paths stand in mount options and in the engine's own option lists, where a comma or a colon separates.
    if (!/^\/[A-Za-z0-9/._@+-]+$/.test(path)) {
      throw new Fault("COMPUTE_PATH", `the container engine cannot be told the path ${JSON.stringify(path)}`, {
        hint: "choose a home of letters, digits, '.', '_', '@', '+' and '-'",
      });
    }
  }
  const dir = join(site.dir, "compute");
  const run = join(dir, "run");
  const socket = join(run, "podman.sock");
  if (Buffer.byteLength(socket) > SOCKET_PATH_BYTES_MAX) {
    throw new Fault("COMPUTE_PATH", `the home's path is too long for the container engine's socket (${site.dir.length} characters)`, {
      hint: "choose a home with a path of at most 60 characters",
    });
  }
  const cache = join(site.cacheDir, "compute");
  const config = join(dir, "config");
  const tmp = join(dir, "t");
  return {
    dir,
    run,
    socket,
    bootFile: join(run, "boot"),
    config,
    containersConf: join(config, "containers.conf"),
    storageConf: join(config, "storage.conf"),
    store: join(dir, "s"),
    runRoot: join(RUN_DIR, `nexus-${site.homeId}`),
    tmp,
    exits: join(tmp, "exits"),
    incoming: join(dir, "incoming"),
    volumes: join(dir, "volumes"),
    logs: join(dir, "logs"),
    cache,
    sharedStore: join(cache, "store"),
  };
}

export function volumeImageOf(layout: Layout, number: number): string {
  return join(layout.volumes, `${number}.img`);
}

export function mountPointOf(layout: Layout, number: number): string {
  return join(layout.volumes, String(number));
}

/** The subvolume a service sees at /data. */
export function dataOf(layout: Layout, number: number, service: ServiceName): string {
  return join(mountPointOf(layout, number), "data", service);
}

/** Captures, each a subvolume that nobody can write to, named by its id. */
export function snapshotsOf(layout: Layout, number: number): string {
  return join(mountPointOf(layout, number), "snapshots");
}

/** What is needed for a while and means nothing after a crash. */
export function scratchOf(layout: Layout, number: number): string {
  return join(mountPointOf(layout, number), "scratch");
}

export function contentOf(layout: Layout, number: number, digest: string): string {
  return join(mountPointOf(layout, number), "content", digest);
}

export function logFileOf(layout: Layout, number: number, service: ServiceName): string {
  return join(layout.logs, `${number}-${service}.log`);
}

export function containerNameOf(number: number, service: ServiceName): string {
  return `imvu-${number}-${service}`;
}
