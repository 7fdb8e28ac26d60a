import { createWriteStream, existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ensureFolder, plainEnvironment, runOk } from "../../kernel/index.ts";
import { unmountBelow } from "../envelopes/mounts.ts";
import { renderContainersConf, renderStorageConf } from "../fabric/podman/config.ts";
import { type Layout, RUN_DIR } from "../layout.ts";
import { alone } from "./alone.ts";

const LOAD_TIMEOUT_MS = 120_000;

/**
 * Base images lie in one image store that every home reads and none writes (containers/storage calls it an additional image store).
 * The kernel maps owners when a container is mounted, so an IMVU's own user ids cost no copy.
 */
export async function ensureBaseStore(cacheDir: string, layout: Layout): Promise<void> {
  await ensureFolder(cacheDir, 0o755);
  await mkdir(layout.cache, { recursive: true, mode: 0o755 });
  if (existsSync(join(layout.sharedStore, "overlay-images", "images.lock"))) return;
  await alone(baseLock(layout), () => podmanInStore(layout, ["images", "--quiet"]));
}

export function baseLock(layout: Layout): string {
  return `base-images:${layout.cache}`;
}

/** The caller holds the lock. */
export async function loadIntoBaseStore(layout: Layout, archive: Readable): Promise<void> {
  await podmanInStore(layout, ["load", "--quiet", "--input"], archive);
}

async function podmanInStore(layout: Layout, args: readonly string[], archive?: Readable): Promise<void> {
  const work = await mkdtemp(join(layout.cache, "work-"));
  const runRoot = await mkdtemp(join(RUN_DIR, "nexus-base-"));
  try {
    const [tmp, containersConf, storageConf, input] = ["t", "containers.conf", "storage.conf", "image.tar"].map((name) => join(work, name)) as [string, string, string, string];
    await writeFile(containersConf, renderContainersConf({ runtime: "runc" }));
    await writeFile(storageConf, renderStorageConf({ store: layout.sharedStore, runRoot }));
    if (archive) await pipeline(archive, createWriteStream(input));
    await runOk(
      [
        "/usr/bin/podman", "--root", layout.sharedStore, "--runroot", runRoot, "--tmpdir", tmp, "--cgroup-manager", "cgroupfs", "--events-backend", "none",
        "--storage-driver", "overlay", ...args, ...(archive ? [input] : []),
      ],
      { timeout_ms: LOAD_TIMEOUT_MS, env: plainEnvironment({ CONTAINERS_CONF: containersConf, CONTAINERS_STORAGE_CONF: storageConf, TMPDIR: work, XDG_RUNTIME_DIR: "" }) },
    );
  } finally {
    for (const folder of [work, runRoot]) await unmountBelow(folder);
    // Of containers, of which there are none here; it would bind the store to this work folder for ever.
    await rm(join(layout.sharedStore, "libpod"), { recursive: true, force: true });
    for (const folder of [work, runRoot]) await rm(folder, { recursive: true, force: true });
  }
}
