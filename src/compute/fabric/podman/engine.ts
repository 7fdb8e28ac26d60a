import { existsSync } from "node:fs";
import type { EngineSpec, Site } from "../../../contract/index.ts";
import { ensureFolder, runOk, writeFileAtomic } from "../../../kernel/index.ts";
import type { CgroupMode } from "../../envelopes/hierarchy.ts";
import { ensureBaseStore } from "../../provisioning/shared-store.ts";
import type { Layout } from "../../layout.ts";
import { renderContainersConf, renderStorageConf } from "./config.ts";
import { PodmanRest } from "./rest.ts";

const READY_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 10_000;
export const PODMAN = "/usr/bin/podman";

/** runc cannot be told a pure cgroup2 tree as well as crun; crun does not know hybrid ones. */
export function ociRuntimeFor(mode: CgroupMode): "runc" | "crun" {
  return mode === "v2" && existsSync("/usr/bin/crun") ? "crun" : "runc";
}

/** Arguments that make podman use nothing but the home and the shared, read-only base images. */
export function podmanArgv(layout: Layout): [string, ...string[]] {
  return [
    PODMAN, "--root", layout.store, "--runroot", layout.runRoot, "--tmpdir", layout.tmp, "--cgroup-manager", "cgroupfs", "--events-backend", "none",
    "--storage-driver", "overlay", "--storage-opt", `overlay.imagestore=${layout.sharedStore}`,
  ];
}

export function podmanEnvironment(layout: Layout): Record<string, string> {
  return { CONTAINERS_CONF: layout.containersConf, CONTAINERS_STORAGE_CONF: layout.storageConf, TMPDIR: layout.incoming, XDG_RUNTIME_DIR: "" };
}

/**
 * Podman's API service. It stays root: it makes namespaces, mounts and cgroups; what it starts is not.
 * Containers belong to their own monitors and outlive it.
 */
export function podmanEngine(site: Site, layout: Layout, mode: CgroupMode, recovered: () => Promise<void>): EngineSpec {
  const rest = new PodmanRest(layout.socket);
  return {
    name: "podman",
    purpose: "containers",
    prepare: async () => {
      await ensureFolder(layout.config, 0o700);
      await writeFileAtomic(layout.containersConf, renderContainersConf({ runtime: ociRuntimeFor(mode) }));
      await writeFileAtomic(layout.storageConf, renderStorageConf(layout));
      await ensureBaseStore(site.cacheDir, layout);
    },
    argv: () => [...podmanArgv(layout), "system", "service", "--time=0", `unix://${layout.socket}`],
    env: podmanEnvironment(layout),
    ready: async () => (await rest.call("GET", "/_ping", { timeout_ms: 2_000 })).status === 200,
    ready_timeout_ms: READY_TIMEOUT_MS,
    stopSignal: "SIGTERM",
    stop_timeout_ms: STOP_TIMEOUT_MS,
    version: async () => /(\d+\.\d+\.\d+)/.exec(await runOk([PODMAN, "--version"]))?.[1] ?? "unknown",
    childrenOutlive: true,
    recovered,
  };
}
