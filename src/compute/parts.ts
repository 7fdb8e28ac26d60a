import type { Blobs, ComputeDesired, Site } from "../contract/index.ts";
import type { ImvuId } from "../kernel/index.ts";
import { Groups } from "./envelopes/groups.ts";
import type { Hierarchy } from "./envelopes/hierarchy.ts";
import { Volumes } from "./envelopes/volume.ts";
import { Containers } from "./fabric/podman/containers.ts";
import { Images } from "./fabric/podman/images.ts";
import { Keeper } from "./fabric/podman/keeper.ts";
import { PodmanRest } from "./fabric/podman/rest.ts";
import { Services } from "./fabric/podman/services.ts";
import { type Layout, layoutOf } from "./layout.ts";
import { BaseImages } from "./provisioning/base-image.ts";
import { Contents } from "./provisioning/content.ts";

/** What the room consists of, made once and handed to whoever needs a part of it. */
export interface Parts {
  readonly site: Site;
  readonly layout: Layout;
  readonly groups: Groups;
  readonly volumes: Volumes;
  readonly contents: Contents;
  readonly bases: BaseImages;
  readonly images: Images;
  readonly containers: Containers;
  readonly services: Services;
  readonly keeper: Keeper;
  readonly desiredOf: (imvu: ImvuId) => ComputeDesired | undefined;
}

export interface PartsDeps {
  readonly site: Site;
  readonly blobs: Blobs;
  readonly hierarchy: Hierarchy;
  readonly desiredOf: (imvu: ImvuId) => ComputeDesired | undefined;
  readonly say: (line: string) => void;
}

export async function makeParts({ site, blobs, hierarchy, desiredOf, say }: PartsDeps): Promise<Parts> {
  const layout = layoutOf(site);
  const rest = new PodmanRest(layout.socket);
  const groups = new Groups(site, hierarchy);
  const volumes = new Volumes(site, layout);
  const contents = new Contents(site, layout, blobs);
  const bases = await BaseImages.open(layout);
  const images = new Images(rest, layout, blobs, bases);
  const containers = new Containers(rest);
  const keeper: Keeper = new Keeper(layout.exits, containers, (name) => services.startAgain(name), say);
  const services: Services = new Services({ site, layout, groups, volumes, contents, images, containers, keeper });
  return { site, layout, groups, volumes, contents, bases, images, containers, services, keeper, desiredOf };
}
