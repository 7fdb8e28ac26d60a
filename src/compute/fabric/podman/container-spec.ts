import type { Service } from "../../../contract/index.ts";
import { canonicalJson, type ImvuId, type Json, type Jurisdiction, type Sha256, sha256Hex } from "../../../kernel/index.ts";

/** What a container is made from; its canonical JSON travels with it as a label, so that the engine itself says what it runs. */
export interface Order {
  readonly service: Service;
  readonly resolverAddress: string;
  readonly jurisdiction: Jurisdiction;
}

/** Everything else that goes into one container. */
export interface Placement {
  readonly imvu: ImvuId;
  readonly number: number;
  readonly name: string;
  readonly image: string;
  /** null: the image's own. */
  readonly command: readonly string[] | null;
  readonly uidBase: number;
  readonly cgroupParent: string;
  readonly namespacePath: string;
  readonly logFile: string;
  readonly dataPath: string;
  readonly contentPath: string | null;
  /** Folders of the volume for the image's own VOLUMEs, by their path inside. */
  readonly imageVolumes: Readonly<Record<string, string>>;
  readonly openFilesMax: number;
  readonly processesMax: number;
}

export const LABEL_IMVU = "nexus.imvu";
export const LABEL_SERVICE = "nexus.service";
export const LABEL_JURISDICTION = "nexus.jurisdiction";
export const LABEL_ORDER = "nexus.order";
export const LABEL_SPEC = "nexus.spec";

/** Grows when containers are made differently: then all are made anew at the next start. */
const SPEC_REVISION = 2;
const UID_RANGE = 65_536;
const TMPFS_BYTES = 64 * 1024 * 1024;
export const STOP_GRACE_SECONDS = 5;

export function orderJson(order: Order): string {
  const { service, resolverAddress, jurisdiction } = order;
  return canonicalJson(JSON.parse(JSON.stringify({ service, resolverAddress, jurisdiction })) as Json);
}

/** Two orders with the same digest give the same container. */
export function specDigest(order: Order, image: string): Sha256 {
  return sha256Hex(canonicalJson([SPEC_REVISION, image, orderJson(order)]));
}

/** libpod's SpecGenerator: a container without privileges, in the IMVU's own user ids, group, namespace and volume. */
export function containerSpec(order: Order, at: Placement): Json {
  const { service } = order;
  const ids = [{ container_id: 0, host_id: at.uidBase, size: UID_RANGE }];
  return {
    name: at.name,
    image: at.image,
    hostname: service.name,
    // Process 1 of a namespace hears no signal it has no handler for, and inherits every orphan: what was not written for that place gets
    // a small init before it (catatonit). Images bring their own.
    ...(at.command === null ? {} : { command: [...at.command], entrypoint: [], init: true }),
    ...(at.contentPath === null ? {} : { work_dir: "/srv" }),
    env: { ...service.env, PORT: String(service.port) },
    env_host: false,
    httpproxy: false,
    labels: { [LABEL_IMVU]: at.imvu, [LABEL_SERVICE]: service.name, [LABEL_JURISDICTION]: order.jurisdiction, [LABEL_ORDER]: orderJson(order), [LABEL_SPEC]: specDigest(order, at.image) },
    userns: { nsmode: "private" },
    idmappings: { HostUIDMapping: false, HostGIDMapping: false, UIDMap: ids, GIDMap: ids },
    netns: { nsmode: "path", value: at.namespacePath },
    ipcns: { nsmode: "none" },
    cgroupns: { nsmode: "private" },
    cap_drop: ["all"],
    cap_add: [],
    no_new_privileges: true,
    privileged: false,
    read_only_filesystem: true,
    cgroup_parent: at.cgroupParent,
    // The monitor stays outside: it is ours, it shall not be billed to the IMVU, nor killed with it when memory runs out.
    cgroups_mode: "no-conmon",
    dns_server: [order.resolverAddress],
    dns_search: ["."],
    log_configuration: { driver: "k8s-file", path: at.logFile },
    r_limits: [
      { type: "nofile", soft: at.openFilesMax, hard: at.openFilesMax },
      { type: "nproc", soft: at.processesMax, hard: at.processesMax },
      { type: "core", soft: 0, hard: 0 },
    ],
    image_volume_mode: "ignore",
    healthconfig: { Test: ["NONE"] },
    restart_policy: "no",
    stop_timeout: STOP_GRACE_SECONDS,
    mounts: mountsOf(at),
  };
}

function mountsOf(at: Placement): Json[] {
  const bind = (source: string, destination: string, access: "ro" | "rw") => ({ type: "bind", source, destination, options: ["bind", "private", access, "nosuid", "nodev"] });
  const tmpfs = (destination: string, ...more: string[]) => ({
    type: "tmpfs", source: "tmpfs", destination, options: ["rw", "nosuid", "nodev", `size=${TMPFS_BYTES}`, "mode=1777", ...more],
  });
  return [
    // The machine's own /sys would come with the network namespace: every IMVU's groups, devices and the host's interfaces are in it.
    { type: "tmpfs", source: "tmpfs", destination: "/sys", options: ["ro", "nosuid", "nodev", "noexec", "size=4096", "mode=0555"] },
    tmpfs("/tmp"),
    tmpfs("/run"),
    tmpfs("/var/tmp"),
    tmpfs("/dev/shm", "noexec"),
    bind(at.dataPath, "/data", "rw"),
    ...(at.contentPath === null ? [] : [bind(at.contentPath, "/srv", "ro")]),
    ...Object.entries(at.imageVolumes).map(([destination, source]) => bind(source, destination, "rw")),
  ];
}

/** VOLUME paths of an image that are given a folder; anything that would cover what we mount is left to the read-only image. */
export function imageVolumeFolders(paths: readonly string[]): readonly string[] {
  const taken = ["/", "/data", "/srv", "/sys", "/proc", "/dev", "/tmp", "/run", "/var/tmp", "/etc"];
  return paths.filter(
    (path) =>
      /^(\/[A-Za-z0-9._@+-]+){1,16}\/?$/.test(path) && path.length <= 200 && !path.split("/").includes("..") && !path.split("/").includes(".") &&
      !taken.some((one) => path.replace(/\/$/, "") === one || path.startsWith(`${one === "/" ? "\0" : one}/`)),
  );
}
