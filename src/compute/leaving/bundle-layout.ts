import { parseServiceName, type ServiceName } from "../../kernel/index.ts";

/** Where compute's part of a bundle lies. */
export const COMPOSE_PATH = "compute/compose.yaml";
export const VOLUMES_PREFIX = "compute/volumes/";
export const SNAPSHOTS_PATH = "compute/snapshots.json";
const VOLUME_SUFFIX = ".tar.zst";

export function imagePath(service: ServiceName): string {
  return `compute/images/${service}.oci.tar`;
}

export function volumePath(service: ServiceName): string {
  return `${VOLUMES_PREFIX}${service}${VOLUME_SUFFIX}`;
}

/** The service whose data a file holds; undefined when it is not such a file. */
export function serviceOfVolume(path: string): ServiceName | undefined {
  if (!path.startsWith(VOLUMES_PREFIX) || !path.endsWith(VOLUME_SUFFIX)) return undefined;
  const name = parseServiceName(path.slice(VOLUMES_PREFIX.length, -VOLUME_SUFFIX.length));
  return name.ok ? name.value : undefined;
}
