import type { Layout } from "../../layout.ts";

/** Podman's configuration, complete: nothing of the machine's own is read. TOML; every value is quoted. */

/** Lines of a service's log kept on the host, in bytes; the monitor starts the file anew beyond it. */
export const LOG_BYTES_MAX = 4 * 1024 * 1024;

export function renderContainersConf({ runtime }: { runtime: "runc" | "crun" }): string {
  return [
    "[containers]",
    // The machine's own names and addresses are nobody's business inside.
    `base_hosts_file = "none"`,
    `host_containers_internal_ip = "none"`,
    `log_driver = "k8s-file"`,
    `log_size_max = ${LOG_BYTES_MAX}`,
    // Limits live in the parent group, one for all services; a limit per container would silently be smaller.
    "pids_limit = 0",
    "init = false",
    `tz = ""`,
    "",
    "[engine]",
    `cgroup_manager = "cgroupfs"`,
    `events_logger = "none"`,
    // The default lock lies in /dev/shm and is shared by every podman of the machine.
    `lock_type = "file"`,
    `runtime = ${quoted(runtime)}`,
    "",
    "[network]",
    `network_backend = "netavark"`,
    "",
  ].join("\n");
}

export function renderStorageConf(layout: Pick<Layout, "store" | "runRoot"> & Partial<Pick<Layout, "sharedStore">>): string {
  return [
    "[storage]",
    `driver = "overlay"`,
    `runroot = ${quoted(layout.runRoot)}`,
    `graphroot = ${quoted(layout.store)}`,
    "",
    ...(layout.sharedStore === undefined ? [] : ["[storage.options]", `additionalimagestores = [${quoted(layout.sharedStore)}]`, ""]),
  ].join("\n");
}

/** A TOML basic string. JSON's escapes are a subset of TOML's. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
